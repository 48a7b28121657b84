/** What an arrival was, in words: from what it did, since the hub keeps no other description of it. */
import type { TFunction } from "i18next";
import type { Arrival } from "../../bindings";
import { effectsOf, messagesOf } from "./effects";

export function arrivalTitle(arrival: Arrival, t: TFunction): string {
  const effects = effectsOf(arrival.effects);
  const messages = messagesOf(effects).length;
  const ticks = effects.filter((one) => one.effect === "status").length;
  const changed = effects.filter((one) => one.effect === "changed").length;
  if (arrival.verdict === "pending") return t("activity.title.pending");
  if (arrival.verdict === "parked") return t("activity.title.parked");
  if (messages > 0) return t("activity.title.messages", { count: messages });
  if (changed > 0) return t("activity.title.changed", { count: changed });
  if (ticks > 0) return t("activity.title.ticks", { count: ticks });
  if (arrival.verdict === "not_understood") return t("activity.title.not_understood");
  if (arrival.verdict === "repeat") return t("activity.title.repeat");
  const nothing = effects.find((one) => one.effect === "nothing");
  return nothing ? t("activity.title.nothing_of", { what: nothing.what }) : t("activity.title.nothing");
}

/** The reason, where there is one; else how far the ticks came; else nothing. */
export function arrivalReason(arrival: Arrival, t: TFunction): string | undefined {
  if (arrival.reason) return arrival.reason;
  const effects = effectsOf(arrival.effects);
  const lost = effects.find((one) => one.effect === "not_understood");
  if (lost) return lost.why;
  const ticks = effects.filter((one) => one.effect === "status").map((one) => one.status);
  return ticks.length > 0 ? ticks.map((one) => tickWord(one, t)).join(", ") : undefined;
}

const ticks = ["queued", "sending", "unconfirmed", "sent", "delivered", "read", "failed"] as const;

export function tickWord(status: string, t: TFunction): string {
  const known = ticks.find((one) => one === status);
  return known ? t(`delivery.${known}`) : status;
}

/** What a replay would do, before it is done. */
export function replayWords(arrival: Arrival, t: TFunction): string {
  switch (arrival.verdict) {
    case "not_understood":
      return t("activity.replay_text.not_understood");
    case "parked":
      return t("activity.replay_text.parked");
    case "pending":
      return t("activity.replay_text.pending");
    case "nothing":
      return t("activity.replay_text.nothing");
    case "handled":
    case "repeat":
      return t("activity.replay_text.handled");
  }
}
