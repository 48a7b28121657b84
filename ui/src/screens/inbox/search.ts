/** What the address says about the list: whose conversations, in which state, with which label, found by which words. */
import type { ConversationStatus, OwnerFilter } from "../../bindings";

export type Who = OwnerFilter | "all";
export type State = ConversationStatus | "any";
export type InboxSearch = { who?: Who; status?: State; label?: string; connection?: string; q?: string };

const whos: readonly string[] = ["needs_person", "mine", "agent", "all"];
const states: readonly string[] = ["open", "snoozed", "resolved", "any"];

/** Reads the search part of the address; what makes no sense is left out. */
export function inboxSearch(search: Record<string, unknown>): InboxSearch {
  const { who, status } = search;
  const text = (name: "label" | "connection" | "q") => {
    const value = search[name];
    return typeof value === "string" && value !== "" ? { [name]: value } : {};
  };
  return {
    ...(typeof who === "string" && whos.includes(who) ? { who: who as Who } : {}),
    ...(typeof status === "string" && states.includes(status) ? { status: status as State } : {}),
    ...text("label"),
    ...text("connection"),
    ...text("q"),
  };
}
