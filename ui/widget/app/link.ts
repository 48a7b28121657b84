/**
 * The line to the hub: catches up, follows the stream, and comes back after whatever cut it.
 *
 * One loop, one state. Each round makes sure of a session, reads everything after the cursor, and then follows the
 * stream from there, so no message can fall between a read and a stream. If plain reads work but the stream does
 * not (a tunnel that buffers, a proxy that refuses), it asks with long polls instead and tries the stream again
 * later.
 */
import { type Config, type Page, type Session, type StreamEvent, WidgetError } from "../shared/wire";
import type { Api } from "./api";
import { backoff } from "./outbox";
import type { Pause } from "./pause";
import { readEvents, type SseEvent } from "./sse";

export type LinkState = "starting" | "live" | "waiting";

export interface LinkDeps {
  api: Api;
  pause: Pause;
  /** Asks the page for a session. */
  session(fresh: boolean): Promise<Session>;
  /** The hub took us in, perhaps as somebody new. */
  welcomed(session: Session, changedVisitor: boolean): void;
  page(page: Page): void;
  event(event: StreamEvent): void;
  state(state: LinkState): void;
  /** What was shown so far is to be read again from the beginning. */
  forget(): void;
  /** Caught up and ready: send what waits. */
  ready(): void;
  now(): number;
}

/** A heartbeat comes every 20 s; twice that without a byte is a dead line. */
const PATIENCE = 45_000;
/** How long a stream may stay without its first byte before it counts as held back. */
const FIRST_BYTE = 25_000;
/** After this long on polls the stream gets another chance. */
const STREAM_AGAIN = 300_000;
/** Seconds of one long poll. */
const POLL = 25;
const PAGE = 50;

export class Link {
  cursor: string | null = null;
  current: Session | null = null;
  /** The loop that runs; an older one that wakes up late sees that it is not meant any more. */
  private loop: object | null = null;
  private stopRound = new AbortController();
  private attempt = 0;
  private streamFailures = 0;
  private pollUntil = 0;
  private state: LinkState = "starting";
  private renewing: Promise<Session> | null = null;
  private lastByte = 0;

  constructor(private readonly deps: LinkDeps) {}

  /** Runs until `stop`. */
  async run(): Promise<void> {
    if (this.loop) return;
    const loop = {};
    this.loop = loop;
    while (this.loop === loop) {
      const stop = new AbortController();
      this.stopRound = stop;
      try {
        await this.round(stop.signal);
      } catch (e) {
        if (this.loop === loop && !stop.signal.aborted) await this.recover(e);
      }
    }
  }

  stop(): void {
    this.loop = null;
    this.stopRound.abort();
    this.deps.pause.wake();
  }

  /** Something changed for the better: do not wait any longer; drop a line that may be dead. */
  poke(): void {
    this.deps.pause.wake();
    if (this.state === "live" && this.deps.now() - this.lastByte > 25_000) this.stopRound.abort();
  }

  /** The device says that it is offline. A shop on the same computer is there all the same: ask anew. */
  doubt(): void {
    if (this.state === "live") this.stopRound.abort();
  }

  /** A message we know to exist did not come by the stream: the stream is being held back. */
  distrustStream(): void {
    this.pollUntil = this.deps.now() + STREAM_AGAIN;
    this.stopRound.abort();
  }

  get polling(): boolean {
    return this.pollUntil > this.deps.now();
  }

  /** A usable session; concurrent callers share one request. */
  async session(): Promise<Session> {
    return this.current ?? this.renew(false);
  }

  renew(fresh: boolean): Promise<Session> {
    this.renewing ??= this.deps
      .session(fresh)
      .then((session) => {
        const changed = this.current !== null && this.current.visitor_id !== session.visitor_id;
        this.current = session;
        if (changed) this.restart();
        this.deps.welcomed(session, changed);
        return session;
      })
      .finally(() => {
        this.renewing = null;
      });
    return this.renewing;
  }

  /** Forgets the session and everything read with it. */
  reset(): void {
    this.current = null;
    this.restart();
    this.stopRound.abort();
    this.deps.pause.wake();
  }

  private restart(): void {
    this.cursor = null;
    this.deps.forget();
  }

  private async round(signal: AbortSignal): Promise<void> {
    await this.catchUp(signal);
    this.attempt = 0;
    this.lastByte = this.deps.now();
    this.become("live");
    this.deps.ready();
    if (this.polling) await this.poll(signal);
    else await this.follow(signal);
  }

  /** Reads everything after the cursor. */
  async catchUp(signal?: AbortSignal): Promise<void> {
    for (;;) {
      const { session } = await this.session();
      const page = await this.deps.api.messages(session, this.cursor, signal ? { signal } : {});
      this.take(page);
      if (page.messages.length < PAGE) return;
    }
  }

  private take(page: Page): void {
    this.deps.page(page);
    this.cursor = page.cursor ?? page.messages.at(-1)?.cursor ?? this.cursor;
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const began = this.deps.now();
    let bytes = false;
    try {
      const { session } = await this.session();
      const ticket = await this.deps.api.ticket(session);
      const stream = await this.deps.api.stream(ticket, this.cursor, signal);
      await readEvents(
        stream,
        () => (bytes ? PATIENCE : FIRST_BYTE),
        () => {
          bytes = true;
          this.streamFailures = 0;
          this.lastByte = this.deps.now();
        },
        (event) => this.receive(event),
      );
    } catch (e) {
      if (signal.aborted) throw e;
      if (!bytes && ++this.streamFailures >= 2) {
        this.streamFailures = 0;
        this.pollUntil = this.deps.now() + STREAM_AGAIN;
      }
      if (e instanceof WidgetError && e.status !== 0 && (e.passing || e.status === 401 || e.status === 409)) throw e;
    }
    // Cut, or ended by a proxy that has had enough: the next round's read tells whether the hub is there.
    if (this.deps.now() - began < 2000) await this.deps.pause.sleep(300 + backoff(0) / 2);
  }

  private async poll(signal: AbortSignal): Promise<void> {
    while (this.polling) {
      const began = this.deps.now();
      const { session } = await this.session();
      const page = await this.deps.api.messages(session, this.cursor, { wait: POLL, signal });
      this.lastByte = this.deps.now();
      this.take(page);
      // A hub or proxy that answers at once would make this a busy loop.
      if (page.messages.length === 0 && this.deps.now() - began < 1000) await this.deps.pause.sleep(2500);
    }
  }

  private receive(raw: SseEvent): void {
    let event: StreamEvent;
    try {
      event = { type: raw.type, data: JSON.parse(raw.data) } as StreamEvent;
    } catch {
      console.warn("Shopbell: an event could not be read", raw.type);
      return;
    }
    if (event.type === "reset") {
      this.restart();
      this.stopRound.abort();
      return;
    }
    this.deps.event(event);
    if (raw.id) this.cursor = raw.id;
    else if (event.type === "message") this.cursor = event.data.cursor ?? this.cursor;
  }

  private async recover(e: unknown): Promise<void> {
    const error = e instanceof WidgetError ? e : new WidgetError(0, "unreachable", String(e));
    if (error.status === 409) {
      this.restart();
      if (this.attempt++ === 0) return;
    }
    if (error.status === 401) {
      try {
        await this.renew(true);
        if (this.attempt++ === 0) return;
      } catch {
        // The page could not get one either: wait like for any other failure.
      }
    }
    this.become("waiting");
    await this.deps.pause.sleep(error.retryAfter ? error.retryAfter * 1000 : backoff(this.attempt++));
  }

  private become(state: LinkState): void {
    if (this.state === state) return;
    this.state = state;
    this.deps.state(state);
  }
}

export type { Config };
