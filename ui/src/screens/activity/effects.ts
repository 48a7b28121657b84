/** Reads what an arrival did, as the hub wrote it down; what this version does not know stays as it is. */
import type { Effect } from "../../bindings";

const known = new Set(["message", "repeat", "changed", "status", "nothing", "not_understood"]);

export const effectsOf = (list: Record<string, unknown>[]): Effect[] =>
  list.filter((one) => typeof one.effect === "string" && known.has(one.effect)) as Effect[];

/** The effects that name a conversation: where messages went. */
export const messagesOf = (effects: Effect[]): Extract<Effect, { effect: "message" }>[] =>
  effects.filter((one) => one.effect === "message");
