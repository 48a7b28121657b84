/** Is the line to the hub up? Known from the stream of changes; a short break is no news. */
import { useSyncExternalStore } from "react";
import type { ChangeEvent } from "../bridge";

const patience = 4_000;
let down = false;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

function set(value: boolean) {
  if (down === value) return;
  down = value;
  for (const listener of listeners) listener();
}

/** Takes note of the line going up or down. */
export function noteLink(event: ChangeEvent): void {
  if (event.type !== "link") {
    clearTimeout(timer);
    timer = undefined;
    set(false);
    return;
  }
  if (event.up) {
    clearTimeout(timer);
    timer = undefined;
    set(false);
  } else timer ??= setTimeout(() => set(true), patience);
}

/** True when the line has been down for some seconds. */
export const useLinkDown = (): boolean =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => down,
  );
