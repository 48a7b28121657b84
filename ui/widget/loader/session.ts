/**
 * Opens the visitor's session from the shop's page, where the browser's `Origin` header tells the truth about
 * which site the widget stands on.
 */
import type { Refusal, SessionResult } from "../shared/bridge";
import type { Session } from "../shared/wire";
import type { Kept } from "./kept";

const NO_ANSWER: Refusal = { status: 0, code: "unreachable", message: "" };

export interface Opening {
  base: string;
  key: string;
  locale: string;
  /** A signed identity from the shop's own server, if it gave one. */
  jwt?: string | undefined;
}

/** One session at a time over all tabs: the second tab to ask resumes what the first one got. */
export async function openSession(
  opening: Opening,
  kept: Kept,
  fresh: boolean,
  last: string | null,
): Promise<SessionResult> {
  const ask = async (): Promise<SessionResult> => {
    const token = kept.get("session");
    // Another tab may already have replaced the token that the hub refused.
    const known = fresh && token === last ? null : token;
    const result = await post(opening, known);
    if ("ok" in result) {
      kept.set("session", result.ok.session);
      kept.set("talk", result.ok.conversation_id ? "1" : null);
    }
    return result;
  };
  return navigator.locks ? navigator.locks.request(`shopbell:${opening.key}`, ask) : ask();
}

async function post(o: Opening, session: string | null): Promise<SessionResult> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), 10_000);
  try {
    const answer = await fetch(`${o.base}/widget/v1/sessions`, {
      method: "POST",
      credentials: "omit",
      headers: { "content-type": "application/json" },
      signal: stop.signal,
      body: JSON.stringify({
        key: o.key,
        session: session ?? undefined,
        user_jwt: o.jwt,
        // Queries and fragments of addresses may hold other people's tokens: they stay on the page.
        page: {
          url: location.origin + location.pathname,
          title: document.title.slice(0, 200),
          referrer: document.referrer.split(/[?#]/)[0],
        },
        locale: o.locale,
        tz: Intl.DateTimeFormat().resolvedOptions().timeZone,
      }),
    });
    const body: unknown = await answer.json().catch(() => null);
    if (answer.ok && isSession(body)) return { ok: body };
    const { error, message, retry_after } = (body ?? {}) as {
      error?: unknown;
      message?: unknown;
      retry_after?: unknown;
    };
    const wait = Number(answer.headers.get("retry-after") ?? retry_after);
    return {
      refusal: {
        // A page of a tunnel or a proxy instead of our answer: the shop itself was not reached.
        status: answer.ok ? 0 : answer.status,
        code: typeof error === "string" ? error : "unreachable",
        message: typeof message === "string" ? message : "",
        ...(wait > 0 ? { retryAfter: wait } : {}),
      },
    };
  } catch {
    return { refusal: NO_ANSWER };
  } finally {
    clearTimeout(timer);
  }
}

function isSession(body: unknown): body is Session {
  const s = body as Partial<Session> | null;
  return typeof s?.session === "string" && typeof s.visitor_id === "string";
}
