/** What the hub can be asked, and the shapes of questions and answers: written by the hub's own tests, with a few shorter names. */
import type { Announced, Content } from "./generated";

export type * from "./generated";

/** One part of a message. */
export type Part = Content;
export type MediaPart = Extract<Content, { type: "media" }>;
export type EventPart = Extract<Content, { type: "event" }>;
/** A change and its number. */
export type Change = Announced;
export type ChangeKind = Change["kind"];
