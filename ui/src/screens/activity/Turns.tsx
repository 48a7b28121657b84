import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Turn } from "../../bindings";
import { Avatar } from "../../components/Avatar";
import { Button } from "../../components/Button";
import { Chip } from "../../components/Chip";
import { EmptyState } from "../../components/EmptyState";
import { Skeleton } from "../../components/Skeleton";
import { turns } from "../../queries/activity";
import { sentence } from "../../words/error";
import { money } from "../../words/money";
import { ActivityList } from "./ActivityList";
import { Panes } from "./Panes";
import { Quiet, Row } from "./Row";
import { TurnOpen } from "./TurnOpen";

type Props = { open: string | undefined; onOpen: (id: string | undefined) => void; now: number };

/** Every answer of an agent, newest first. */
export function Turns({ open, onOpen, now }: Props) {
  const { t, i18n } = useTranslation();
  const list = useInfiniteQuery(turns());
  if (list.isError)
    return (
      <EmptyState title={t("activity.unread")} text={sentence(list.error, t)}>
        <Button onClick={() => void list.refetch()}>{t("common.try_again")}</Button>
      </EmptyState>
    );
  if (list.data === undefined) return <Skeleton rows={10} height={53} />;
  const items = list.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return <EmptyState title={t("activity.no_turns")} text={t("activity.no_turns_text")} />;

  const line = (one: Turn) => {
    if (one.error) return one.error;
    const took =
      one.ended_at && one.started_at ? t("activity.ms", { ms: Math.round(one.ended_at - one.started_at) }) : undefined;
    const tokens = t("activity.tokens", { count: one.usage.input_tokens + one.usage.output_tokens });
    return [took, tokens, money(one.cost_micro_usd, i18n.language, t)].filter(Boolean).join(" · ");
  };
  return (
    <Panes
      label={t("activity.opened")}
      onBack={() => onOpen(undefined)}
      list={
        <ActivityList
          label={t("activity.turns")}
          items={items}
          keyOf={keyOf}
          open={open}
          onOpen={onOpen}
          onEnd={list.hasNextPage && !list.isFetchingNextPage ? () => void list.fetchNextPage() : undefined}
          draw={(one) => (
            <Row
              at={one.started_at ?? one.wanted_at}
              now={now}
              mark={<Avatar name={one.agent_name ?? ""} bot size={20} />}
              title={t("activity.turn_of", { name: one.agent_name ?? t("agents.the_agent") })}
              below={line(one)}
              state={<TurnMark turn={one} />}
            />
          )}
        />
      }
      opened={open ? <TurnOpen key={open} id={open} /> : null}
    />
  );
}

const keyOf = (one: Turn) => one.id;

function TurnMark({ turn }: { turn: Turn }) {
  const { t } = useTranslation();
  const word = t(`activity.turn_status.${turn.status}`);
  if (turn.status === "done") return <Quiet>{word}</Quiet>;
  return (
    <Chip small look={turn.status === "failed" ? "bad" : turn.status === "running" ? "agent" : "plain"}>
      {word}
    </Chip>
  );
}
