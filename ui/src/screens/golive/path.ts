/** The way of a message, hop by hop, and the hop that is broken. */
import { callsHere, type Evidence, lastCall } from "./evidence";

export type HopId = "reach" | "hook" | "verified" | "fetched" | "understood" | "answered" | "delivered";
export type HopNote =
  | "deaf"
  | "no_address"
  | "address"
  | "rang"
  | "here"
  | "elsewhere"
  | "nowhere"
  | "not_told"
  | "trouble"
  | "refused"
  | "silent"
  | "fetches"
  | "not_fetched"
  | "read"
  | "unread"
  | "pending"
  | "no_agent"
  | "answer"
  | "person"
  | "failed"
  | "thinking"
  | "nothing"
  | "not_sent"
  | "sent"
  | "arrived"
  | "on_its_way";
/** `waiting`: nothing was seen there yet, good or bad. */
export type Hop = {
  id: HopId;
  state: "ok" | "broken" | "waiting";
  note: HopNote;
  at?: number | undefined;
  what?: string | undefined;
  said?: string | undefined;
};

/** Every hop, in the order in which a message takes them. */
export function path(evidence: Evidence): Hop[] {
  const begin = evidence.called ? [reach(evidence), hook(evidence), verified(evidence)] : [fetched(evidence)];
  return [...begin, understood(evidence), answered(evidence), delivered(evidence)];
}

/** Where it stops: the first hop that is broken, else the first that nothing has come past. */
export const stopsAt = (hops: Hop[]): Hop | undefined =>
  hops.find((one) => one.state === "broken") ?? hops.find((one) => one.state === "waiting");

function reach(evidence: Evidence): Hop {
  const { health } = evidence;
  const call = lastCall(evidence);
  if (health?.receiving === false)
    return { id: "reach", state: "broken", note: "deaf", said: health.receiving_reason ?? undefined };
  if (call) return { id: "reach", state: "ok", note: "rang", at: call.received_at };
  const url = health?.public_url;
  return url
    ? { id: "reach", state: "waiting", note: "address", what: url }
    : { id: "reach", state: "broken", note: "no_address" };
}

function hook(evidence: Evidence): Hop {
  const { hook: told, hookTrouble } = evidence;
  const call = lastCall(evidence);
  const error = told?.last_error ?? undefined;
  // A trouble without a moment stands until it is put right; one with a moment is over once something came after it.
  const errorAt = told?.last_error_at ?? undefined;
  const troubled = error !== undefined && (call === undefined || (errorAt !== undefined && errorAt > call.received_at));
  const here = callsHere(evidence);
  if (troubled) return { id: "hook", state: "broken", note: "trouble", said: error, at: errorAt };
  if (here) return { id: "hook", state: "ok", note: "here" };
  if (here === false && told?.confirmed_url)
    return { id: "hook", state: "broken", note: "elsewhere", what: told.confirmed_url };
  if (call) return { id: "hook", state: "ok", note: "rang", at: call.received_at };
  if (here === false) return { id: "hook", state: "broken", note: "nowhere" };
  return { id: "hook", state: "waiting", note: "not_told", said: hookTrouble };
}

function verified(evidence: Evidence): Hop {
  const { refusal } = evidence;
  const call = lastCall(evidence);
  if (refusal && (call === undefined || refusal.at > call.received_at))
    return { id: "verified", state: "broken", note: "refused", said: refusal.reason, at: refusal.at };
  return call
    ? { id: "verified", state: "ok", note: "rang", at: call.received_at }
    : { id: "verified", state: "waiting", note: "silent" };
}

function fetched({ connection, arrivals }: Evidence): Hop {
  if (connection.status !== "active")
    return { id: "fetched", state: "broken", note: "not_fetched", said: connection.reason ?? undefined };
  const at = arrivals[0]?.received_at ?? connection.last_proven_at ?? undefined;
  return at === undefined
    ? { id: "fetched", state: "waiting", note: "silent" }
    : { id: "fetched", state: "ok", note: "fetches", at };
}

function understood({ arrivals }: Evidence): Hop {
  const last = arrivals.find((one) => one.verdict !== "pending");
  if (last === undefined)
    return { id: "understood", state: "waiting", note: arrivals.length > 0 ? "pending" : "nothing" };
  const unread = last.verdict === "not_understood" || last.verdict === "parked";
  return unread
    ? { id: "understood", state: "broken", note: "unread", at: last.received_at, said: whyUnread(last) }
    : { id: "understood", state: "ok", note: "read", at: last.received_at };
}

function whyUnread(arrival: Evidence["arrivals"][number]): string | undefined {
  const effect = arrival.effects.find((one) => one.effect === "not_understood");
  return arrival.reason ?? (effect?.effect === "not_understood" ? effect.why : undefined);
}

function answered({ agent, model, conversation, turn }: Evidence): Hop {
  if (conversation === undefined)
    return agent === undefined
      ? { id: "answered", state: "broken", note: "no_agent" }
      : { id: "answered", state: "waiting", note: "nothing" };
  if (turn?.status === "failed")
    return { id: "answered", state: "broken", note: "failed", said: turn.error ?? model?.reason ?? undefined };
  if (turn?.status === "wanted" || turn?.status === "running")
    return { id: "answered", state: "waiting", note: "thinking" };
  if (turn) return { id: "answered", state: "ok", note: "answer", at: turn.ended_at ?? turn.wanted_at };
  if (conversation.owner.type === "person") return { id: "answered", state: "ok", note: "person" };
  return agent === undefined
    ? { id: "answered", state: "broken", note: "no_agent" }
    : { id: "answered", state: "waiting", note: "thinking" };
}

function delivered({ deliveries }: Evidence): Hop {
  const last = deliveries[0];
  if (last === undefined) return { id: "delivered", state: "waiting", note: "nothing" };
  if (last.parked || last.status === "failed")
    return { id: "delivered", state: "broken", note: "not_sent", at: last.sent_at, said: last.reason ?? undefined };
  if (last.status === "delivered" || last.status === "read")
    return { id: "delivered", state: "ok", note: "arrived", at: last.sent_at };
  // Not every service tells more than that it took a message.
  if (last.status === "sent") return { id: "delivered", state: "ok", note: "sent", at: last.sent_at };
  return { id: "delivered", state: "waiting", note: "on_its_way", said: last.reason ?? undefined };
}
