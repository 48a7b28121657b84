/**
 * Several tabs of one visitor share one stream: browsers allow six connections to a plain HTTP/1.1 server.
 *
 * The leader holds a Web Lock and passes on what it hears. The tab that the visitor looks at takes the lock, since
 * browsers put hidden tabs to sleep. Without Web Locks or BroadcastChannel each tab has its own stream, which is
 * only less thrifty: messages are told apart by their ids. Chromium refuses both to a frame that is cross-site to
 * the shop's page where the visitor blocks third-party storage, and refuses Web Locks by a rejection.
 */
export type Lead = (leading: boolean) => void;

export class Tabs<T> {
  private channel: BroadcastChannel | null;
  private release: (() => void) | null = null;
  private closed = false;

  constructor(
    private readonly name: string,
    heard: (message: T) => void,
    private readonly lead: Lead,
  ) {
    this.channel = openChannel(name);
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
      this.leadAlone();
      return;
    }
    let mine = false;
    const lock = async () =>
      navigator.locks.request(this.name, steal ? { steal } : {}, () => {
        // An earlier request of ours may be in the queue still: only one may count.
        if (this.closed || this.leading) return undefined;
        mine = true;
        return new Promise<void>((resolve) => {
          this.release = resolve;
          this.lead(true);
        });
      });
    lock().catch(() => {
      if (this.closed) return;
      if (mine) {
        // Another tab took it.
        this.release = null;
        this.lead(false);
        this.request(false);
        return;
      }
      // Refused, and no lock will ever be given here: a tab that waited for one would never hear the hub.
      this.leadAlone();
    });
  }

  /** Leads without asking other tabs, which do the same: what they would pass on is heard here already. */
  private leadAlone(): void {
    this.channel?.close();
    this.channel = null;
    if (this.leading) return;
    this.release = () => undefined;
    this.lead(true);
  }
}

/** The line between tabs, or `null` where tabs cannot find each other. */
function openChannel(name: string): BroadcastChannel | null {
  if (!("locks" in navigator && "BroadcastChannel" in globalThis)) return null;
  try {
    return new BroadcastChannel(name);
  } catch {
    return null;
  }
}
