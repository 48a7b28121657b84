/**
 * How a change makes the screens ask again.
 *
 * A change of a noun invalidates the queries that begin with it; a `reset` invalidates everything. Messages are the exception:
 * of a long conversation only the pages are read again that a change can have touched.
 */
import type { Change, ChangeKind } from "../bindings";
import type { ChangeEvent } from "../bridge";
import { queryClient } from "./client";
import { openConversations, refreshMessages, type Touched } from "./messages";

const nouns: Record<ChangeKind, string[]> = {
  conversation: ["conversations", "counts", "conversation", "contact", "labels", "conversions"],
  message: ["conversations", "counts"],
  delivery: ["conversations", "deliveries"],
  connection: ["connections", "snippet", "health", "notices", "registrations"],
  agent: ["agents"],
  knowledge: ["knowledge"],
  arrival: ["arrivals"],
  turn: ["turns"],
  contact: ["contact", "conversations"],
  media: [],
  // A public address that came or went is in the line for a website as well.
  settings: ["settings", "health", "backups", "snippet", "tunnel", "registrations"],
  typing: [],
};

/** What a change touched in which conversations. */
function touchedBy(change: Change): [conversation: string, touched: Touched][] {
  switch (change.kind) {
    case "message":
    case "delivery":
      return [[change.conversation, change.id]];
    case "turn":
      return [[change.conversation, "newest"]];
    // A file that arrived does not say where it belongs.
    case "media":
      return openConversations().map((conversation) => [conversation, change.id]);
    default:
      return [];
  }
}

const waiting = new Set<string>();
const touched = new Map<string, Set<Touched>>();
let _timer: ReturnType<typeof setTimeout> | undefined;

/** Makes the screens ask again for what changed. A burst of changes becomes one question per noun. */
export function invalidate(event: ChangeEvent): void {
  if (event.type === "reset") {
    void queryClient.invalidateQueries();
    return;
  }
  if (event.type === "link") return;
  for (const noun of nouns[event.change.kind] ?? []) waiting.add(noun);
  for (const [conversation, id] of touchedBy(event.change)) {
    touched.set(conversation, (touched.get(conversation) ?? new Set()).add(id));
  }
  _timer ??= setTimeout(() => {
    _timer = undefined;
    const [keys, changed] = [[...waiting], [...touched]];
    waiting.clear();
    touched.clear();
    for (const noun of keys) void queryClient.invalidateQueries({ queryKey: [noun] });
    for (const [conversation, ids] of changed) void refreshMessages(conversation, [...ids]);
  }, 60);
}
