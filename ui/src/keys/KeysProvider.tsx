import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef } from "react";
import {
  type Bindings,
  bindings,
  type ChangedKeys,
  inField,
  isSingle,
  type KeyId,
  keyIds,
  overlaid,
  pressed,
} from "./keymap";

type Handler = () => void;
type Keys = {
  add: (id: KeyId, handler: Handler) => () => void;
  run: (id: KeyId) => boolean;
};
const KeysContext = createContext<Keys>({ add: () => () => {}, run: () => false });
const BoundContext = createContext<{ all: Bindings; single: boolean }>({ all: bindings({}), single: true });
const none: ChangedKeys = {};

/** Listens for keys once, for the whole window; the newest handler of a key wins. */
export function KeysProvider({
  single,
  changed = none,
  children,
}: {
  /** Single letters and signs work. */
  single: boolean;
  changed?: ChangedKeys | undefined;
  children: ReactNode;
}) {
  const handlers = useRef(new Map<KeyId, Handler[]>());
  const bound = useMemo(() => ({ all: bindings(changed), single }), [changed, single]);
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
    const { all } = bound;
    let first = "";
    let timer: ReturnType<typeof setTimeout> | undefined;
    /** The same key may do different things on different screens: the one that is on screen does it. */
    const run = (said: string) => keyIds.some((id) => all[id] === said && keys.run(id));
    const listen = (event: KeyboardEvent) => {
      const key = pressed(event);
      if (key === undefined || event.defaultPrevented) return;
      const letter = isSingle(key);
      if (letter && (!single || inField(event.target) || overlaid())) return;
      const whole = first === "" ? key : `${first} ${key}`;
      clearTimeout(timer);
      const waited = first !== "";
      first = "";
      if (run(whole) || (waited && run(key))) event.preventDefault();
      else if (letter && keyIds.some((id) => all[id].startsWith(`${key} `))) {
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
  }, [keys, bound, single]);

  return (
    <KeysContext value={keys}>
      <BoundContext value={bound}>{children}</BoundContext>
    </KeysContext>
  );
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

/** What is to be pressed for what, as it is just now. */
export const useBindings = (): Bindings => useContext(BoundContext).all;

/** What is to be pressed for something; empty while it has no key or single letters are switched off. */
export function useBinding(id: KeyId): string {
  const { all, single } = useContext(BoundContext);
  return single || !isSingle(all[id]) ? all[id] : "";
}

/** Moves the focus to the next pane that is in sight. */
export function movePane(step: 1 | -1): void {
  const panes = [...document.querySelectorAll<HTMLElement>("[data-pane]")].filter((pane) => pane.offsetParent !== null);
  const here = panes.findIndex((pane) => pane.contains(document.activeElement));
  const next = panes[(here + step + panes.length) % panes.length];
  next?.focus();
}
