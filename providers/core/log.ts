/** Lines to the engine, which shows them under the resource they belong to. */
import * as grpc from "@grpc/grpc-js";
import type { EngineClient as Engine } from "@pulumi/pulumi/proto/engine_grpc_pb";

export class EngineLog {
  private address = "";
  private client?: Engine;

  connect(address: string): void {
    if (address === this.address) return;
    this.address = address;
    this.client = undefined;
  }

  /** Fire and forget: a line that cannot be shown must not fail the operation. */
  send(message: string, severity: "info" | "warning", urn: string): void {
    if (this.address !== "") this.deliver(message, severity, urn).catch(() => undefined);
  }

  /** The stubs are loaded with the first line: most runs have none, and every run waits for what is loaded. */
  private async deliver(message: string, severity: "info" | "warning", urn: string): Promise<void> {
    const { EngineClient } = await import("@pulumi/pulumi/proto/engine_grpc_pb");
    const { LogRequest, LogSeverity } = await import("@pulumi/pulumi/proto/engine_pb");
    this.client ??= new EngineClient(this.address, grpc.credentials.createInsecure());
    const request = new LogRequest();
    request.setSeverity(severity === "warning" ? LogSeverity.WARNING : LogSeverity.INFO);
    request.setMessage(message);
    request.setUrn(urn);
    this.client.log(request, () => undefined);
  }
}
