/**
 * Which replicas can be called. To the engine a replica without a health check runs as soon as its process is there, while its
 * port opens later; the gateway, told of an available replica, would send the waiting call to a closed port. So a replica
 * counts from the first connection that it accepted.
 */
import { connect } from "node:net";
import { addressIn, type TaskRecord } from "./records";

/** Longest wait for one connection. A closed port answers at once. */
const CONNECT_MS = 500;

export type Probe = (address: string, port: number) => Promise<boolean>;

export class Readiness {
  private accepted = new Set<string>();

  constructor(
    private readonly network: string,
    private readonly port: number,
    private readonly probe: Probe = accepts,
  ) {}

  /** Those of `tasks` that run, are healthy where they have a health check, and have accepted a connection. */
  async ready(tasks: TaskRecord[]): Promise<TaskRecord[]> {
    const running = tasks.filter(
      ({ Status, DesiredState }) => Status.State === "running" && DesiredState === "running",
    );
    const answers = await Promise.all(running.map((task) => this.isReady(task)));
    return running.filter((_task, at) => answers[at]);
  }

  /** Forgets all but `tasks`: to be called with every task of every function. */
  keep(tasks: TaskRecord[]): void {
    const ids = new Set(tasks.map(({ ID }) => ID));
    this.accepted = new Set([...this.accepted].filter((id) => ids.has(id)));
  }

  private async isReady(task: TaskRecord): Promise<boolean> {
    if (this.accepted.has(task.ID)) return true;
    const address = addressIn(task, this.network);
    // Without an address in the functions' network there is nothing to ask; the engine's word has to do.
    const is = address === undefined || (await this.probe(address, this.port));
    if (is) this.accepted.add(task.ID);
    return is;
  }
}

/** True when a connection comes up. It is closed without a word. */
export function accepts(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.setTimeout(CONNECT_MS, () => end(false));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}
