/** Who is writing just now. It is never stored: a sign lives for a few seconds unless it is repeated. */
import { useSyncExternalStore } from "react";
import type { ChangeEvent } from "../bridge";

const life = 6_000;
const writing = new Map<string, { who: "agent" | "contact"; timer: ReturnType<typeof setTimeout> }>();
const listeners = new Set<() => void>();
const tell = () => {
  for (const listener of listeners) listener();
};

/** Takes note of a sign of typing; a message of the same conversation ends it. */
export function noteTyping(event: ChangeEvent): void {
  if (event.type !== "change") return;
  const { change } = event;
  if (change.kind === "typing") {
    clearTimeout(writing.get(change.conversation)?.timer);
    if (change.on) {
      const timer = setTimeout(() => {
        writing.delete(change.conversation);
        tell();
      }, life);
      writing.set(change.conversation, { who: change.who === "agent" ? "agent" : "contact", timer });
    } else writing.delete(change.conversation);
    tell();
  } else if (change.kind === "message" && writing.delete(change.conversation)) tell();
}

/** Who is writing in a conversation: the agent, the contact, or nobody. */
export function useTyping(conversation: string): "agent" | "contact" | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => writing.get(conversation)?.who,
  );
}
