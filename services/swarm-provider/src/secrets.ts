/** Functions' secrets: swarm secrets that carry OpenFaaS's label. Their values go in and never come out. */
import * as z from "zod";
import { SECRET_NAME } from "../../../shared/names";
import { type Engine, OWNER_LABEL, OWNER_VALUE } from "./engine";
import type { SecretRecord } from "./records";
import { ApiError, EngineError, invalid } from "./errors";
import type { Functions } from "./functions";
import { byName, engineName, SECRET_NAME_LABEL, SECRET_VERSION_LABEL, versionOf } from "./secretVersions";
import { isFunction, secretsInUse } from "./status";

/** The engine takes no more. */
const MOST_BYTES = 500 * 1024;

const shape = z.object({
  name: z.string("is required: the secret's name").regex(SECRET_NAME.form, SECRET_NAME.phrase),
  namespace: z.string().nullish(),
  value: z.string().nullish(),
  /** Base64, for what is not text. */
  rawValue: z.base64("must be base64").nullish(),
});

type SecretRequest = z.infer<typeof shape>;

/** Attempts to find a version that was not taken in the meantime. */
const ATTEMPTS = 5;

export interface SecretsOptions {
  network: string;
  /** How often to look whether superseded values can go, in ms. Default 5000: an update takes at least its monitor, 10 s. */
  sweepMs?: number;
}

export class Secrets {
  private sweeping?: NodeJS.Timeout;
  private closed = false;

  constructor(
    private readonly engine: Engine,
    private readonly functions: Pick<Functions, "settleUsers" | "replaceSecret">,
    private readonly options: SecretsOptions,
  ) {}

  async list(): Promise<{ name: string; namespace: string }[]> {
    const names = [...byName(await this.owned()).keys()].sort();
    return names.map((name) => ({ name, namespace: this.options.network }));
  }

  /** @throws ApiError 400, 409 when the name is in use */
  async create(body: unknown): Promise<void> {
    const { name, ...request } = this.parse(body);
    const data = valueOf(request);
    const exists = new ApiError(409, `secret ${name} already exists; PUT gives it another value`);
    if (byName(await this.owned()).has(name)) throw exists;
    try {
      await this.engine.createSecret(name, data, { [OWNER_LABEL]: OWNER_VALUE });
    } catch (error) {
      throw error instanceof EngineError && error.status === 409 ? exists : error;
    }
  }

  /**
   * Makes a new version, and rolls every function that uses an older one; the older ones go when the last of these updates has
   * succeeded, since one that fails goes back to them. To be repeated when it fails half way.
   * Nothing is made while one of these functions is still being updated: a refusal leaves all as it was.
   * @returns the functions that are rolled
   * @throws ApiError 404, 409 when such an update does not end in time
   */
  async replace(body: unknown): Promise<string[]> {
    const { name, ...request } = this.parse(body);
    const data = valueOf(request);
    const older = byName(await this.owned()).get(name);
    if (!older) throw new ApiError(404, `No such secret: ${name}`);
    await this.functions.settleUsers(older);
    await this.createVersion(name, versionOf(older[0]!) + 1, data);
    const versions = byName(await this.owned()).get(name) ?? [];
    const rolled = await this.functions.replaceSecret(versions.slice(1), versions[0]!);
    this.sweepSoon();
    return rolled;
  }

  /** @throws ApiError 404, 409 when a function uses it */
  async remove(body: unknown): Promise<void> {
    const { name } = this.parse(body);
    const versions = byName(await this.owned()).get(name);
    if (!versions) throw new ApiError(404, `No such secret: ${name}`);
    const used = await this.used();
    if (versions.some(({ ID }) => used.has(ID))) throw inUse(name);
    for (const version of versions) await this.removeUnused(name, version);
  }

  /**
   * Removes values that have been replaced and that no function uses, or would go back to.
   * @returns how many are left for later
   */
  async sweep(): Promise<number> {
    const versions = [...byName(await this.owned()).values()];
    const superseded = versions.flatMap((all) => all.slice(1));
    if (superseded.length === 0) return 0;
    const used = await this.used();
    let left = 0;
    for (const { ID } of superseded) {
      const gone =
        !used.has(ID) &&
        (await this.engine.removeSecret(ID).then(
          () => true,
          () => false,
        ));
      if (!gone) left++;
    }
    return left;
  }

  /** Sweeps until nothing is left. Called at the start as well: the provider may have ended in the middle of it. */
  sweepSoon(): void {
    clearTimeout(this.sweeping);
    if (this.closed) return;
    this.sweeping = setTimeout(() => {
      this.sweep().then(
        (left) => left > 0 && this.sweepSoon(),
        () => this.sweepSoon(),
      );
    }, this.options.sweepMs ?? 5000).unref();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.sweeping);
  }

  /** Another who replaces the same secret at the same time may have taken the number; so may a secret of that very name. */
  private async createVersion(name: string, first: number, data: Buffer): Promise<void> {
    for (let version = first; ; version++) {
      const labels = {
        [OWNER_LABEL]: OWNER_VALUE,
        [SECRET_NAME_LABEL]: name,
        [SECRET_VERSION_LABEL]: String(version),
      };
      try {
        return await this.engine.createSecret(engineName(name, version), data, labels);
      } catch (error) {
        const taken = error instanceof EngineError && error.status === 409;
        if (!taken || version === first + ATTEMPTS - 1) throw error;
      }
    }
  }

  private async removeUnused(name: string, secret: SecretRecord): Promise<void> {
    try {
      await this.engine.removeSecret(secret.ID);
    } catch (error) {
      throw error instanceof EngineError && /in use/.test(error.message) ? inUse(name) : error;
    }
  }

  private async used(): Promise<Set<string>> {
    return new Set((await this.engine.listFunctions()).filter(isFunction).flatMap(secretsInUse));
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
    if (result.data.namespace && result.data.namespace !== this.options.network)
      throw invalid([`namespace: there is only ${this.options.network}; leave it out`]);
    return result.data;
  }
}

function inUse(name: string): ApiError {
  return new ApiError(
    409,
    `secret ${name} is in use by a function: remove the function, or deploy it without the secret, first`,
  );
}

function valueOf(request: Omit<SecretRequest, "name">): Buffer {
  const data = request.value ? Buffer.from(request.value) : Buffer.from(request.rawValue ?? "", "base64");
  if (data.length === 0) throw invalid(["value: is required, or rawValue as base64"]);
  if (data.length > MOST_BYTES)
    throw invalid([`value: has ${data.length} bytes; at most ${MOST_BYTES} are taken`]);
  return data;
}
