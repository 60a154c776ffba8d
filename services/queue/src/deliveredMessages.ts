/** Messages that are done: an acknowledgement may be lost with a connection, or with a NATS that was killed, and its message comes again. */
export class DeliveredMessages {
  private readonly ids = new Set<string>();

  /** @param limit how many are remembered, the newest ones */
  constructor(private readonly limit = 20_000) {}

  has(id: string): boolean {
    return this.ids.has(id);
  }

  add(id: string): void {
    this.ids.add(id);
    if (this.ids.size <= this.limit) return;
    const [oldest] = this.ids;
    this.ids.delete(oldest!);
  }
}
