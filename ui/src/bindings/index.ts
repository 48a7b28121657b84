/**
 * What the hub can be asked, and the shapes of questions and answers.
 *
 * `generated.ts` is written by the hub's own tests. What stands below are the commands that the hub does not list there yet;
 * each goes away when it appears in `generated.ts`.
 */
import type {
  Announced,
  Commands as Listed,
  Connector as ListedConnector,
  Content,
  Prerequisite,
  SetupStep,
} from "./generated";

export type * from "./generated";

/** A file in a message; what a later version may know about it besides is optional here. */
export type MediaPart = Extract<Content, { type: "media" }> & {
  width?: number | null;
  height?: number | null;
  transcript?: string | null;
};
/** One part of a message. */
export type Part = Exclude<Content, { type: "media" }> | MediaPart;
export type EventPart = Extract<Content, { type: "event" }>;
export type Connector = Omit<ListedConnector, "prerequisites" | "steps"> & {
  prerequisites: (Prerequisite & { url?: string | null })[];
  steps: (SetupStep & { url?: string | null })[];
};
/** A change and its number. */
export type Change = Announced;
export type ChangeKind = Change["kind"];

/** What one event of an arrival did. */
export type Effect =
  | { effect: "message"; message: string; conversation: string }
  | { effect: "repeat"; message?: string | null }
  | { effect: "changed"; message: string }
  | { effect: "status"; delivery: string; status: string }
  | { effect: "nothing"; what: string }
  | { effect: "not_understood"; why: string };

type NotYetListed = {
  website_snippet: [{ id: string }, { snippet: string; test_page_url: string }];
};

/** Every command: what it takes, what it gives. What the hub itself lists counts. */
export type Commands = Listed & Omit<NotYetListed, keyof Listed>;
