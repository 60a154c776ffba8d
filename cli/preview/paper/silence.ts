/**
 * The engine that a plugin on paper talks back to: it takes log messages and drops them. A plugin logs what it cannot read as an error,
 * which would fail the `up`, and settling a state tries what may not be readable.
 */
import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";

/** @returns its address, "127.0.0.1:PORT" */
export async function silentEngine(): Promise<{ address: string; stop(): void }> {
  const server = new grpc.Server();
  const log: grpc.handleUnaryCall<unknown, Empty> = (_, callback) => callback(null, new Empty());
  server.addService(EngineService, { log });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}
