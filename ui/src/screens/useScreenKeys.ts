/** The keys of one screen. Single letters work outside fields only, and not at all when they are switched off. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { settings } from "../queries/hub";

/** By the key's name: `j`, `/`, `Enter`, or `mod+s`, `mod+Enter` with Ctrl (⌘ on a Mac). */
export type ScreenKeys = Record<string, ((event: KeyboardEvent) => void) | undefined>;

/** Listens while the screen is shown. A key whose action is `undefined` is left alone. */
export function useScreenKeys(keys: ScreenKeys): void {
  const shop = useQuery(settings());
  const letters = shop.data?.single_keys ?? true;
  const latest = useRef({ keys, letters });
  latest.current = { keys, letters };

  useEffect(() => {
    let going = 0;
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || event.altKey) return;
      const mod = event.ctrlKey || event.metaKey;
      const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      // `g` and a letter go to another screen: that letter is not ours.
      if (!mod && name === "g") going = event.timeStamp;
      else if (!mod && event.timeStamp - going < 1200 && going !== 0) {
        going = 0;
        return;
      }
      const action = latest.current.keys[mod ? `mod+${name}` : name];
      if (action === undefined) return;
      if (!mod && (inField(event.target) || overlaid())) return;
      if (!mod && event.key.length === 1 && !latest.current.letters) return;
      action(event);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}

function inField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || target.closest("input, textarea, select") !== null)
  );
}

/** A dialog or a menu over the screen takes the keys. */
const overlaid = (): boolean => document.querySelector('[role="dialog"], [role="alertdialog"], [role="menu"]') !== null;
