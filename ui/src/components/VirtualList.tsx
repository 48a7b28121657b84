import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, type Ref, useEffect, useImperativeHandle, useRef } from "react";

export type VirtualListHandle = { scrollTo: (index: number) => void; element: HTMLElement | null };

type Props<T> = {
  items: T[];
  keyOf: (item: T) => string;
  /** Every row is this high, so that the list never jumps. */
  rowHeight: number;
  draw: (item: T, index: number) => ReactNode;
  label: string;
  className?: string | undefined;
  /** Called when the end comes near and there is more to read. */
  onEnd?: (() => void) | undefined;
  handle?: Ref<VirtualListHandle>;
};

/** A long list of equal rows; only what is in sight is drawn. Screen readers are told the whole size. */
export function VirtualList<T>({ items, keyOf, rowHeight, draw, label, className, onEnd, handle }: Props<T>) {
  const place = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => place.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => {
      const item = items[index];
      return item === undefined ? index : keyOf(item);
    },
    overscan: 8,
  });
  const seen = rows.getVirtualItems();
  const last = seen[seen.length - 1]?.index ?? 0;
  useEffect(() => {
    if (onEnd && items.length > 0 && last >= items.length - 10) onEnd();
  }, [last, items.length, onEnd]);
  useImperativeHandle(handle, () => ({
    scrollTo: (index) => rows.scrollToIndex(index, { align: "auto" }),
    element: place.current,
  }));

  return (
    <div ref={place} className={className} style={{ overflow: "auto", minHeight: 0, flex: 1 }}>
      <ul aria-label={label} style={{ height: rows.getTotalSize(), position: "relative" }}>
        {seen.map((row) => {
          const item = items[row.index];
          return item === undefined ? null : (
            <li
              key={row.key}
              aria-setsize={items.length}
              aria-posinset={row.index + 1}
              style={{
                position: "absolute",
                insetInline: 0,
                top: 0,
                height: rowHeight,
                transform: `translateY(${row.start}px)`,
              }}
            >
              {draw(item, row.index)}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
