/**
 * What the visitor wrote and the hub has not yet confirmed.
 *
 * An item is kept in the page's storage before it is sent and dropped only after the hub answered. It carries its
 * own id, so sending it twice changes nothing; that is what makes reloads, second tabs and lost answers harmless.
 */

import { uuidv7 } from "../shared/uuid";
import { type Choice, type Draft, type Sent, WidgetError } from "../shared/wire";

export interface Item extends Draft {
  at: number;
  /** `sent` waits for its echo from the hub; `failed` waits for the visitor. */
  state: "waiting" | "sending" | "sent" | "failed";
  /** The code of the refusal. */
  reason?: string;
  /** The hub's id, once it has one. */
  id?: string;
}

export interface OutboxDeps {
  keep(name: string, value: string | null): void;
  /** Sends one message; throws a `WidgetError`. */
  send(draft: Draft): Promise<Sent>;
  /** Makes a new session after the hub said that the old one is over. */
  renew(): Promise<void>;
  changed(): void;
  delay(ms: number): Promise<void>;
}

export class Outbox {
  private readonly items = new Map<string, Item>();
  private flushing: Promise<void> | null = null;
  private attempt = 0;

  constructor(private readonly deps: OutboxDeps) {}

  /** In the order they were written. */
  list(): Item[] {
    return [...this.items.values()].sort((a, b) => (a.client_id < b.client_id ? -1 : 1));
  }

  /** Takes over what an earlier page or another tab kept. */
  adopt(name: string, value: string | null): void {
    const id = name.slice("out:".length);
    if (value === null) {
      // Another tab got it through; the hub's own message will follow.
      const item = this.items.get(id);
      if (item && item.state !== "sending") this.items.set(id, { ...item, state: "sent" });
    } else if (this.items.get(id)?.state !== "sending") {
      const item = read(id, value);
      if (item) this.items.set(id, item);
    }
    this.deps.changed();
  }

  add(text: string, choice?: Choice): Item {
    const item: Item = { client_id: uuidv7(), text, at: Date.now(), state: "waiting", ...(choice ? { choice } : {}) };
    this.put(item);
    void this.flush();
    return item;
  }

  retry(clientId: string): void {
    const item = this.items.get(clientId);
    if (!item) return;
    const { reason: _, ...rest } = item;
    this.put({ ...rest, state: "waiting" });
    void this.flush();
  }

  /** The hub's own copy has arrived: nothing is left to keep. */
  settle(clientId: string): void {
    if (!this.items.delete(clientId)) return;
    this.deps.keep(`out:${clientId}`, null);
  }

  clear(): void {
    for (const id of [...this.items.keys()]) this.settle(id);
    this.deps.changed();
  }

  /** Sends everything that waits, one after the other; a second call joins the first. */
  flush(): Promise<void> {
    this.flushing ??= this.run().finally(() => {
      this.flushing = null;
    });
    return this.flushing;
  }

  private async run(): Promise<void> {
    let renewed = false;
    for (;;) {
      const item = this.list().find((i) => i.state === "waiting");
      if (!item) return;
      this.put({ ...item, state: "sending" });
      try {
        const { client_id, text, choice } = item;
        const sent = await this.deps.send({ client_id, text, ...(choice ? { choice } : {}) });
        this.attempt = 0;
        renewed = false;
        this.sent(client_id, sent.id);
      } catch (e) {
        const error = e instanceof WidgetError ? e : new WidgetError(0, "unreachable", String(e));
        // Its echo may have come by the stream while the answer was lost.
        if (!this.items.has(item.client_id)) continue;
        if (error.status === 401 && !renewed) {
          renewed = true;
          this.put({ ...item, state: "waiting" });
          try {
            await this.deps.renew();
            continue;
          } catch {
            return;
          }
        }
        if (!error.passing) {
          this.put({ ...item, state: "failed", reason: error.code });
          continue;
        }
        this.put({ ...item, state: "waiting" });
        const wait = error.retryAfter ? error.retryAfter * 1000 : backoff(this.attempt++);
        await this.deps.delay(wait);
      }
    }
  }

  private sent(clientId: string, id: string): void {
    const item = this.items.get(clientId);
    this.deps.keep(`out:${clientId}`, null);
    if (item) this.items.set(clientId, { ...item, state: "sent", id });
    this.deps.changed();
  }

  private put(item: Item): void {
    this.items.set(item.client_id, item);
    const { state, ...rest } = item;
    this.deps.keep(`out:${item.client_id}`, JSON.stringify(state === "failed" ? { ...rest, state } : rest));
    this.deps.changed();
  }
}

function read(id: string, value: string): Item | null {
  try {
    const kept = JSON.parse(value) as Partial<Item>;
    if (typeof kept.text !== "string" || kept.client_id !== id) return null;
    return {
      ...kept,
      client_id: id,
      text: kept.text,
      at: Number(kept.at) || Date.now(),
      state: kept.state === "failed" ? "failed" : "waiting",
    };
  } catch {
    return null;
  }
}

/** Milliseconds before the next try: 1 s doubling to 30 s, of which the upper half is chance. */
export function backoff(attempt: number, random = Math.random): number {
  const top = Math.min(30_000, 1000 * 2 ** Math.min(attempt, 5));
  return Math.round(top / 2 + (random() * top) / 2);
}
