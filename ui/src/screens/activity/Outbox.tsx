import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Connection, DeliveryRow } from "../../bindings";
import { Button } from "../../components/Button";
import { ChannelMark } from "../../components/ChannelMark";
import { Chip } from "../../components/Chip";
import { EmptyState } from "../../components/EmptyState";
import { Skeleton } from "../../components/Skeleton";
import { deliveries } from "../../queries/activity";
import { deliveryReason } from "../../words/delivery";
import { sentence } from "../../words/error";
import { ActivityList } from "./ActivityList";
import { tickWord } from "./arrivalWords";
import { DeliveryOpen } from "./DeliveryOpen";
import { Panes } from "./Panes";
import { Quiet, Row } from "./Row";

export type OutboxFilter = "attention" | "all";
type Props = {
  filter: OutboxFilter;
  connection: string | undefined;
  connections: Connection[];
  open: string | undefined;
  onOpen: (id: string | undefined) => void;
  onAll: () => void;
  now: number;
};

/** What waits for a person: given up, refused or not sure. */
export function useAttention(connection: string | undefined) {
  const parked = useInfiniteQuery(deliveries({ status: "parked", connection }));
  const unsure = useInfiniteQuery(deliveries({ status: "unconfirmed", connection }));
  const failed = useInfiniteQuery(deliveries({ status: "failed", connection }));
  const all = [parked, unsure, failed];
  const items = useMemo(() => {
    const found = new Map<string, DeliveryRow>();
    for (const pages of [parked.data, unsure.data, failed.data])
      for (const page of pages?.pages ?? []) for (const one of page.items) found.set(one.id, one);
    return [...found.values()].sort((one, other) => other.sent_at - one.sent_at);
  }, [parked.data, unsure.data, failed.data]);
  return {
    items,
    ready: all.every((one) => one.data !== undefined),
    error: all.find((one) => one.isError)?.error,
    again: () => all.forEach((one) => void one.refetch()),
    more: () => {
      for (const one of all) if (one.hasNextPage && !one.isFetchingNextPage) void one.fetchNextPage();
    },
    hasMore: all.some((one) => one.hasNextPage),
  };
}

/** What goes out. First what a person must look at; everything on demand. */
export function Outbox({ filter, connection, connections, open, onOpen, onAll, now }: Props) {
  const { t } = useTranslation();
  const attention = useAttention(connection);
  const every = useInfiniteQuery({ ...deliveries({ connection }), enabled: filter === "all" });
  const items = filter === "all" ? (every.data?.pages.flatMap((page) => page.items) ?? []) : attention.items;
  const error = filter === "all" ? every.error : attention.error;
  const ready = filter === "all" ? every.data !== undefined : attention.ready;

  if (error)
    return (
      <EmptyState title={t("activity.unread")} text={sentence(error, t)}>
        <Button onClick={() => (filter === "all" ? void every.refetch() : attention.again())}>
          {t("common.try_again")}
        </Button>
      </EmptyState>
    );
  if (!ready) return <Skeleton rows={6} height={53} />;
  if (items.length === 0)
    return filter === "all" ? (
      <EmptyState title={t("activity.outbox_empty")} text={t("activity.outbox_empty_text")} />
    ) : (
      <EmptyState title={t("activity.outbox_well")} text={t("activity.outbox_well_text")}>
        <Button onClick={onAll}>{t("activity.outbox_all")}</Button>
      </EmptyState>
    );
  const opened = items.find((one) => one.id === open);
  const connectionOf = (id: string) => connections.find((one) => one.id === id);
  return (
    <Panes
      label={t("activity.opened")}
      onBack={() => onOpen(undefined)}
      list={
        <ActivityList
          label={t("activity.outbox")}
          items={items}
          keyOf={keyOf}
          open={open}
          onOpen={onOpen}
          onEnd={
            filter === "all"
              ? every.hasNextPage && !every.isFetchingNextPage
                ? () => void every.fetchNextPage()
                : undefined
              : attention.hasMore
                ? attention.more
                : undefined
          }
          draw={(one) => (
            <Row
              at={one.sent_at}
              now={now}
              mark={<ChannelMark connector={connectionOf(one.connection)?.connector ?? ""} size={20} />}
              title={one.contact || t("activity.somebody")}
              below={deliveryReason(one.reason, t) ?? one.preview}
              state={<DeliveryMark delivery={one} />}
            />
          )}
        />
      }
      opened={
        opened ? (
          <DeliveryOpen
            key={opened.id}
            delivery={opened}
            name={connectionOf(opened.connection)?.name ?? ""}
            connector={connectionOf(opened.connection)?.connector ?? ""}
          />
        ) : null
      }
    />
  );
}

const keyOf = (one: DeliveryRow) => one.id;

export function DeliveryMark({ delivery }: { delivery: DeliveryRow }) {
  const { t } = useTranslation();
  if (delivery.parked)
    return (
      <Chip look="bad" small>
        {t("activity.verdict.parked")}
      </Chip>
    );
  const word = tickWord(delivery.status, t);
  if (delivery.status === "failed")
    return (
      <Chip look="bad" small>
        {word}
      </Chip>
    );
  if (delivery.status === "unconfirmed")
    return (
      <Chip look="wait" small>
        {t("activity.unsure")}
      </Chip>
    );
  if (delivery.status === "queued" || delivery.status === "sending") return <Chip small>{word}</Chip>;
  return <Quiet>{word}</Quiet>;
}
