/** A hub that answers as a test says, and time that passes when a test says. */
import type { Api } from "../app/api";
import { type Draft, type Message, type Page, type Sent, WidgetError } from "../shared/wire";

export const unreachable = () => new WidgetError(0, "unreachable", "");

export function message(n: number, more: Partial<Message> = {}): Message {
  return {
    id: `msg_${n}`,
    cursor: `m_${n}`,
    role: "bot",
    author: { name: "Nina" },
    parts: [{ type: "markdown", text: `text ${n}` }],
    created_at: n,
    ...more,
  };
}

/** One event as it comes down the stream. */
export const sse = (type: string, data: unknown, id?: string) =>
  `${id ? `id: ${id}\n` : ""}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;

export class FakeHub implements Api {
  stored: Message[] = [];
  up = true;
  streamMode: "open" | "refused" = "open";
  oldest = 0;
  expired = new Set<string>();
  calls: string[] = [];
  private streams: ReadableStreamDefaultController<Uint8Array>[] = [];

  private answer(call: string, token?: string): void {
    this.calls.push(call);
    if (!this.up) throw unreachable();
    if (token && this.expired.has(token)) throw new WidgetError(401, "session_expired", "");
  }

  async messages(
    token: string,
    after: string | null,
    { wait, signal }: { wait?: number; signal?: AbortSignal },
  ): Promise<Page> {
    this.answer(wait ? "poll" : "messages", token);
    const from = Number(after?.slice(2) ?? 0);
    if (after !== null && from < this.oldest) throw new WidgetError(409, "cursor_too_old", "");
    const found = () => this.stored.filter((m) => Number(m.cursor.slice(2)) > from);
    for (let i = 0; wait && found().length === 0 && i < wait * 10 && !signal?.aborted; i++)
      await new Promise((done) => setTimeout(done, 100));
    if (signal?.aborted) throw unreachable();
    const messages = found().slice(0, 50);
    return { messages, cursor: messages.at(-1)?.cursor ?? after };
  }

  async send(token: string, draft: Draft): Promise<Sent> {
    this.answer("send", token);
    const known = this.stored.find((m) => m.client_id === draft.client_id);
    const m =
      known ??
      message(this.stored.length + 1, {
        role: "visitor",
        client_id: draft.client_id,
        parts: [{ type: "markdown", text: draft.text }],
      });
    if (!known) this.say(m);
    return { id: m.id, client_id: draft.client_id, created_at: m.created_at };
  }

  say(m: Message): void {
    this.stored.push(m);
    this.push(sse("message", m, m.cursor));
  }

  push(text: string): void {
    for (const s of this.streams) s.enqueue(new TextEncoder().encode(text));
  }

  cut(): void {
    for (const s of this.streams.splice(0)) s.error(new TypeError("network"));
  }

  async ticket(token: string): Promise<string> {
    this.answer("ticket", token);
    return "ticket";
  }

  async stream(_ticket: string, cursor: string | null, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    this.answer(`stream ${cursor}`);
    if (this.streamMode === "refused") throw unreachable();
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.streams.push(controller);
        controller.enqueue(new TextEncoder().encode("retry: 3000\n\n"));
        signal.addEventListener("abort", () => {
          if (!this.streams.includes(controller)) return;
          this.streams = this.streams.filter((s) => s !== controller);
          controller.error(new TypeError("aborted"));
        });
      },
    });
  }

  async typing(): Promise<void> {}
  async read(): Promise<void> {}
}
