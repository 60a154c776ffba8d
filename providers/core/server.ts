/** The gRPC side of a provider: Pulumi's messages in, Pulumi's messages out. */
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { Change } from "./diff";
import { describe, PartialFailure } from "./errors";
import type { Failure } from "./inputs";
import type { EngineLog } from "./log";
import type { Call, Difference, Provider } from "./provider";
import { schemaOf } from "./schema";
import { decode, type Decoded, encode, mask, secretTexts } from "./values";
import { VERSION } from "./version";

type Unary<Q, A> = grpc.handleUnaryCall<Q, A>;

const props = (struct: Struct | undefined): Decoded => decode(struct?.toJavaScript());
const struct = ({ value, secrets }: Decoded): Struct => Struct.fromJavaScript(encode(value, secrets));
/** "urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME" → TYPE. */
const typeOf = (urn: string): string => urn.split("::")[2]?.split("$").at(-1) ?? "";

let underWay = 0;
/** Whether a call waits for its answer. */
export const isBusy = (): boolean => underWay > 0;

/** A call whose errors are one clean message, without the texts of the secrets that came with it. */
function unary<Q, A>(answer: (request: Q, secrets: string[]) => Promise<A> | A): Unary<Q, A> {
  return (call, callback) => {
    const secrets: string[] = [];
    underWay++;
    Promise.resolve()
      .then(() => answer(call.request, secrets))
      .then(
        (response) => callback(null, response),
        (error) => callback(statusOf(error, secrets)),
      )
      .finally(() => underWay--);
  };
}

function statusOf(error: unknown, secrets: string[]): Partial<grpc.StatusObject> {
  const details = describe(error, secrets);
  if (!(error instanceof PartialFailure)) return { code: grpc.status.UNKNOWN, details };
  const failed = new proto.ErrorResourceInitFailed();
  failed.setId(error.id);
  failed.setReasonsList([details]);
  failed.setProperties(struct((error as PartialFailure & { properties: Decoded }).properties));
  return { code: grpc.status.UNKNOWN, details, metadata: withDetail(details, failed) };
}

/** gRPC's own way to send a message along with an error: a google.rpc.Status in the trailers. */
function withDetail(message: string, failed: proto.ErrorResourceInitFailed): grpc.Metadata {
  const detail = new Any();
  detail.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new Status();
  status.setCode(grpc.status.UNKNOWN);
  status.setMessage(message);
  status.addDetails(detail);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return metadata;
}

function failuresOf(failures: Failure[]): proto.CheckFailure[] {
  return failures.map(({ property, reason }) => {
    const failure = new proto.CheckFailure();
    failure.setProperty(property);
    failure.setReason(reason);
    return failure;
  });
}

function diffResponse(changes: Change[], difference?: Difference): proto.DiffResponse {
  const response = new proto.DiffResponse();
  const { DIFF_NONE, DIFF_SOME } = proto.DiffResponse.DiffChanges;
  response.setChanges(changes.length > 0 ? DIFF_SOME : DIFF_NONE);
  response.setDiffsList([...new Set(changes.map(({ property }) => property))]);
  response.setReplacesList(difference?.replaces ?? []);
  response.setStablesList(difference?.stables ?? []);
  response.setDeletebeforereplace(difference?.deleteBeforeReplace ?? false);
  response.setHasdetaileddiff(true);
  const kinds = proto.PropertyDiff.Kind;
  for (const { path, property, kind } of changes) {
    const detail = new proto.PropertyDiff();
    const replace = difference?.replaces.includes(property);
    const name = `${kind.toUpperCase()}${replace ? "_REPLACE" : ""}` as keyof typeof kinds;
    detail.setKind(kinds[name]);
    // Inputs against inputs: so the engine shows what a person wrote, line by line where it is text.
    detail.setInputdiff(true);
    response.getDetaileddiffMap().set(path, detail);
  }
  return response;
}

function checkResponse({ inputs, failures }: { inputs: Decoded; failures: Failure[] }): proto.CheckResponse {
  const response = new proto.CheckResponse();
  response.setInputs(struct(inputs));
  response.setFailuresList(failuresOf(failures));
  return response;
}

/** All calls of a provider. The service's other calls (construct, call, list, mappings) stay unimplemented. */
export function implementation(provider: Provider, log: EngineLog): grpc.UntypedServiceImplementation {
  /** What a handler gets of a call. `secrets` is filled before it starts, so that no message of it holds one. */
  const callOf = (urn: string, secrets: string[], ...bags: Decoded[]): Call => {
    for (const bag of bags) secrets.push(...secretTexts(bag));
    return { urn, log: (message, severity = "info") => log.send(mask(message, secrets), severity, urn) };
  };
  return {
    ...lifecycle(provider, log),
    ...inputCalls(provider),
    ...resourceCalls(provider, callOf),
    ...functionCalls(provider, callOf),
  };
}

type CallOf = (urn: string, secrets: string[], ...bags: Decoded[]) => Call;

function lifecycle(provider: Provider, log: EngineLog): grpc.UntypedServiceImplementation {
  return {
    handshake: unary((request: proto.ProviderHandshakeRequest) => {
      log.connect(request.getEngineAddress());
      const response = new proto.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      return response;
    }),
    attach: unary((request: plugin.PluginAttach) => (log.connect(request.getAddress()), new Empty())),
    getPluginInfo: unary(() => {
      const response = new plugin.PluginInfo();
      response.setVersion(VERSION);
      return response;
    }),
    getSchema: unary(() => {
      const response = new proto.GetSchemaResponse();
      response.setSchema(JSON.stringify(schemaOf(provider.definition)));
      return response;
    }),
    configure: unary((request: proto.ConfigureRequest) => {
      provider.configure(props(request.getArgs()));
      const response = new proto.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      return response;
    }),
    cancel: unary(() => (provider.cancel(), new Empty())),
  };
}

function inputCalls(provider: Provider): grpc.UntypedServiceImplementation {
  const oldInputs = (request: proto.DiffRequest): Decoded =>
    props(request.getOldInputs() ?? request.getOlds());
  return {
    checkConfig: unary((request: proto.CheckRequest) =>
      checkResponse(provider.checkConfig(props(request.getNews()))),
    ),
    diffConfig: unary((request: proto.DiffRequest) =>
      diffResponse(provider.diffConfig(oldInputs(request), props(request.getNews()))),
    ),
    check: unary((request: proto.CheckRequest) =>
      checkResponse(provider.check(typeOf(request.getUrn()), props(request.getNews()))),
    ),
    diff: unary((request: proto.DiffRequest) => {
      const difference = provider.diff(
        typeOf(request.getUrn()),
        oldInputs(request),
        props(request.getNews()),
      );
      return diffResponse(difference.changes, difference);
    }),
  };
}

function resourceCalls(provider: Provider, callOf: CallOf): grpc.UntypedServiceImplementation {
  return {
    create: unary(async (request: proto.CreateRequest, secrets) => {
      const inputs = props(request.getProperties());
      const call = callOf(request.getUrn(), secrets, inputs);
      const { id, properties } = await provider.create(
        typeOf(request.getUrn()),
        inputs,
        request.getPreview(),
        call,
      );
      const response = new proto.CreateResponse();
      response.setId(id);
      response.setProperties(struct(properties));
      return response;
    }),
    read: unary(async (request: proto.ReadRequest, secrets) => {
      const [inputs, olds] = [props(request.getInputs()), props(request.getProperties())];
      const call = callOf(request.getUrn(), secrets, inputs, olds);
      const found = await provider.read(typeOf(request.getUrn()), request.getId(), inputs, olds, call);
      const response = new proto.ReadResponse();
      // No id: gone.
      if (!found) return response;
      response.setId(found.id);
      response.setInputs(struct(found.inputs));
      response.setProperties(struct(found.properties));
      return response;
    }),
    update: unary(async (request: proto.UpdateRequest, secrets) => {
      const [olds, news] = [props(request.getOlds()), props(request.getNews())];
      const oldInputs = props(request.getOldInputs() ?? request.getOlds());
      const call = callOf(request.getUrn(), secrets, olds, oldInputs, news);
      const type = typeOf(request.getUrn());
      const properties = await provider.update(
        type,
        request.getId(),
        olds,
        oldInputs,
        news,
        request.getPreview(),
        call,
      );
      const response = new proto.UpdateResponse();
      response.setProperties(struct(properties));
      return response;
    }),
    delete: unary(async (request: proto.DeleteRequest, secrets) => {
      const [olds, oldInputs] = [props(request.getProperties()), props(request.getOldInputs())];
      const call = callOf(request.getUrn(), secrets, olds, oldInputs);
      await provider.delete(typeOf(request.getUrn()), request.getId(), olds, oldInputs, call);
      return new Empty();
    }),
  };
}

function functionCalls(provider: Provider, callOf: CallOf): grpc.UntypedServiceImplementation {
  return {
    invoke: unary(async (request: proto.InvokeRequest, secrets) => {
      const args = props(request.getArgs());
      const { result, failures } = await provider.invoke(
        request.getTok(),
        args,
        request.getPreview(),
        callOf("", secrets, args),
      );
      const response = new proto.InvokeResponse();
      response.setFailuresList(failuresOf(failures));
      if (result) response.setReturn(struct({ value: result, secrets: [] }));
      return response;
    }),
  };
}

/** Serves on a free loopback port. Messages may be large: a state holds whole files. */
export async function serve(provider: Provider, log: EngineLog): Promise<{ port: number; stop(): void }> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": 400 << 20,
    "grpc.max_send_message_length": 400 << 20,
  });
  server.addService(ResourceProviderService, implementation(provider, log));
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return { port, stop: () => server.forceShutdown() };
}
