import type { Virtualizer } from "@tanstack/react-virtual";
import { type RefObject, useEffect, useLayoutEffect, useRef } from "react";

/** Where somebody stands in a list: so many pixels below the top of a row. */
export type Place = { key: string; offset: number };

/** How a list is read that is read from its end, as a conversation is. */
export type FromEnd = {
  /** Where it opens: the row with this index on top, a place where one was before, or (`undefined`) at its end. */
  open?: number | Place | undefined;
  /** Told where one stands while one scrolls; `undefined` at the end. */
  onPlace: (place: Place | undefined) => void;
  /** Called when the beginning comes near and there is more to read. */
  onStart?: (() => void) | undefined;
  /** How high rows were, by their keys: read when it opens and written while it is looked at, so that a place is found again. */
  heights: Map<string, number>;
};

/** So near to the end counts as at the end. */
export const nearEnd = 40;

/**
 * Opens a list where it should open, and keeps it at its end while one is there. That what comes on top moves nothing is the
 * virtualizer's work (`anchorTo: "end"`). Returns the way to the end.
 */
export function useFromEnd(
  rows: Virtualizer<HTMLDivElement, Element>,
  place: RefObject<HTMLDivElement | null>,
  indexOf: (key: string) => number,
  lastKey: string,
  fromEnd: FromEnd | undefined,
): () => void {
  const on = fromEnd !== undefined;
  const atEnd = useRef(true);
  const latest = useRef(fromEnd);
  useLayoutEffect(() => {
    latest.current = fromEnd;
  });

  // It opens once, and then stands where it was put.
  // biome-ignore lint/correctness/useExhaustiveDependencies: at the first drawing only.
  useLayoutEffect(() => {
    if (!on) return;
    const open = latest.current?.open;
    const index = typeof open === "object" ? indexOf(open.key) : (open ?? -1);
    if (index < 0) {
      rows.scrollToEnd();
      return;
    }
    atEnd.current = false;
    if (typeof open !== "object") rows.scrollToIndex(index, { align: "start" });
    else rows.scrollToOffset((rows.getOffsetForIndex(index, "start")?.[0] ?? 0) + open.offset);
  }, []);

  useEffect(() => {
    const box = place.current;
    if (!on || box === null) return;
    let [height, view] = [box.scrollHeight, box.clientHeight];
    const scrolled = () => {
      // Rows that grew moved the end away; only a scroll leaves it.
      const grew = box.scrollHeight !== height || box.clientHeight !== view;
      [height, view] = [box.scrollHeight, box.clientHeight];
      if (!(atEnd.current && grew)) atEnd.current = height - view - box.scrollTop <= nearEnd;
      const item = atEnd.current ? undefined : rows.getVirtualItemForOffset(box.scrollTop);
      latest.current?.onPlace(item && { key: String(item.key), offset: box.scrollTop - item.start });
    };
    // In the capture phase: before the virtualizer, which draws at once, and whose drawing asks whether one is at the end.
    box.addEventListener("scroll", scrolled, { capture: true, passive: true });
    // The composer grows and shrinks below it: the end stays the end.
    const watch = new ResizeObserver(() => {
      if (atEnd.current) box.scrollTop = box.scrollHeight;
    });
    watch.observe(box);
    return () => {
      box.removeEventListener("scroll", scrolled, { capture: true });
      watch.disconnect();
    };
  }, [on, rows, place]);

  const total = rows.getTotalSize();
  // biome-ignore lint/correctness/useExhaustiveDependencies: it runs when the list has grown.
  useLayoutEffect(() => {
    if (on && atEnd.current) rows.scrollToEnd();
  }, [on, lastKey, total, rows]);

  return () => {
    atEnd.current = true;
    rows.scrollToEnd();
  };
}
