import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Search, SlidersHorizontal, X } from "lucide-react";
import { type KeyboardEvent, type RefObject, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/Button";
import { EmptyState } from "../../components/EmptyState";
import { KeyHint } from "../../components/Kbd";
import { Segmented } from "../../components/Segmented";
import { Skeleton } from "../../components/Skeleton";
import { VirtualList, type VirtualListHandle } from "../../components/VirtualList";
import { useNow } from "../../hooks/useNow";
import { useKey } from "../../keys/KeysProvider";
import { conversationCounts, conversations } from "../../queries/conversations";
import { sentence } from "../../words/error";
import { ConversationItem } from "./ConversationItem";
import styles from "./ConversationList.module.css";
import { FilterChips, FilterMenu } from "./ListFilters";
import type { InboxSearch, Who } from "./search";
import { useStillRows } from "./useStillRows";

type Props = {
  open: string | undefined;
  search: InboxSearch;
  onOpen: (id: string | undefined) => void;
  /** Set here: opens the next or the previous conversation. */
  step: RefObject<(by: 1 | -1) => void>;
};

/** Who wrote, newest first. Nothing in it moves while the pointer is over it. */
export function ConversationList({ open, search, onOpen, step }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const now = useNow();
  const who: Who = search.who ?? "all";
  const status = search.status ?? "open";
  const counts = useQuery(conversationCounts());
  const list = useInfiniteQuery(
    conversations({
      owner: who === "all" ? undefined : who,
      status: status === "any" ? undefined : status,
      label: search.label,
      connection: search.connection,
      query: search.q,
    }),
  );
  const live = list.data?.pages.flatMap((page) => page.items) ?? [];
  const [over, setOver] = useState(false);
  const { rows, waiting, release } = useStillRows(live, over, JSON.stringify(search));
  const handle = useRef<VirtualListHandle>(null);
  const field = useRef<HTMLInputElement>(null);

  const set = (part: InboxSearch) => void navigate({ to: ".", search: { ...search, ...part }, replace: true });
  const filtered = status !== "open" || search.label !== undefined || search.connection !== undefined;
  const [words, setWords] = useState(search.q ?? "");
  useEffect(() => {
    if (words === (search.q ?? "")) return;
    const timer = setTimeout(() => {
      const { q: _, ...rest } = search;
      void navigate({ to: ".", search: words === "" ? rest : { ...rest, q: words }, replace: true });
    }, 200);
    return () => clearTimeout(timer);
  }, [words, search, navigate]);

  const move = (by: 1 | -1) => {
    const here = rows.findIndex((row) => row.id === open);
    const next = rows[here < 0 ? 0 : here + by];
    if (next === undefined) return;
    onOpen(next.id);
    handle.current?.scrollTo(rows.indexOf(next));
  };
  useEffect(() => {
    step.current = move;
  });
  useKey("next", () => move(1));
  useKey("previous", () => move(-1));
  useKey("search", () => field.current?.focus());

  const arrows = (event: KeyboardEvent) => {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const focused = (event.target as HTMLElement).closest<HTMLElement>("[data-row]")?.dataset.row;
    const next = rows[rows.findIndex((row) => row.id === focused) + by];
    if (next === undefined) return;
    handle.current?.scrollTo(rows.indexOf(next));
    requestAnimationFrame(() =>
      handle.current?.element?.querySelector<HTMLElement>(`[data-row="${next.id}"]`)?.focus(),
    );
  };
  const stop = rows.some((row) => row.id === open) ? open : rows[0]?.id;

  return (
    <section className={styles.list} aria-label={t("inbox.conversations")} data-pane tabIndex={-1}>
      <header className={styles.head}>
        <div className="row">
          <h2 className="grow">{t("inbox.title")}</h2>
          <FilterMenu search={search} onSearch={set} />
        </div>
        <div className={styles.search}>
          <Search size={16} strokeWidth={1.8} aria-hidden />
          <input
            ref={field}
            type="search"
            value={words}
            aria-label={t("inbox.search")}
            placeholder={t("inbox.search")}
            onChange={(event) => setWords(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Escape") {
                setWords("");
                event.currentTarget.blur();
              }
              if (event.key === "ArrowDown") arrows(event);
            }}
          />
          {words === "" ? (
            <KeyHint id="search" />
          ) : (
            <Button look="quiet" size="sm" icon aria-label={t("inbox.clear_search")} onClick={() => setWords("")}>
              <X size={15} strokeWidth={1.8} aria-hidden />
            </Button>
          )}
        </div>
        <Segmented<Who>
          fill
          label={t("inbox.which")}
          value={who}
          onValue={(value) => set({ who: value })}
          choices={[
            { value: "needs_person", label: t("inbox.needs_you"), count: counts.data?.needs_person, hot: true },
            { value: "mine", label: t("inbox.mine"), count: counts.data?.mine },
            { value: "agent", label: t("inbox.agent"), count: counts.data?.agent },
            { value: "all", label: t("inbox.all") },
          ]}
        />
        <FilterChips search={search} onSearch={set} />
      </header>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the pointer only holds the order; arrows move the focus. */}
      <div
        className={styles.place}
        onPointerEnter={(event) => event.pointerType === "mouse" && setOver(true)}
        onPointerLeave={() => setOver(false)}
        onKeyDown={arrows}
      >
        {waiting > 0 ? (
          <button type="button" className={styles.pill} onClick={release}>
            {t("inbox.new_rows", { count: waiting })}
          </button>
        ) : null}
        {list.isPending ? (
          <div className={styles.threads}>
            <Skeleton rows={9} />
          </div>
        ) : list.isError ? (
          <EmptyState title={t("inbox.list_error")} text={sentence(list.error, t)}>
            <Button onClick={() => void list.refetch()}>{t("common.try_again")}</Button>
          </EmptyState>
        ) : rows.length === 0 ? (
          <NobodyThere
            who={who}
            searched={search.q}
            filtered={filtered}
            onUnfilter={() => set({ status: undefined, label: undefined, connection: undefined })}
            holding={counts.data?.agent ?? 0}
            onAgent={() => set({ who: "agent" })}
          />
        ) : (
          <VirtualList
            handle={handle}
            className={styles.threads}
            label={t("inbox.conversations")}
            items={rows}
            keyOf={(row) => row.id}
            rowHeight={73}
            draw={(row) => (
              <ConversationItem row={row} now={now} open={row.id === open} tabStop={row.id === stop} onOpen={onOpen} />
            )}
            onEnd={list.hasNextPage && !list.isFetchingNextPage ? () => void list.fetchNextPage() : undefined}
          />
        )}
      </div>
    </section>
  );
}

function NobodyThere({
  who,
  searched,
  filtered,
  holding,
  onAgent,
  onUnfilter,
}: {
  who: Who;
  searched: string | undefined;
  filtered: boolean;
  holding: number;
  onAgent: () => void;
  onUnfilter: () => void;
}) {
  const { t } = useTranslation();
  if (searched)
    return (
      <EmptyState
        icon={<Search size={28} strokeWidth={1.6} />}
        title={t("inbox.not_found")}
        text={t("inbox.not_found_text", { words: searched })}
      />
    );
  if (filtered)
    return (
      <EmptyState
        icon={<SlidersHorizontal size={28} strokeWidth={1.6} />}
        title={t("inbox.filter_empty")}
        text={t("inbox.filter_empty_text")}
      >
        <Button onClick={onUnfilter}>{t("inbox.filter_clear")}</Button>
      </EmptyState>
    );
  if (who === "all") return <EmptyState title={t("inbox.empty")} text={t("inbox.empty_text")} />;
  return (
    <EmptyState title={t("inbox.nobody_waiting")} text={t("inbox.nobody_waiting_text", { count: holding })}>
      {holding > 0 && who !== "agent" ? <Button onClick={onAgent}>{t("inbox.look_over")}</Button> : null}
    </EmptyState>
  );
}
