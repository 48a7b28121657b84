/**
 * What goes over the wire between a visitor's browser and the hub, under `<public base>/widget/v1/`.
 *
 * These are the shapes of the website channel; the hub is the authority. Everything read from the network is
 * checked at the point of use: a field that is missing or odd must never break the page it is shown on.
 */

export type Role = "agent" | "bot" | "visitor" | "system";

export interface ButtonOption {
  id: string;
  label: string;
}

export type Part =
  | { type: "markdown"; text: string }
  | { type: "buttons"; options: ButtonOption[] }
  | { type: "source"; title: string; quote: string }
  | { type: "image"; url: string; alt?: string }
  | { type: "file"; url: string; name: string; bytes?: number }
  | {
      type: "location";
      latitude: number;
      longitude: number;
      name?: string;
      address?: string;
    };

export interface Message {
  id: string;
  cursor: string;
  role: Role;
  author?: { name?: string | null } | null;
  parts: Part[];
  /** Unix milliseconds. */
  created_at: number;
  /** The id the visitor's browser gave it before it was sent. */
  client_id?: string | null;
}

export interface Choice {
  message_id: string;
  option_id: string;
}

/** What the visitor writes, as it is posted. */
export interface Draft {
  client_id: string;
  text: string;
  choice?: Choice;
}

export interface Theme {
  primary_color?: string;
  position?: string;
  greeting_message?: string;
}

export interface Config {
  /** The shop's name, shown in the header. */
  name?: string | null;
  theme?: Theme;
  greeting?: string | null;
  online?: boolean;
}

export interface Session {
  session: string;
  visitor_id: string;
  conversation_id: string | null;
  config: Config;
  cursor: string | null;
}

export interface Page {
  messages: Message[];
  cursor: string | null;
}

export interface Sent {
  id: string;
  client_id: string;
  created_at: number;
}

export type Handoff = "bot" | "human" | "queued";

export type StreamEvent =
  | { type: "message"; data: Message }
  | { type: "message_updated"; data: Message }
  | { type: "message_deleted"; data: { id: string } }
  | { type: "delta"; data: { id: string; seq: number; text: string; author?: { name?: string | null } } }
  | { type: "message_done"; data: { id: string } }
  | { type: "typing"; data: { role: Role; on: boolean; name?: string | null } }
  | { type: "read"; data: { role: Role; up_to: string } }
  | { type: "status"; data: { online?: boolean; handoff?: Handoff; position?: number | null; name?: string | null } }
  | { type: "config"; data: Config }
  | { type: "reset"; data: Record<string, never> };

/** A refusal or a failure. `status` 0 means that no answer came at all. */
export class WidgetError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Seconds the hub asked us to wait. */
    readonly retryAfter?: number,
  ) {
    super(message);
    this.name = "WidgetError";
  }

  /** Whether trying again later can help, without anything being changed. */
  get passing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** The longest text one message may have. */
export const TEXT_LIMIT = 4000;
