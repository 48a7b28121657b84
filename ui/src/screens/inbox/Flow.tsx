import { useInfiniteQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { ArrowDown } from "lucide-react";
import { Fragment, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ConversationRow, Message } from "../../bindings";
import { Button } from "../../components/Button";
import { EmptyState } from "../../components/EmptyState";
import { Skeleton } from "../../components/Skeleton";
import { useAgentName } from "../../hooks/useAgentName";
import { useContactName } from "../../hooks/useContactName";
import { useNow } from "../../hooks/useNow";
import { messages } from "../../queries/conversations";
import type { Pending } from "../../queries/pending";
import { useTyping } from "../../queries/typing";
import { sentence } from "../../words/error";
import { dayName, nearDay, sameDay } from "../../words/time";
import styles from "./Flow.module.css";
import { MessageView } from "./MessageView";
import { TypingBubble } from "./TypingBubble";

type Props = {
  row: ConversationRow;
  pending: Pending[];
  onAgain: (clientKey: string) => void;
  onGiveUp: (clientKey: string) => void;
};

/** What was said, oldest on top. It stays at the end while one is at the end, and where one is otherwise. */
export function Flow({ row, pending, onAgain, onGiveUp }: Props) {
  const { t, i18n } = useTranslation();
  const now = useNow(60_000);
  const nameOf = useAgentName();
  const contactName = useContactName()(row.contact);
  const typing = useTyping(row.id);
  const agentName = row.owner.type === "agent" ? nameOf(row.owner.id, row.owner.name) : t("common.agent");
  const read = useInfiniteQuery(messages(row.id));
  const place = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const height = useRef(0);
  const [below, setBelow] = useState(0);
  const [unreadAtStart] = useState(row.unread);

  const all = useMemo(
    () => merged(read.data?.pages.flatMap((page) => page.items) ?? [], pending),
    [read.data, pending],
  );
  const firstUnread = useFirstUnread(all, unreadAtStart);
  const first = all[0]?.id;
  const last = all.at(-1);

  // Older messages grow the top: what is in sight stays in sight. (WebKitGTK has no scroll anchoring.)
  // biome-ignore lint/correctness/useExhaustiveDependencies: it runs when the first message becomes another.
  useLayoutEffect(() => {
    const flow = place.current;
    if (flow === null) return;
    if (!atEnd.current && height.current > 0) flow.scrollTop += flow.scrollHeight - height.current;
    height.current = flow.scrollHeight;
  }, [first]);

  const seen = useRef<string | undefined>(undefined);
  useLayoutEffect(() => {
    const flow = place.current;
    if (flow === null || last === undefined) return;
    const isNew = seen.current !== undefined && seen.current !== last.id;
    const opening = seen.current === undefined;
    seen.current = last.id;
    const line = flow.querySelector("[data-unread-line]");
    if (opening && line !== null) {
      line.scrollIntoView({ block: "start" });
      if (flow.scrollTop + flow.clientHeight >= flow.scrollHeight - 8) flow.scrollTop = flow.scrollHeight;
    } else if (opening || atEnd.current || last.id.startsWith("pending_")) flow.scrollTop = flow.scrollHeight;
    else if (isNew) setBelow((count) => count + 1);
    height.current = flow.scrollHeight;
  }, [last]);

  // Pictures and the composer change heights: the end stays the end.
  useEffect(() => {
    const flow = place.current;
    const inner = flow?.firstElementChild;
    if (!flow || !inner) return;
    const watch = new ResizeObserver(() => {
      if (atEnd.current) flow.scrollTop = flow.scrollHeight;
      height.current = flow.scrollHeight;
    });
    watch.observe(flow);
    watch.observe(inner);
    return () => watch.disconnect();
  }, []);

  const scrolled = () => {
    const flow = place.current;
    if (flow === null) return;
    atEnd.current = flow.scrollTop + flow.clientHeight >= flow.scrollHeight - 40;
    if (atEnd.current) setBelow(0);
    if (flow.scrollTop < 300 && read.hasNextPage && !read.isFetchingNextPage) {
      height.current = flow.scrollHeight;
      void read.fetchNextPage();
    }
  };

  return (
    <div className={styles.place}>
      <div
        ref={place}
        className={styles.flow}
        role="log"
        aria-label={t("inbox.messages")}
        aria-busy={read.isFetchingNextPage || undefined}
        tabIndex={0}
        onScroll={scrolled}
      >
        <div className={styles.inner}>
          {read.isPending ? <Skeleton rows={5} height={64} /> : null}
          {read.isError ? (
            <EmptyState title={t("inbox.unreadable")} text={sentence(read.error, t)}>
              <Button onClick={() => void read.refetch()}>{t("common.try_again")}</Button>
            </EmptyState>
          ) : null}
          {all.map((message, index) => {
            const before = all[index - 1];
            const newDay = before === undefined || !sameDay(before.sent_at, message.sent_at);
            return (
              <Fragment key={message.client_key ?? message.id}>
                {newDay ? <p className={styles.day}>{dayWords(message.sent_at, now, i18n.language, t)}</p> : null}
                {message.id === firstUnread ? (
                  <p className={styles.unread} data-unread-line>
                    {t("inbox.unread_line")}
                  </p>
                ) : null}
                <MessageView
                  message={message}
                  first={newDay || before === undefined || !sameRun(before, message)}
                  contactName={contactName}
                  onAgain={onAgain}
                  onGiveUp={onGiveUp}
                />
              </Fragment>
            );
          })}
          {typing === undefined ? null : (
            <TypingBubble agent={typing === "agent"} name={typing === "agent" ? agentName : contactName} />
          )}
        </div>
      </div>
      {below > 0 ? (
        <button
          type="button"
          className={styles.below}
          onClick={() => {
            const flow = place.current;
            if (flow !== null) flow.scrollTop = flow.scrollHeight;
          }}
        >
          <ArrowDown size={15} strokeWidth={2} aria-hidden />
          {t("inbox.new_messages", { count: below })}
        </button>
      ) : null}
    </div>
  );
}

/** Oldest first; what is pending here comes last, unless the hub lists it already. */
export function merged(newestFirst: Message[], pending: Pending[]): Message[] {
  const known = new Set(newestFirst.flatMap((one) => [one.id, one.client_key ?? ""]));
  const mine = pending.filter((one) => !known.has(one.id) && !known.has(one.client_key));
  return [...newestFirst.toReversed(), ...mine];
}

/** The id of the first message nobody had read when the conversation was opened. It does not move afterwards. */
function useFirstUnread(all: Message[], count: number): string | undefined {
  const [kept, setKept] = useState<string | null | undefined>(undefined);
  if (kept === undefined && all.length > 0) {
    const incoming = all.filter((one) => one.direction === "in");
    setKept(count > 0 ? (incoming[Math.max(0, incoming.length - count)]?.id ?? null) : null);
  }
  return kept ?? undefined;
}

const idOf = (author: Message["author"]): string | null => ("id" in author ? author.id : null);

/** Do two messages belong to one turn of the same author? */
function sameRun(one: Message, other: Message): boolean {
  return (
    one.author.type === other.author.type &&
    idOf(one.author) === idOf(other.author) &&
    one.direction === other.direction &&
    one.author.type !== "system" &&
    other.sent_at - one.sent_at < 10 * 60_000
  );
}

function dayWords(at: number, now: number, language: string, t: TFunction): string {
  const day = dayName(at, now, language);
  const near = nearDay(at, now);
  return near === "other" ? day : t(`inbox.${near}`, { day });
}
