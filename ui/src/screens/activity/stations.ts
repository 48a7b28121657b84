/** The five stations of an arrival, each from what is written down about it. */
import type { TFunction } from "i18next";
import { Bot, CheckCheck, Database, MessageSquare, ShieldCheck } from "lucide-react";
import type { Arrival, Delivery, Turn } from "../../bindings";
import { clock } from "../../words/time";
import { tickWord } from "./arrivalWords";
import { effectsOf, messagesOf } from "./effects";
import type { Station } from "./Path";

export function stationsOf(
  arrival: Arrival,
  answer: Turn | undefined,
  sent: Delivery | undefined,
  t: TFunction,
  language: string,
): Station[] {
  const messages = messagesOf(effectsOf(arrival.effects)).length;
  const { verdict } = arrival;
  const read = verdict === "pending" ? "now" : verdict === "not_understood" || verdict === "parked" ? "bad" : "done";
  const readWord =
    verdict === "pending"
      ? t("activity.station.waiting")
      : verdict === "not_understood" || verdict === "parked"
        ? t("activity.station.kept")
        : messages > 0
          ? t("activity.title.messages", { count: messages })
          : t(`activity.verdict.${verdict}`);
  return [
    {
      name: t("activity.station.verified"),
      below: t(arrival.method === "PULL" ? "activity.station.fetched" : "activity.station.signed"),
      icon: ShieldCheck,
      state: "done",
    },
    {
      name: t("activity.station.stored"),
      below: clock(arrival.received_at, language),
      icon: Database,
      state: "done",
    },
    { name: t("activity.station.understood"), below: readWord, icon: MessageSquare, state: read },
    answered(messages, answer, t, language),
    delivered(sent, answer, t),
  ];
}

function answered(messages: number, answer: Turn | undefined, t: TFunction, language: string): Station {
  const base = { name: t("activity.station.answered"), icon: Bot };
  if (answer === undefined)
    return { ...base, below: t(messages > 0 ? "activity.station.no_turn" : "activity.station.no_need"), state: "idle" };
  const word = t(`activity.turn_status.${answer.status}`);
  if (answer.status === "done" && answer.ended_at && answer.started_at) {
    const ms = Math.round(answer.ended_at - answer.started_at);
    const inSeconds = new Intl.NumberFormat(language, {
      style: "unit",
      unit: "second",
      unitDisplay: "short",
      maximumFractionDigits: 1,
    }).format(ms / 1000);
    const took = ms < 1000 ? t("activity.ms", { ms }) : inSeconds;
    return { ...base, below: [answer.agent_name, took].filter(Boolean).join(", "), state: "done" };
  }
  const state = answer.status === "failed" ? "bad" : answer.status === "done" ? "done" : "now";
  return {
    ...base,
    below: word,
    state: answer.status === "superseded" || answer.status === "stopped" ? "idle" : state,
  };
}

function delivered(sent: Delivery | undefined, answer: Turn | undefined, t: TFunction): Station {
  const base = { name: t("activity.station.delivered"), icon: CheckCheck };
  if (sent === undefined)
    return { ...base, below: answer?.status === "done" ? t("activity.station.unknown") : "–", state: "idle" };
  const bad = sent.status === "failed" || sent.parked;
  const waiting = sent.status === "queued" || sent.status === "sending" || sent.status === "unconfirmed";
  return { ...base, below: tickWord(sent.status, t), state: bad ? "bad" : waiting ? "now" : "done" };
}
