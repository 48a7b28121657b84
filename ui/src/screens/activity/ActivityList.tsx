import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { VirtualList, type VirtualListHandle } from "../../components/VirtualList";
import { useKey } from "../../keys/KeysProvider";
import { useFixedKeys } from "../useFixedKeys";
import styles from "./ActivityList.module.css";

type Props<T> = {
  label: string;
  items: T[];
  keyOf: (item: T) => string;
  open: string | undefined;
  onOpen: (id: string | undefined) => void;
  draw: (item: T) => ReactNode;
  onEnd: (() => void) | undefined;
};

/** Rows of 53 px. `j k` and the arrows go from one to the next; what is new waits while the pointer is in the list. */
export function ActivityList<T>({ label, items, keyOf, open, onOpen, draw, onEnd }: Props<T>) {
  const { t } = useTranslation();
  const list = useRef<VirtualListHandle>(null);
  const [inside, setInside] = useState(false);
  const { shown, fresh, show } = useHeld(items, keyOf, inside);
  const at = shown.findIndex((item) => keyOf(item) === open);
  const stop = at === -1 ? 0 : at;

  const go = (index: number) => {
    const item = shown[Math.max(0, Math.min(shown.length - 1, index))];
    if (item === undefined) return;
    onOpen(keyOf(item));
    list.current?.scrollTo(shown.indexOf(item));
  };
  const step = (by: number) => go(at === -1 ? 0 : at + by);
  const arrow = (by: number) => (event: KeyboardEvent) => {
    if (!inList()) return;
    event.preventDefault();
    step(by);
  };
  useKey("row_next", () => step(1));
  useKey("row_previous", () => step(-1));
  useFixedKeys({
    ArrowDown: arrow(1),
    ArrowUp: arrow(-1),
    Enter: (event) => {
      if (event.target instanceof HTMLElement && event.target.closest("button, a, summary, [tabindex='0']")) return;
      if (at === -1) go(0);
      else document.getElementById("opened")?.focus();
    },
    Escape: open === undefined ? undefined : () => onOpen(undefined),
  });
  // The row that the keys opened takes the focus, if the list had it.
  useEffect(() => {
    if (open === undefined || !inList()) return;
    const frame = requestAnimationFrame(() =>
      list.current?.element?.querySelector<HTMLElement>('[aria-current="true"]')?.focus({ preventScroll: true }),
    );
    return () => cancelAnimationFrame(frame);
  }, [open]);

  return (
    <div
      className={styles.place}
      data-pane
      tabIndex={-1}
      onPointerEnter={() => setInside(true)}
      onPointerLeave={() => setInside(false)}
    >
      {fresh > 0 ? (
        <button type="button" className={styles.fresh} onClick={show}>
          {t("activity.fresh", { count: fresh })}
        </button>
      ) : null}
      <VirtualList
        handle={list}
        items={shown}
        keyOf={keyOf}
        rowHeight={53}
        label={label}
        onEnd={onEnd}
        draw={(item, index) => (
          <button
            type="button"
            className={styles.row}
            data-row
            aria-current={keyOf(item) === open || undefined}
            tabIndex={index === stop ? 0 : -1}
            onClick={() => onOpen(keyOf(item))}
          >
            {draw(item)}
          </button>
        )}
      />
    </div>
  );
}

const inList = (): boolean => document.activeElement?.closest("[data-row]") !== null;

/** Holds back what is new at the head of the list while somebody points into it. */
function useHeld<T>(items: T[], keyOf: (item: T) => string, hold: boolean) {
  const [head, setHead] = useState<string>();
  const first = items[0];
  const newest = first === undefined ? undefined : keyOf(first);
  const held = hold && head !== undefined;
  const from = useMemo(() => (held ? items.findIndex((item) => keyOf(item) === head) : 0), [held, head, items, keyOf]);
  useEffect(() => {
    if (!hold) setHead(newest);
  }, [hold, newest]);
  useEffect(() => {
    if (from === -1) setHead(newest);
  }, [from, newest]);
  const fresh = Math.max(0, from);
  return { shown: fresh === 0 ? items : items.slice(fresh), fresh, show: () => setHead(newest) };
}
