/** Keys that every program has (arrows, Enter, Esc, saving with Ctrl). Letters and signs belong to `useKey`, which can be changed. */
import { useEffect, useRef } from "react";
import { inField, overlaid } from "../keys/keymap";

type FixedKey = "ArrowDown" | "ArrowUp" | "Enter" | "Escape" | "mod+s" | "mod+Enter";
export type FixedKeys = Partial<Record<FixedKey, ((event: KeyboardEvent) => void) | undefined>>;

/** Listens while the screen is shown. A key whose action is `undefined` is left alone. */
export function useFixedKeys(keys: FixedKeys): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || event.altKey) return;
      const mod = event.ctrlKey || event.metaKey;
      const action = latest.current[(mod ? `mod+${event.key}` : event.key) as FixedKey];
      if (action === undefined || (!mod && (inField(event.target) || overlaid()))) return;
      action(event);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}
