import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Arrival, Connection, Refusal, Verdict } from "../../bindings";
import { Button } from "../../components/Button";
import { ChannelMark } from "../../components/ChannelMark";
import { Chip } from "../../components/Chip";
import { EmptyState } from "../../components/EmptyState";
import { Skeleton } from "../../components/Skeleton";
import { arrivals, refusals } from "../../queries/activity";
import { sentence } from "../../words/error";
import { size } from "../../words/size";
import { ActivityList } from "./ActivityList";
import { ArrivalOpen } from "./ArrivalOpen";
import { arrivalReason, arrivalTitle } from "./arrivalWords";
import { Panes } from "./Panes";
import { RefusalOpen } from "./RefusalOpen";
import { Quiet, Row } from "./Row";

export type ArrivalFilter = Verdict | "refused" | "all";
type Entry = { id: string; at: number; arrival?: Arrival; refusal?: Refusal };
type Props = {
  filter: ArrivalFilter;
  connection: string | undefined;
  connections: Connection[];
  open: string | undefined;
  onOpen: (id: string | undefined) => void;
  onTurn: (id: string) => void;
  now: number;
};

/** Everything that rang, refused requests among it, newest first. */
export function Arrivals({ filter, connection, connections, open, onOpen, onTurn, now }: Props) {
  const { t, i18n } = useTranslation();
  const wanted = filter !== "refused";
  const verdict = filter === "all" || filter === "refused" ? undefined : filter;
  const came = useInfiniteQuery({ ...arrivals({ verdict, connection }), enabled: wanted });
  const refused = useInfiniteQuery({ ...refusals(), enabled: filter === "all" || filter === "refused" });
  const entries = useMemo(() => {
    const arrived: Entry[] = wanted
      ? (came.data?.pages.flatMap((page) => page.items) ?? []).map((arrival) => ({
          id: arrival.id,
          at: arrival.received_at,
          arrival,
        }))
      : [];
    const oldest = wanted && came.hasNextPage ? (arrived[arrived.length - 1]?.at ?? 0) : 0;
    const shut: Entry[] = (refused.data?.pages.flatMap((page) => page.items) ?? [])
      .filter((one) => !connection || one.connection === connection)
      .filter((one) => one.at >= oldest)
      .map((refusal, n) => ({ id: `refused-${refusal.at}-${n}`, at: refusal.at, refusal }));
    return filter === "all" || filter === "refused"
      ? [...arrived, ...shut].sort((one, other) => other.at - one.at)
      : arrived;
  }, [came.data, came.hasNextPage, refused.data, connection, filter, wanted]);

  const failed = wanted ? came : refused;
  if (failed.isError)
    return (
      <EmptyState title={t("activity.unread")} text={sentence(failed.error, t)}>
        <Button onClick={() => void failed.refetch()}>{t("common.try_again")}</Button>
      </EmptyState>
    );
  if (failed.data === undefined) return <Skeleton rows={10} height={53} />;
  if (entries.length === 0)
    return filter === "all" && !connection ? (
      <EmptyState title={t("activity.empty")} text={t("activity.empty_text")} />
    ) : (
      <EmptyState title={t("activity.none_such")} text={t("activity.none_such_text")} />
    );

  const more = wanted ? came : refused;
  const kindOf = (id: string | null | undefined) => connections.find((one) => one.id === id)?.connector ?? "";
  const nameOf = (id: string | null | undefined) =>
    connections.find((one) => one.id === id)?.name ?? t("activity.no_connection");
  const opened = entries.find((one) => one.id === open);

  return (
    <Panes
      label={t("activity.opened")}
      onBack={() => onOpen(undefined)}
      list={
        <ActivityList
          label={t("activity.arrivals")}
          items={entries}
          keyOf={keyOf}
          open={open}
          onOpen={onOpen}
          onEnd={more.hasNextPage && !more.isFetchingNextPage ? () => void more.fetchNextPage() : undefined}
          draw={({ at, arrival, refusal }) =>
            arrival ? (
              <Row
                at={at}
                now={now}
                mark={<ChannelMark connector={kindOf(arrival.connection)} size={20} />}
                title={arrivalTitle(arrival, t)}
                below={[
                  nameOf(arrival.connection),
                  arrivalReason(arrival, t) ?? size(arrival.bytes, i18n.language),
                ].join(" · ")}
                state={<VerdictMark verdict={arrival.verdict} />}
              />
            ) : refusal ? (
              <Row
                at={at}
                now={now}
                mark={<ChannelMark connector={kindOf(refusal.connection)} size={20} />}
                title={refusal.reason}
                below={t("activity.from", { address: refusal.address })}
                state={
                  <Chip look="bad" small>
                    {t("activity.verdict.refused")}
                  </Chip>
                }
              />
            ) : null
          }
        />
      }
      opened={
        opened?.arrival ? (
          <ArrivalOpen
            key={opened.id}
            arrival={opened.arrival}
            name={nameOf(opened.arrival.connection)}
            onTurn={onTurn}
          />
        ) : opened?.refusal ? (
          <RefusalOpen refusal={opened.refusal} name={nameOf(opened.refusal.connection)} />
        ) : null
      }
    />
  );
}

const keyOf = (entry: Entry) => entry.id;

/** Handled is quiet; only the unusual gets a chip. */
export function VerdictMark({ verdict }: { verdict: Verdict }) {
  const { t } = useTranslation();
  const word = t(`activity.verdict.${verdict}`);
  if (verdict === "handled" || verdict === "nothing") return <Quiet>{word}</Quiet>;
  const look = verdict === "not_understood" ? "wait" : verdict === "parked" ? "bad" : "plain";
  return (
    <Chip look={look} small>
      {word}
    </Chip>
  );
}
