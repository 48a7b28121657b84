/** Which notices want to be seen, and in which order. */
import type { Notice, NoticeLevel } from "../../bindings";

const order: NoticeLevel[] = ["problem", "warning", "info"];
const isSeen = (notice: Notice): boolean => notice.seen_at !== null && notice.seen_at !== undefined;

/** Those nobody has seen, the gravest first, the newest first among equals. */
export const unseen = (notices: Notice[]): Notice[] =>
  notices
    .filter((one) => !isSeen(one))
    .sort((one, other) => order.indexOf(one.level) - order.indexOf(other.level) || other.at - one.at);

/** Those that somebody has seen, the newest first. */
export const seen = (notices: Notice[]): Notice[] => notices.filter(isSeen).sort((one, other) => other.at - one.at);

/** The notices of each connection. */
export function byConnection(notices: Notice[]): Map<string, Notice[]> {
  const found = new Map<string, Notice[]>();
  for (const one of notices) found.set(one.connection, [...(found.get(one.connection) ?? []), one]);
  return found;
}
