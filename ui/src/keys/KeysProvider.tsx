import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef } from "react";
import { inField, type KeyId, keyIds, keymap, pressed } from "./keymap";

type Handler = () => void;
type Keys = { add: (id: KeyId, handler: Handler) => () => void; run: (id: KeyId) => boolean };
const KeysContext = createContext<Keys>({ add: () => () => {}, run: () => false });

/** Listens for keys once, for the whole window; the newest handler of a key wins. */
export function KeysProvider({ single, children }: { single: boolean; children: ReactNode }) {
  const handlers = useRef(new Map<KeyId, Handler[]>());
  const keys = useMemo<Keys>(
    () => ({
      add(id, handler) {
        handlers.current.set(id, [...(handlers.current.get(id) ?? []), handler]);
        return () => {
          handlers.current.set(
            id,
            (handlers.current.get(id) ?? []).filter((one) => one !== handler),
          );
        };
      },
      run(id) {
        const handler = handlers.current.get(id)?.at(-1);
        handler?.();
        return handler !== undefined;
      },
    }),
    [],
  );

  useEffect(() => {
    let first = "";
    let timer: ReturnType<typeof setTimeout> | undefined;
    const listen = (event: KeyboardEvent) => {
      if (event.key === "F6") {
        event.preventDefault();
        movePane(event.shiftKey ? -1 : 1);
        return;
      }
      const key = pressed(event);
      if (key === undefined || event.defaultPrevented) return;
      const letter = !key.startsWith("mod+");
      if (letter && (!single || inField(event.target) || document.querySelector("[role=dialog]") !== null)) return;
      const whole = first === "" ? key : `${first} ${key}`;
      clearTimeout(timer);
      first = "";
      const id = keyIds.find((one) => keymap[one].keys === whole) ?? keyIds.find((one) => keymap[one].keys === key);
      if (id !== undefined && keys.run(id)) event.preventDefault();
      else if (letter && keyIds.some((one) => keymap[one].keys.startsWith(`${key} `))) {
        first = key;
        timer = setTimeout(() => {
          first = "";
        }, 1200);
      }
    };
    window.addEventListener("keydown", listen);
    return () => {
      clearTimeout(timer);
      window.removeEventListener("keydown", listen);
    };
  }, [keys, single]);

  return <KeysContext value={keys}>{children}</KeysContext>;
}

/** Does `handler` when the key is pressed, as long as the component is on screen and `on`. */
export function useKey(id: KeyId, handler: Handler, on = true): void {
  const keys = useContext(KeysContext);
  const latest = useRef(handler);
  useEffect(() => {
    latest.current = handler;
  });
  useEffect(() => (on ? keys.add(id, () => latest.current()) : undefined), [keys, id, on]);
}

/** Does what a key would do: for the palette. */
export const useRunKey = (): ((id: KeyId) => boolean) => useContext(KeysContext).run;

/** Moves the focus to the next pane that is in sight. */
export function movePane(step: 1 | -1): void {
  const panes = [...document.querySelectorAll<HTMLElement>("[data-pane]")].filter((pane) => pane.offsetParent !== null);
  const here = panes.findIndex((pane) => pane.contains(document.activeElement));
  const next = panes[(here + step + panes.length) % panes.length];
  next?.focus();
}
