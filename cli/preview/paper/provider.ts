/**
 * A provider on paper: a proxy between the engine and a real plugin that passes everything on except what would touch a host. It answers
 * a creation with the plugin's own preview of it. An `up` of the base then ends in the state that a real one would leave, and the engine
 * can compare the head with it, with the plugins' own diffs, replacements and dependents.
 */
import * as grpc from "@grpc/grpc-js";
import { PluginAttach } from "@pulumi/pulumi/proto/plugin_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { ANSWERS } from "./answers";
import type { Running } from "./plugins";
import { settle } from "./settle";
import { silentEngine } from "./silence";

type Values = Record<string, unknown>;
/** Calls the plugin's method of this name. */
type Call = (method: string, request: Buffer) => Promise<Buffer>;
type Handler = (request: Buffer, call: Call) => Promise<Buffer>;

const METHODS = ResourceProviderService as unknown as grpc.ServiceDefinition;
/** A state holds whole files. */
const LIMITS = {
  "grpc.max_receive_message_length": 400 << 20,
  "grpc.max_send_message_length": 400 << 20,
};
const CALL_MS = 120_000;
const same = (bytes: Buffer): Buffer => bytes;
const bytesOf = (message: { serializeBinary(): Uint8Array }): Buffer =>
  Buffer.from(message.serializeBinary());

/** @param begin starts the plugin, given the address of the engine it talks back to; it is stopped with what is returned */
export async function onPaper(begin: (engine: string) => Promise<Running>): Promise<Running> {
  const engine = await silentEngine();
  let plugin: Running;
  try {
    plugin = await begin(engine.address);
  } catch (error) {
    engine.stop();
    throw error;
  }
  const client = new grpc.Client(`127.0.0.1:${plugin.port}`, grpc.credentials.createInsecure(), LIMITS);
  const server = new grpc.Server(LIMITS);
  const call: Call = (method, request) => forward(client, METHODS[method]!.path, request);
  const handlers: Record<string, Handler> = {
    attach: attachTo(engine.address),
    handshake: shakeHands(engine.address),
    create,
    update,
    delete: () => Promise.resolve(bytesOf(new Empty())),
    // Each of these would contact a host.
    ...Object.fromEntries(["read", "construct", "call", "invoke"].map((name) => [name, refuse(name)])),
  };
  const names = Object.keys(METHODS).filter((name) => !METHODS[name]!.responseStream);
  const answer = (name: string) =>
    unary((request) => (handlers[name] ?? ((bytes) => call(name, bytes)))(request, call));
  server.addService(
    Object.fromEntries(names.map((name) => [name, untyped(METHODS[name]!.path)])),
    Object.fromEntries(names.map((name) => [name, answer(name)])),
  );
  const port = await bind(server);
  const stop = () => {
    server.forceShutdown();
    engine.stop();
    client.close();
    plugin.stop();
  };
  return { port, stop };
}

/** A method whose messages stay bytes: fields that only a newer engine and plugin know get through. */
const untyped = (path: string): grpc.MethodDefinition<Buffer, Buffer> => ({
  path,
  requestStream: false,
  responseStream: false,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});

function unary(answer: (request: Buffer) => Promise<Buffer>): grpc.handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    answer(call.request).then(
      (response) => callback(null, response),
      (error: grpc.ServiceError) =>
        callback({ code: error.code ?? grpc.status.UNKNOWN, details: error.details ?? error.message }),
    );
  };
}

function forward(client: grpc.Client, path: string, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + CALL_MS };
    client.makeUnaryRequest(path, same, same, request, new grpc.Metadata(), options, (error, response) =>
      error ? reject(error) : resolve(response!),
    );
  });
}

function bind(server: grpc.Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  );
}

function refuse(name: string): Handler {
  const message = `the program calls ${name}, which cannot be answered without a host`;
  return () => Promise.reject(Object.assign(new Error(message), { code: grpc.status.FAILED_PRECONDITION }));
}

const attachTo =
  (address: string): Handler =>
  (bytes, call) => {
    const request = PluginAttach.deserializeBinary(bytes);
    request.setAddress(address);
    return call("attach", bytesOf(request));
  };

const shakeHands =
  (address: string): Handler =>
  (bytes, call) => {
    const request = proto.ProviderHandshakeRequest.deserializeBinary(bytes);
    request.setEngineAddress(address);
    return call("handshake", bytesOf(request));
  };

/** The plugin's own preview of the creation, with an id, and settled. */
const create: Handler = async (bytes, call) => {
  const request = proto.CreateRequest.deserializeBinary(bytes);
  request.setPreview(true);
  const planned = proto.CreateResponse.deserializeBinary(await call("create", bytesOf(request)));
  const made: Made = { urn: request.getUrn(), id: "", inputs: request.getProperties()! };
  made.id = `${made.urn.split("::")[3]}-on-paper`;
  const response = new proto.CreateResponse();
  response.setId(made.id);
  response.setProperties(await settled(made, planned.getProperties(), call));
  return bytesOf(response);
};

const update: Handler = async (bytes, call) => {
  const request = proto.UpdateRequest.deserializeBinary(bytes);
  request.setPreview(true);
  const planned = proto.UpdateResponse.deserializeBinary(await call("update", bytesOf(request)));
  const made: Made = { urn: request.getUrn(), id: request.getId(), inputs: request.getNews()! };
  const response = new proto.UpdateResponse();
  response.setProperties(await settled(made, planned.getProperties(), call));
  return bytesOf(response);
};

interface Made {
  urn: string;
  id: string;
  inputs: Struct;
}

async function settled(made: Made, planned: Struct | undefined, call: Call): Promise<Struct> {
  const type = made.urn.split("::")[2]!.split("$").at(-1)!;
  const outputs = { ...((planned?.toJavaScript() ?? {}) as Values), ...ANSWERS[type] };
  const values = await settle(outputs, (candidate) => differences(made, candidate, call));
  return Struct.fromJavaScript(values as never);
}

/** What the plugin would change in a resource that was made of these inputs and has these outputs. */
async function differences(made: Made, outputs: Values, call: Call): Promise<string[]> {
  const request = new proto.DiffRequest();
  request.setId(made.id);
  request.setUrn(made.urn);
  request.setOlds(Struct.fromJavaScript(outputs as never));
  request.setOldInputs(made.inputs);
  request.setNews(made.inputs);
  const response = proto.DiffResponse.deserializeBinary(await call("diff", bytesOf(request)));
  return [...response.getDetaileddiffMap().keys()];
}
