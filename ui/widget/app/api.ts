/** The hub's routes, as calls. Every failure is a `WidgetError`; nothing is retried here. */
import { type Draft, type Page, type Sent, WidgetError } from "../shared/wire";

export interface Api {
  messages(token: string, after: string | null, options: { wait?: number; signal?: AbortSignal }): Promise<Page>;
  send(token: string, draft: Draft): Promise<Sent>;
  ticket(token: string): Promise<string>;
  stream(ticket: string, cursor: string | null, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  typing(token: string, on: boolean): Promise<void>;
  read(token: string, upTo: string): Promise<void>;
}

/** `root` ends with a slash: `https://…/widget/v1/`. */
export function api(root: string): Api {
  async function call(
    method: string,
    path: string,
    token: string | null,
    body?: unknown,
    limit = 15_000,
    signal?: AbortSignal,
  ): Promise<Response> {
    const stop = new AbortController();
    const abort = () => stop.abort();
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    const timer = setTimeout(abort, limit);
    let answer: Response;
    try {
      answer = await fetch(root + path, {
        method,
        cache: "no-store",
        credentials: "omit",
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: stop.signal,
      });
    } catch (e) {
      throw new WidgetError(0, signal?.aborted ? "aborted" : "unreachable", String(e));
    } finally {
      // The time limit is for the answer to begin; a stream then goes on, and is cut by `signal` alone.
      clearTimeout(timer);
      if (!path.startsWith("stream")) signal?.removeEventListener("abort", abort);
    }
    if (answer.ok) return answer;
    const told = (await answer.json().catch(() => ({}))) as {
      error?: unknown;
      message?: unknown;
      retry_after?: unknown;
    };
    const wait = Number(answer.headers.get("retry-after") ?? told.retry_after);
    throw new WidgetError(
      answer.status,
      typeof told.error === "string" ? told.error : "unknown",
      typeof told.message === "string" ? told.message : "",
      wait > 0 ? wait : undefined,
    );
  }

  async function json<T>(answer: Response, good: (body: T) => boolean): Promise<T> {
    const body: unknown = await answer.json().catch(() => null);
    // A tunnel's own page with a 200: the shop itself was not reached.
    if (typeof body !== "object" || body === null || !good(body as T))
      throw new WidgetError(0, "unreachable", "not the hub's answer");
    return body as T;
  }

  return {
    async messages(token, after, { wait, signal }) {
      const query = new URLSearchParams({ limit: "50" });
      if (after !== null) query.set("after", after);
      if (wait) query.set("wait", String(wait));
      const answer = await call(
        "GET",
        `messages?${query}`,
        token,
        undefined,
        wait ? (wait + 12) * 1000 : 15_000,
        signal,
      );
      return json<Page>(answer, (b) => Array.isArray(b.messages));
    },
    async send(token, draft) {
      return json<Sent>(await call("POST", "messages", token, draft), (b) => typeof b.id === "string");
    },
    async ticket(token) {
      return (
        await json<{ ticket: string }>(await call("POST", "ticket", token, {}), (b) => typeof b.ticket === "string")
      ).ticket;
    },
    async stream(ticket, cursor, signal) {
      const query = new URLSearchParams({ ticket });
      if (cursor !== null) query.set("cursor", cursor);
      const answer = await call("GET", `stream?${query}`, null, undefined, 15_000, signal);
      if (!answer.body || !answer.headers.get("content-type")?.startsWith("text/event-stream"))
        throw new WidgetError(0, "no_stream", "the stream was replaced on its way");
      return answer.body;
    },
    async typing(token, on) {
      await call("POST", "typing", token, { state: on ? "on" : "off" });
    },
    async read(token, upTo) {
      await call("POST", "read", token, { up_to: upTo });
    },
  };
}
