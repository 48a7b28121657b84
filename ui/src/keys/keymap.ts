/**
 * Every key of Shopbell in one list: what the key sheet shows and the palette hints at.
 *
 * `g i` is two keys one after the other. Single letters work outside of fields only, and can be switched off in Settings.
 */
export type KeyGroup = "list" | "conversation" | "go" | "everywhere";

const map = {
  next: { keys: "j", group: "list" },
  previous: { keys: "k", group: "list" },
  search: { keys: "/", group: "list" },
  take: { keys: "t", group: "conversation" },
  reply: { keys: "r", group: "conversation" },
  note: { keys: "n", group: "conversation" },
  resolve: { keys: "e", group: "conversation" },
  resolve_next: { keys: "Shift+e", group: "conversation" },
  panel: { keys: "i", group: "conversation" },
  send: { keys: "mod+enter", group: "conversation" },
  go_inbox: { keys: "g i", group: "go" },
  go_agents: { keys: "g a", group: "go" },
  go_knowledge: { keys: "g b", group: "go" },
  go_connections: { keys: "g c", group: "go" },
  go_activity: { keys: "g y", group: "go" },
  go_settings: { keys: "g s", group: "go" },
  palette: { keys: "mod+k", group: "everywhere" },
  sheet: { keys: "?", group: "everywhere" },
  pane_next: { keys: "]", group: "everywhere" },
  pane_previous: { keys: "[", group: "everywhere" },
} as const satisfies Record<string, { keys: string; group: KeyGroup }>;

export type KeyId = keyof typeof map;
export const keymap: Record<KeyId, { keys: string; group: KeyGroup }> = map;
export const keyIds = Object.keys(map) as KeyId[];

/** The parts to draw as keys: `Shift+e` → Shift, E; `g i` → G, I. */
export const keyParts = (id: KeyId): string[] =>
  keymap[id].keys.split(/[+ ]/).map((part) => (part.length === 1 ? part.toUpperCase() : part));

/** What was pressed, in the words of the keymap; `undefined` for keys that are none of ours. */
export function pressed(event: KeyboardEvent): string | undefined {
  if (event.isComposing || event.altKey) return undefined;
  if (event.ctrlKey || event.metaKey) return event.shiftKey ? undefined : `mod+${event.key.toLowerCase()}`;
  if (event.key.length !== 1) return undefined;
  const letter = event.key.toLowerCase() !== event.key.toUpperCase();
  return letter && event.shiftKey ? `Shift+${event.key.toLowerCase()}` : event.key.toLowerCase();
}

/** Is somebody typing there? */
export function inField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.closest("input, textarea, select, [role=textbox], [role=menu]") !== null)
  );
}
