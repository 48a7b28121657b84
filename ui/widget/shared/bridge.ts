/**
 * The messages between the loader (on the shop's page) and the app (in the iframe).
 *
 * Both sides send to the other's exact origin and accept only what comes from that origin and that window. The
 * envelope carries a version, because the loader may be five minutes older than the app.
 */
import type { Config, Session } from "./wire";

export const BRIDGE = 1;

/** A failure as it crosses the frame; see `WidgetError`. */
export interface Refusal {
  status: number;
  code: string;
  message: string;
  retryAfter?: number;
}

export type SessionResult = { ok: Session } | { refusal: Refusal };

/** What the page knows and the frame needs in order to begin. */
export interface Init {
  locale: string;
  dir: "ltr" | "rtl";
  dark: boolean;
  color: string;
  greeting: string;
  /** The panel is open already. */
  open: boolean;
  /** Whether the panel fills the screen, as it does on a phone. */
  full: boolean;
  /** What is kept on the shop's page for this widget: outbox, draft, read mark. */
  kept: Record<string, string>;
}

export type ToApp =
  | ({ type: "init" } & Init)
  | { type: "session"; id: number; result: SessionResult }
  | { type: "opened"; full: boolean }
  | { type: "closed" }
  | { type: "look"; dark: boolean; color: string; dir: "ltr" | "rtl"; locale: string; full: boolean }
  | { type: "kept"; name: string; value: string | null }
  | { type: "reset" };

export type ToPage =
  | { type: "hello" }
  /** Ask for a session; `fresh` drops the one that the hub no longer knows. */
  | { type: "session"; id: number; fresh: boolean }
  | { type: "keep"; name: string; value: string | null }
  | { type: "unread"; count: number }
  | { type: "config"; config: Config }
  | { type: "close" };

export type Envelope<M> = M & { shopbell: typeof BRIDGE };

/** Whether `data` looks like one of our messages; the caller has checked window and origin. */
export function isEnvelope(data: unknown): data is { shopbell: number; type: string } {
  return (
    typeof data === "object" &&
    data !== null &&
    (data as { shopbell?: unknown }).shopbell === BRIDGE &&
    typeof (data as { type?: unknown }).type === "string"
  );
}

/** The names the frame may keep on the shop's page; everything else is refused. */
export const KEEPABLE = /^(out:[0-9a-f-]{36}|draft|read)$/;

/** The longest value that may be kept: a message of 4,000 characters in JSON, with room. */
export const KEEP_LIMIT = 32_000;
