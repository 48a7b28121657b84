import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Bot, CheckCheck, CircleX, MessageSquare, RotateCcw } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Arrival, Turn } from "../../bindings";
import { call } from "../../bridge";
import { Button } from "../../components/Button";
import { Skeleton } from "../../components/Skeleton";
import { inTrouble } from "../../hooks/useDeliveryHelp";
import { useKey } from "../../keys/KeysProvider";
import { arrival as arrivalQuery, turns } from "../../queries/activity";
import { queryClient } from "../../queries/client";
import { messages } from "../../queries/messages";
import { deliveryReason } from "../../words/delivery";
import { sentence } from "../../words/error";
import { money } from "../../words/money";
import { size } from "../../words/size";
import { fullTime } from "../../words/time";
import { arrivalTitle, replayWords, tickWord } from "./arrivalWords";
import { effectsOf, messagesOf } from "./effects";
import styles from "./Open.module.css";
import { Path } from "./Path";
import { RawView } from "./RawView";
import { stationsOf } from "./stations";

type Props = { arrival: Arrival; name: string; onTurn: (id: string) => void };

/** One arrival: its way through the hub, what it did, and the request as it came. */
export function ArrivalOpen({ arrival, name, onTurn }: Props) {
  const { t, i18n } = useTranslation();
  const [replayed, setReplayed] = useState<string>();
  const whole = useQuery(arrivalQuery(arrival.id));
  const effects = effectsOf(arrival.effects);
  const said = messagesOf(effects);
  const conversation = said[0]?.conversation;
  const answers = useInfiniteQuery({ ...turns(conversation), enabled: conversation !== undefined });
  const talk = useInfiniteQuery({ ...messages(conversation ?? ""), enabled: conversation !== undefined });
  const lines = talk.data?.pages.flatMap((page) => page.items) ?? [];
  const answer = turnAfter(answers.data?.pages.flatMap((page) => page.items) ?? [], arrival.received_at);
  const sent = answer
    ? lines
        .filter((one) => one.direction === "out" && one.author.type === "agent" && one.delivery)
        .filter((one) => one.sent_at >= (answer.started_at ?? answer.wanted_at))
        .sort((one, other) => one.sent_at - other.sent_at)[0]
    : undefined;

  const replay = useMutation({
    mutationFn: () => call("replay_arrival", { id: arrival.id }),
    onSuccess: () => {
      setReplayed(t("activity.replayed"));
      void queryClient.invalidateQueries({ queryKey: ["arrivals"] });
    },
  });
  useKey("copy", () => void navigator.clipboard?.writeText(whole.data?.raw.body ?? ""));
  const textOf = (id: string) => {
    const part = lines.find((one) => one.id === id)?.content[0];
    return part && "text" in part && part.text ? `“${part.text}”` : t("activity.effect.message");
  };

  return (
    <>
      <header className={styles.head}>
        <div className="grow">
          <h2 className={styles.title}>{arrivalTitle(arrival, t)}</h2>
          <p className={styles.small}>
            {[name, fullTime(arrival.received_at, i18n.language), size(arrival.bytes, i18n.language)].join(" · ")}
          </p>
        </div>
        <Button busy={replay.isPending} disabled={arrival.verdict === "pending"} onClick={() => replay.mutate()}>
          <RotateCcw size={16} strokeWidth={1.8} aria-hidden />
          {t("activity.replay")}
        </Button>
      </header>
      <p className={styles.small} role="status">
        {replay.isError ? (
          <span className={styles.bad}>{sentence(replay.error, t)}</span>
        ) : (
          (replayed ?? replayWords(arrival, t))
        )}
      </p>
      {arrival.reason ? <p className={styles.reason}>{arrival.reason}</p> : null}
      <Path stations={stationsOf(arrival, answer, sent?.delivery ?? undefined, t, i18n.language)} />
      {effects.length > 0 || answer ? (
        <ul className={styles.effects}>
          {effects.map((one, n) => (
            <li key={n}>
              {one.effect === "status" ? (
                <CheckCheck size={16} strokeWidth={1.8} aria-hidden />
              ) : (
                <MessageSquare size={16} strokeWidth={1.8} aria-hidden />
              )}
              <span className="cut grow" dir="auto">
                {one.effect === "message"
                  ? textOf(one.message)
                  : one.effect === "status"
                    ? t("activity.effect.status", { status: tickWord(one.status, t) })
                    : one.effect === "nothing"
                      ? t("activity.effect.nothing", { what: one.what })
                      : one.effect === "not_understood"
                        ? one.why
                        : t(`activity.effect.${one.effect}`)}
              </span>
              {one.effect === "message" ? (
                <Link to="/inbox/$conversation" params={{ conversation: one.conversation }} className="link">
                  {t("activity.open_conversation")}
                </Link>
              ) : null}
            </li>
          ))}
          {answer ? (
            <li>
              <Bot size={16} strokeWidth={1.8} aria-hidden />
              <span className="grow">
                {t("activity.turn_line", {
                  tokens: new Intl.NumberFormat(i18n.language).format(
                    answer.usage.input_tokens + answer.usage.output_tokens,
                  ),
                  cost: money(answer.cost_micro_usd, i18n.language, t),
                })}
              </span>
              <button type="button" className="link" onClick={() => onTurn(answer.id)}>
                {t("activity.see_turn")}
              </button>
            </li>
          ) : null}
          {sent?.delivery && inTrouble(sent.delivery) ? (
            <li>
              <CircleX size={16} strokeWidth={1.8} aria-hidden className={styles.bad} />
              <span className="grow" dir="auto">
                {deliveryReason(sent.delivery.reason, t) || t("inbox.no_reason")}
              </span>
              <Link to="/activity" search={{ show: "outbox", of: "all", open: sent.delivery.id }} className="link">
                {t("help.see_why")}
              </Link>
            </li>
          ) : null}
        </ul>
      ) : null}
      {whole.isError ? (
        <p className={styles.reason}>{sentence(whole.error, t)}</p>
      ) : whole.data === undefined ? (
        <Skeleton rows={3} height={53} />
      ) : (
        <RawView raw={whole.data.raw} />
      )}
    </>
  );
}

/** The answer to what arrived at `at`: the first one that was not finished by then. */
function turnAfter(list: Turn[], at: number): Turn | undefined {
  return list
    .filter((one) => (one.ended_at ?? Number.POSITIVE_INFINITY) >= at)
    .sort((one, other) => one.wanted_at - other.wanted_at)[0];
}
