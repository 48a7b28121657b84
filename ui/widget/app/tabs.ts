/**
 * Several tabs of one visitor share one stream: browsers allow six connections to a plain HTTP/1.1 server.
 *
 * The leader holds a Web Lock and passes on what it hears. The tab that the visitor looks at takes the lock, since
 * browsers put hidden tabs to sleep. Without Web Locks or BroadcastChannel each tab has its own stream, which is
 * only less thrifty: messages are told apart by their ids.
 */
export type Lead = (leading: boolean) => void;

export class Tabs<T> {
  private readonly channel: BroadcastChannel | null;
  private release: (() => void) | null = null;
  private closed = false;

  constructor(
    private readonly name: string,
    heard: (message: T) => void,
    private readonly lead: Lead,
  ) {
    this.channel = "locks" in navigator && "BroadcastChannel" in globalThis ? new BroadcastChannel(name) : null;
    if (this.channel) this.channel.onmessage = (e: MessageEvent<T>) => heard(e.data);
    this.request(false);
  }

  get leading(): boolean {
    return this.release !== null;
  }

  say(message: T): void {
    this.channel?.postMessage(message);
  }

  /** Takes the lead from whichever tab has it. */
  take(): void {
    if (!this.leading && !this.closed) this.request(true);
  }

  close(): void {
    this.closed = true;
    this.channel?.close();
    this.release?.();
  }

  private request(steal: boolean): void {
    if (!this.channel) {
      this.release = () => undefined;
      this.lead(true);
      return;
    }
    let mine = false;
    navigator.locks
      .request(this.name, steal ? { steal } : {}, () => {
        // An earlier request of ours may be in the queue still: only one may count.
        if (this.closed || this.leading) return undefined;
        mine = true;
        return new Promise<void>((resolve) => {
          this.release = resolve;
          this.lead(true);
        });
      })
      .catch(() => {
        if (!mine || this.closed) return;
        // Another tab took it.
        this.release = null;
        this.lead(false);
        this.request(false);
      });
  }
}
