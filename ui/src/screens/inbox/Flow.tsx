import { useInfiniteQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { ArrowDown } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ConversationRow } from "../../bindings";
import { Button } from "../../components/Button";
import { EmptyState } from "../../components/EmptyState";
import { Skeleton } from "../../components/Skeleton";
import type { Place } from "../../components/useFromEnd";
import { VirtualList, type VirtualListHandle } from "../../components/VirtualList";
import { useAgentName } from "../../hooks/useAgentName";
import { useContactName } from "../../hooks/useContactName";
import { useNow } from "../../hooks/useNow";
import { messages } from "../../queries/messages";
import type { Pending } from "../../queries/pending";
import { useTyping } from "../../queries/typing";
import { sentence } from "../../words/error";
import { dayName, nearDay } from "../../words/time";
import styles from "./Flow.module.css";
import { countAfter, type FlowRow, firstOfLast, flowRows, guessedHeight, merged } from "./flow";
import { leftAt } from "./left";
import { MessageView } from "./MessageView";
import { NewMessages } from "./NewMessages";
import { TypingBubble } from "./TypingBubble";

type Props = {
  row: ConversationRow;
  onTemplate: () => void;
  /** Puts words into the composer. */
  onEdit: (words: string) => void;
  pending: Pending[];
  onAgain: (clientKey: string) => void;
  onGiveUp: (clientKey: string) => void;
};

const keyOf = (row: FlowRow) => row.key;
const room = [12, 12] as const;

/** What was said, oldest on top. It stays at the end while one is at the end, and where one is otherwise. */
export function Flow({ row, pending, onTemplate, onEdit, onAgain, onGiveUp }: Props) {
  const { t, i18n } = useTranslation();
  const now = useNow(60_000);
  const nameOf = useAgentName();
  const contactName = useContactName()(row.contact);
  const typing = useTyping(row.id);
  const agentName = row.owner.type === "agent" ? nameOf(row.owner.id, row.owner.name) : t("common.agent");
  const read = useInfiniteQuery(messages(row.id));
  const list = useRef<VirtualListHandle>(null);
  const [atEnd, setAtEnd] = useState(true);

  const all = useMemo(
    () => merged(read.data?.pages.flatMap((page) => page.items) ?? [], pending),
    [read.data, pending],
  );
  // The line stands where it stood when the conversation was opened.
  const [unreadAtStart] = useState(row.unread);
  const [firstUnread, setFirstUnread] = useState<{ id: string | undefined }>();
  if (firstUnread === undefined && all.length > 0) setFirstUnread({ id: firstOfLast(all, unreadAtStart) });
  const rows = useMemo(() => flowRows(all, firstUnread?.id, typing !== undefined), [all, firstUnread, typing]);

  const last = all.at(-1);
  const lastKey = last && (last.client_key ?? last.id);
  const [seen, setSeen] = useState<string>();
  if (atEnd && seen !== lastKey) setSeen(lastKey);
  const below = atEnd ? 0 : countAfter(rows, seen);
  const mine = last?.id.startsWith("pending_") ? lastKey : undefined;
  useEffect(() => {
    // Who writes wants to see it stand there.
    if (mine !== undefined) list.current?.scrollToEnd();
  }, [mine]);

  const [left] = useState(() => leftAt(row.id));
  const onPlace = useCallback(
    (place: Place | undefined) => {
      left.place = place;
      setAtEnd(place === undefined);
    },
    [left],
  );
  const { fetchNextPage } = read;
  const more = read.hasNextPage && !read.isFetching;
  const onStart = useMemo(() => (more ? () => void fetchNextPage() : undefined), [more, fetchNextPage]);
  const { id: connection, connector } = row.connection;
  const help = useMemo(
    () => ({ connection, connector, onTemplate, onEdit }),
    [connection, connector, onTemplate, onEdit],
  );
  const unreadRow = rows.findIndex((one) => one.type === "message" && one.unreadLine);

  if (rows.length === 0) {
    return (
      <div className={styles.place}>
        <div
          className={styles.flow}
          role="log"
          aria-label={t("inbox.messages")}
          aria-busy={read.isPending || undefined}
        >
          {read.isPending ? <Skeleton rows={5} height={64} /> : null}
          {read.isError ? (
            <EmptyState title={t("inbox.unreadable")} text={sentence(read.error, t)}>
              <Button onClick={() => void read.refetch()}>{t("common.try_again")}</Button>
            </EmptyState>
          ) : null}
        </div>
      </div>
    );
  }
  return (
    <div className={styles.place} aria-busy={read.isFetchingNextPage || undefined}>
      <VirtualList
        handle={list}
        className={styles.flow}
        label={t("inbox.messages")}
        items={rows}
        keyOf={keyOf}
        rowHeight={guessedHeight}
        room={room}
        more={read.hasNextPage}
        fromEnd={{ open: unreadRow >= 0 ? unreadRow : left.place, onPlace, onStart, heights: left.heights }}
        draw={(one) =>
          one.type === "typing" ? (
            <div className={styles.row}>
              <TypingBubble agent={typing === "agent"} name={typing === "agent" ? agentName : contactName} />
            </div>
          ) : (
            <div className={styles.row}>
              {one.newDay ? <p className={styles.day}>{dayWords(one.message.sent_at, now, i18n.language, t)}</p> : null}
              {one.unreadLine ? (
                <p className={styles.unread} data-unread-line>
                  {t("inbox.unread_line")}
                </p>
              ) : null}
              <MessageView
                message={one.message}
                first={one.first}
                contactName={contactName}
                help={help}
                onAgain={onAgain}
                onGiveUp={onGiveUp}
              />
            </div>
          )
        }
      />
      {atEnd ? null : (
        <button
          type="button"
          className={styles.below}
          data-new={below > 0 || undefined}
          onClick={() => list.current?.scrollToEnd()}
        >
          <ArrowDown size={15} strokeWidth={2} aria-hidden />
          {below > 0 ? t("inbox.new_messages", { count: below }) : <span className="sr-only">{t("inbox.to_end")}</span>}
        </button>
      )}
      <NewMessages all={all} contactName={contactName} />
    </div>
  );
}

function dayWords(at: number, now: number, language: string, t: TFunction): string {
  const day = dayName(at, now, language);
  const near = nearDay(at, now);
  return near === "other" ? day : t(`inbox.${near}`, { day });
}
