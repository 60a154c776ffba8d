/** What a command prints, within bounds. */
import { StringDecoder } from "node:string_decoder";

/** What resources read back is far below this; more is a mistake, and memory has an end. */
const MAX_STDOUT = 16 * 1024 * 1024;
/** Of messages only the end is of use. */
const KEPT_STDERR = 64 * 1024;

export class Output {
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private stderr = "";
  private readonly outDecoder = new StringDecoder("utf8");
  private readonly errDecoder = new StringDecoder("utf8");
  private partial = "";

  constructor(private readonly onLine?: (line: string) => void) {}

  /** False when it is too much. */
  out(chunk: Buffer): boolean {
    this.size += chunk.length;
    if (this.size > MAX_STDOUT) return false;
    this.chunks.push(chunk);
    this.lines(this.outDecoder.write(chunk));
    return true;
  }

  err(chunk: Buffer): void {
    const text = this.errDecoder.write(chunk);
    this.stderr = (this.stderr + text).slice(-KEPT_STDERR);
    this.lines(text);
  }

  end(): { stdout: string; stderr: string } {
    if (this.partial !== "") this.onLine?.(this.partial);
    return { stdout: Buffer.concat(this.chunks).toString("utf8"), stderr: this.stderr };
  }

  private lines(text: string): void {
    if (!this.onLine) return;
    const parts = (this.partial + text).split("\n");
    this.partial = parts.pop() ?? "";
    for (const line of parts) this.onLine(line);
  }
}
