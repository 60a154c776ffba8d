/** Functions' secrets: swarm secrets that carry OpenFaaS's label. Their values go in and never come out. */
import { z } from "zod";
import { isSecretName } from "./deployment";
import type { Engine, SecretRecord } from "./engine";
import { ApiError, EngineError, invalid } from "./errors";

export const OWNER_LABEL = "com.openfaas.owner";
export const OWNER_VALUE = "openfaas";

/** The engine takes no more. */
const MOST_BYTES = 500 * 1024;

const shape = z.object({
  name: z
    .string("is required: the secret's name")
    .refine(isSecretName, "must be letters, digits, dots and dashes"),
  namespace: z.string().nullish(),
  value: z.string().nullish(),
  /** Base64, for what is not text. */
  rawValue: z.base64("must be base64").nullish(),
});

type SecretRequest = z.infer<typeof shape>;

export class Secrets {
  constructor(
    private readonly engine: Engine,
    private readonly network: string,
  ) {}

  async list(): Promise<{ name: string; namespace: string }[]> {
    const secrets = await this.owned();
    return secrets
      .map((secret) => ({ name: secret.Spec.Name, namespace: this.network }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws ApiError 400, 409 when the name is in use */
  async create(body: unknown): Promise<void> {
    const request = this.parse(body);
    const data = valueOf(request);
    try {
      await this.engine.createSecret(request.name, data, { [OWNER_LABEL]: OWNER_VALUE });
    } catch (error) {
      if (error instanceof EngineError && error.status === 409)
        throw new ApiError(409, `secret ${request.name} is there already`);
      throw error;
    }
  }

  /**
   * A swarm's secret cannot change; one that no function uses is replaced.
   * @throws ApiError 404, 409 when a function uses it
   */
  async replace(body: unknown): Promise<void> {
    const request = this.parse(body);
    const data = valueOf(request);
    await this.removeUnused(request.name);
    await this.engine.createSecret(request.name, data, { [OWNER_LABEL]: OWNER_VALUE });
  }

  /** @throws ApiError 404, 409 when a function uses it */
  async remove(body: unknown): Promise<void> {
    await this.removeUnused(this.parse(body).name);
  }

  private async removeUnused(name: string): Promise<void> {
    const secret = (await this.owned()).find((each) => each.Spec.Name === name);
    if (!secret) throw new ApiError(404, `No such secret: ${name}`);
    try {
      await this.engine.removeSecret(secret.ID);
    } catch (error) {
      if (error instanceof EngineError && /in use/.test(error.message))
        throw new ApiError(
          409,
          `secret ${name} is in use by a function, and a swarm's secret cannot change: create one of another name, ` +
            "deploy the function with it, then remove this one",
        );
      throw error;
    }
  }

  private async owned(): Promise<SecretRecord[]> {
    return this.engine.listSecrets(`${OWNER_LABEL}=${OWNER_VALUE}`);
  }

  private parse(body: unknown): SecretRequest {
    const result = shape.safeParse(body ?? {});
    if (!result.success)
      throw invalid(
        result.error.issues.map((issue) => `${issue.path.join(".") || "the body"}: ${issue.message}`),
      );
    if (result.data.namespace && result.data.namespace !== this.network)
      throw invalid([`namespace: there is only ${this.network}; leave it out`]);
    return result.data;
  }
}

function valueOf(request: SecretRequest): Buffer {
  const data = request.value ? Buffer.from(request.value) : Buffer.from(request.rawValue ?? "", "base64");
  if (data.length === 0) throw invalid(["value: is required, or rawValue as base64"]);
  if (data.length > MOST_BYTES)
    throw invalid([`value: has ${data.length} bytes; at most ${MOST_BYTES} are taken`]);
  return data;
}
