/** What stands in the flow of a conversation, and about how high it is. */
import type { Message } from "../../bindings";
import type { Pending } from "../../queries/pending";
import { sameDay } from "../../words/time";

/** A row of the flow: a message with what stands above it, or the sign that somebody is writing. */
export type FlowRow =
  | { type: "message"; key: string; message: Message; newDay: boolean; unreadLine: boolean; first: boolean }
  | { type: "typing"; key: string };

/** Oldest first; what is pending here comes last, unless the hub lists it already. */
export function merged(newestFirst: Message[], pending: Pending[]): Message[] {
  const known = new Set(newestFirst.flatMap((one) => [one.id, one.client_key ?? ""]));
  const mine = pending.filter((one) => !known.has(one.id) && !known.has(one.client_key));
  return [...newestFirst.toReversed(), ...mine];
}

/** The rows of the flow: where a day begins, where the unread ones begin, where an author begins. */
export function flowRows(all: Message[], firstUnread: string | undefined, typing: boolean): FlowRow[] {
  const rows = all.map((message, index): FlowRow => {
    const before = all[index - 1];
    const newDay = before === undefined || !sameDay(before.sent_at, message.sent_at);
    return {
      type: "message",
      key: message.client_key ?? message.id,
      message,
      newDay,
      unreadLine: message.id === firstUnread,
      first: newDay || !sameRun(before, message),
    };
  });
  return typing ? [...rows, { type: "typing", key: "typing" }] : rows;
}

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

const idOf = (author: Message["author"]): string | null => ("id" in author ? author.id : null);

/** The id of the first of the last `count` messages that customers wrote. */
export function firstOfLast(all: Message[], count: number): string | undefined {
  if (count <= 0) return undefined;
  const incoming = all.filter((one) => one.direction === "in");
  return incoming[Math.max(0, incoming.length - count)]?.id;
}

/** How many of `rows` came after the one called `key`, own words and activity lines left out. */
export function countAfter(rows: FlowRow[], key: string | undefined): number {
  const at = rows.findIndex((row) => row.key === key);
  if (at === -1) return 0;
  return rows.slice(at + 1).filter((row) => row.type === "message" && row.message.author.type !== "system").length;
}

/** About how high a row will be: near enough that the bar at the side does not lie. It is measured when it is drawn. */
export function guessedHeight(row: FlowRow): number {
  if (row.type === "typing") return 60;
  const { message, newDay, unreadLine, first } = row;
  const event = message.content.some((part) => part.type === "event");
  const above = (newDay ? 33 : 0) + (unreadLine ? 31 : 0);
  if (event) return above + 33;
  let height = 19;
  for (const part of message.content) {
    switch (part.type) {
      case "text":
        height += lines(part.text) * 20;
        break;
      case "choices":
        height += lines(part.text) * 20 + 44;
        break;
      case "media":
        height += part.kind === "image" ? 240 : part.kind === "sticker" ? 120 : 40;
        if (part.caption) height += lines(part.caption) * 20;
        break;
      default:
        height += 40;
    }
  }
  const named = first && message.direction !== "in" ? 19 : 0;
  return (
    above + height + (first ? 8 + named : 0) + message.sources.length * 19 + (message.direction === "note" ? 40 : 0)
  );
}

const lines = (text: string): number =>
  text.split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 54)), 0);
