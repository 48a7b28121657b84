/** Where one stood in a conversation when one left it, so that one comes back to it. Kept as long as the window is open. */
import type { Place } from "../../components/useFromEnd";

/** `place` is missing at the end. */
export type Left = { place: Place | undefined; heights: Map<string, number> };

/** So many conversations are remembered. */
const most = 30;
const all = new Map<string, Left>();

/** What is remembered of a conversation; to be written to. */
export function leftAt(conversation: string): Left {
  const left = all.get(conversation) ?? { place: undefined, heights: new Map() };
  all.delete(conversation);
  all.set(conversation, left);
  const oldest = all.keys().next();
  if (all.size > most && !oldest.done) all.delete(oldest.value);
  return left;
}
