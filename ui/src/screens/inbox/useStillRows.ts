import { useState } from "react";
import type { ConversationRow } from "../../bindings";

type Still = { rows: ConversationRow[]; waiting: number };

/**
 * Nothing moves under the cursor: while `held`, rows keep their order (their words stay fresh) and what is new waits behind
 * a count. Not held: the rows as they are.
 */
export function useStillRows(rows: ConversationRow[], held: boolean, list: string): Still & { release: () => void } {
  const [order, setOrder] = useState<{ list: string; ids: string[] } | null>(null);
  if (!held && order !== null) setOrder(null);
  if (held && (order === null || order.list !== list)) setOrder({ list, ids: rows.map((row) => row.id) });
  const release = () => setOrder({ list, ids: rows.map((row) => row.id) });
  if (!held || order === null || order.list !== list) return { rows, waiting: 0, release };
  return { ...still(rows, order.ids), release };
}

/** The rows in the order of `ids`; rows beyond it follow only where they were read later, further down. */
export function still(rows: ConversationRow[], ids: string[]): Still {
  const fresh = new Map(rows.map((row) => [row.id, row]));
  const known = new Set(ids);
  const kept = ids.flatMap((id) => fresh.get(id) ?? []);
  const lastKnown = rows.findLastIndex((row) => known.has(row.id));
  const above = rows.slice(0, lastKnown + 1).filter((row) => !known.has(row.id));
  const below = rows.slice(lastKnown + 1);
  const risen = risenRows(
    rows.filter((row) => known.has(row.id)),
    kept,
  );
  return { rows: [...kept, ...below], waiting: above.length + risen };
}

/** How many rows moved up over others: those that do not fit the old order any more. */
function risenRows(now: ConversationRow[], kept: ConversationRow[]): number {
  let risen = 0;
  let at = 0;
  const passed = new Set<string>();
  for (const row of now) {
    while (at < kept.length && passed.has(kept[at]?.id ?? "")) at += 1;
    if (kept[at]?.id === row.id) at += 1;
    else {
      risen += 1;
      passed.add(row.id);
    }
  }
  return risen;
}
