/** Changes to functions' services: others change them as well, and the engine may be at work on the change before. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "./engine";
import { ApiError, EngineError } from "./errors";
import { isUnderWay } from "./rollout";
import { isFunction } from "./status";
import type { ServiceRecord } from "./records";

/** Attempts to change a service that others change as well (the gateway scales while a client deploys). */
const ATTEMPTS = 5;
const POLL_MS = 250;

export interface How {
  /** Answer 409 instead of 404 if the name belongs to a service that is not a function. */
  sayTaken?: boolean;
  /** Wait for the end of the update before, no longer than this time of the clock. Without it nothing is waited for. */
  settledUntil?: number;
}

export class Changes {
  constructor(private readonly engine: Engine) {}

  /** @throws ApiError 404; 409 where the name is another service's, when that is to be said */
  async find(name: string, sayTaken = false): Promise<ServiceRecord> {
    const service = await this.engine.findService(name);
    if (service && !isFunction(service) && sayTaken) throw taken(name);
    if (!service || !isFunction(service)) throw new ApiError(404, `No such function: ${name}`);
    return service;
  }

  /**
   * Reads a function's service and lets `action` change it; once more when somebody else did so in between.
   * @throws ApiError 404, and 409 when the name is taken or the update before does not end in time
   */
  async change(
    name: string,
    { sayTaken, settledUntil }: How,
    action: (service: ServiceRecord) => Promise<void>,
  ): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const service = await this.settled(name, settledUntil, sayTaken);
      try {
        return await action(service);
      } catch (error) {
        if (!(error instanceof EngineError) || error.status !== 409 || attempt === ATTEMPTS) throw error;
        await sleep(50 * attempt);
      }
    }
  }

  /**
   * The function, once no update of it is under way where that is waited for. The engine takes the spec before a change for the one to
   * roll back to: changed in the middle of an update that fails, a function would be left with the version that fails.
   * @throws ApiError 404, 409
   */
  async settled(name: string, until?: number, sayTaken?: boolean): Promise<ServiceRecord> {
    for (;;) {
      const service = await this.find(name, sayTaken);
      if (until === undefined || !(await this.isUpdating(service))) return service;
      if (Date.now() >= until) throw updating(name);
      await sleep(POLL_MS);
    }
  }

  async isUpdating(service: ServiceRecord): Promise<boolean> {
    return isUnderWay(service, ({ ID }) => this.engine.listTasks(ID));
  }
}

export function updating(name: string): ApiError {
  return new ApiError(
    409,
    `${name} is being updated, and cannot be changed or scaled before that has ended; try again`,
  );
}

export function taken(name: string): ApiError {
  return new ApiError(409, `${name} is the name of a service that is not a function; choose another`);
}
