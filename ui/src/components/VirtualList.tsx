import { measureElement, useVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, type ReactNode, type Ref, useEffect, useImperativeHandle, useRef } from "react";
import { type FromEnd, nearEnd, useFromEnd } from "./useFromEnd";

export type VirtualListHandle = {
  scrollTo: (index: number) => void;
  scrollToEnd: () => void;
  element: HTMLElement | null;
};

type Props<T> = {
  items: T[];
  keyOf: (item: T) => string;
  /** Every row is this high, so that the list never jumps. A function: a first guess; the row is measured when it is drawn. */
  rowHeight: number | ((item: T, index: number) => number);
  draw: (item: T, index: number) => ReactNode;
  label: string;
  className?: string | undefined;
  /** Called when the end comes near and there is more to read. */
  onEnd?: (() => void) | undefined;
  /** Read from its end: what comes on top moves nothing, and who is at the end stays at the end. */
  fromEnd?: FromEnd | undefined;
  /** Room above the first and below the last row. */
  room?: readonly [above: number, below: number];
  /** There is more of it than what was read. */
  more?: boolean | undefined;
  handle?: Ref<VirtualListHandle>;
};

/** A long list; only what is in sight is drawn. Screen readers are told the whole size. */
export function VirtualList<T>(props: Props<T>) {
  const { items, keyOf, rowHeight, draw, label, className, onEnd, fromEnd, room = [0, 0], more, handle } = props;
  const place = useRef<HTMLDivElement>(null);
  const measured = typeof rowHeight === "function";
  const keyAt = (index: number) => {
    const item = items[index];
    return item === undefined ? String(index) : keyOf(item);
  };
  const guess = (index: number) => {
    const item = items[index];
    if (typeof rowHeight === "number") return rowHeight;
    return item === undefined ? 0 : (fromEnd?.heights.get(keyOf(item)) ?? rowHeight(item, index));
  };
  const indexOf = (key: string) => items.findIndex((item) => keyOf(item) === key);
  const rows = useVirtualizer<HTMLDivElement, Element>({
    count: items.length,
    getScrollElement: () => place.current,
    estimateSize: guess,
    getItemKey: keyAt,
    overscan: 8,
    paddingStart: room[0],
    paddingEnd: room[1],
    ...(fromEnd
      ? {
          anchorTo: "end" as const,
          // The first drawing shows the rows it opens at, not those at the top.
          initialOffset: () => {
            const open = typeof fromEnd.open === "object" ? indexOf(fromEnd.open.key) : (fromEnd.open ?? -1);
            const above = items.slice(0, open < 0 ? items.length : open);
            return above.reduce((sum, _, index) => sum + guess(index), room[0]);
          },
          scrollEndThreshold: nearEnd,
          measureElement: (element, entry, instance) => {
            const height = measureElement(element, entry, instance);
            fromEnd.heights.set(keyAt(instance.indexFromElement(element)), height);
            return height;
          },
        }
      : {}),
  });
  const toEnd = useFromEnd(rows, place, indexOf, keyAt(items.length - 1), fromEnd);
  useImperativeHandle(handle, () => ({
    scrollTo: (index) => rows.scrollToIndex(index, { align: "auto" }),
    scrollToEnd: toEnd,
    element: place.current,
  }));

  const seen = rows.getVirtualItems();
  const first = seen[0]?.index;
  const last = seen[seen.length - 1]?.index;
  const onStart = fromEnd?.onStart;
  useEffect(() => {
    if (onEnd && last !== undefined && last >= items.length - 10) onEnd();
  }, [last, items.length, onEnd]);
  useEffect(() => {
    if (onStart && first !== undefined && first < 30) onStart();
  }, [first, onStart]);

  return (
    <div
      ref={place}
      className={className}
      style={fromEnd ? logPlace : listPlace}
      // What is drawn while one scrolls is no news: who uses it says what is new.
      {...(fromEnd ? { role: "log", "aria-live": "off", "aria-label": label, tabIndex: 0 } : {})}
    >
      <ul
        aria-label={fromEnd ? undefined : label}
        style={{ height: rows.getTotalSize(), paddingTop: seen[0]?.start ?? 0, ...(fromEnd ? logRows : {}) }}
      >
        {seen.map((row) => {
          const item = items[row.index];
          return item === undefined ? null : (
            <li
              key={row.key}
              ref={measured ? rows.measureElement : undefined}
              data-index={row.index}
              aria-setsize={more ? -1 : items.length}
              aria-posinset={row.index + 1}
              style={measured ? undefined : { height: row.size }}
            >
              {draw(item, row.index)}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

const listPlace: CSSProperties = { overflow: "hidden auto", minHeight: 0, flex: 1 };
/** A short conversation stands at the bottom. */
const logPlace: CSSProperties = { ...listPlace, display: "flex", flexDirection: "column" };
const logRows: CSSProperties = { flex: "none", marginTop: "auto" };
