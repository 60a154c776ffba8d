/** Lines to the engine, which shows them under the resource they belong to. */
import * as grpc from "@grpc/grpc-js";

type Engine = import("@pulumi/pulumi/proto/engine_grpc_pb").EngineClient;

export class EngineLog {
  private address = "";
  private client?: Engine;

  connect(address: string): void {
    if (address === this.address) return;
    this.address = address;
    this.client = undefined;
  }

  /** Fire and forget: a line that cannot be shown is no reason to fail. The stubs are loaded with the first line. */
  send(message: string, severity: "info" | "warning", urn: string): void {
    if (this.address === "") return;
    const { EngineClient } = require("@pulumi/pulumi/proto/engine_grpc_pb") as typeof import("@pulumi/pulumi/proto/engine_grpc_pb");
    const { LogRequest, LogSeverity } = require("@pulumi/pulumi/proto/engine_pb") as typeof import("@pulumi/pulumi/proto/engine_pb");
    this.client ??= new EngineClient(this.address, grpc.credentials.createInsecure());
    const request = new LogRequest();
    request.setSeverity(severity === "warning" ? LogSeverity.WARNING : LogSeverity.INFO);
    request.setMessage(message);
    request.setUrn(urn);
    this.client.log(request, () => undefined);
  }
}
