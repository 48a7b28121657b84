/**
 * Every key of Shopbell in one list: what works, what the key sheet shows and the palette hints at.
 *
 * `g i` is two keys one after the other. Single letters and signs work outside of fields only, can be changed one by one and
 * switched off all together (WCAG 2.1.4). Keys marked `fixed` are those that every program has; they stay as they are.
 */
export type KeyGroup =
  | "list"
  | "conversation"
  | "activity"
  | "connections"
  | "knowledge"
  | "agents"
  | "forms"
  | "go"
  | "everywhere";
type Entry = { keys: string; group: KeyGroup; fixed?: true };

const map = {
  next: { keys: "j", group: "list" },
  previous: { keys: "k", group: "list" },
  arrows: { keys: "↑ ↓", group: "list", fixed: true },
  search: { keys: "/", group: "list" },
  take: { keys: "t", group: "conversation" },
  assign: { keys: "a", group: "conversation" },
  reply: { keys: "r", group: "conversation" },
  note: { keys: "n", group: "conversation" },
  resolve: { keys: "e", group: "conversation" },
  resolve_next: { keys: "Shift+e", group: "conversation" },
  snooze: { keys: "z", group: "conversation" },
  label: { keys: "l", group: "conversation" },
  panel: { keys: "i", group: "conversation" },
  send: { keys: "mod+enter", group: "conversation", fixed: true },
  leave: { keys: "Esc", group: "conversation", fixed: true },
  row_next: { keys: "j", group: "activity" },
  row_previous: { keys: "k", group: "activity" },
  row_open: { keys: "enter", group: "activity", fixed: true },
  copy: { keys: "y", group: "activity" },
  row_close: { keys: "Esc", group: "activity", fixed: true },
  find_service: { keys: "/", group: "connections" },
  connect: { keys: "n", group: "connections" },
  prove: { keys: "p", group: "connections" },
  find_document: { keys: "/", group: "knowledge" },
  remove: { keys: "Del", group: "knowledge", fixed: true },
  new_agent: { keys: "n", group: "agents" },
  save: { keys: "mod+s", group: "forms", fixed: true },
  try: { keys: "mod+enter", group: "forms", fixed: true },
  go_inbox: { keys: "g i", group: "go" },
  go_agents: { keys: "g a", group: "go" },
  go_knowledge: { keys: "g b", group: "go" },
  go_connections: { keys: "g c", group: "go" },
  go_activity: { keys: "g y", group: "go" },
  go_lab: { keys: "g l", group: "go" },
  go_settings: { keys: "g s", group: "go" },
  palette: { keys: "mod+k", group: "everywhere", fixed: true },
  sheet: { keys: "?", group: "everywhere" },
  pane_next: { keys: "]", group: "everywhere" },
  pane_previous: { keys: "[", group: "everywhere" },
  panes: { keys: "F6", group: "everywhere", fixed: true },
  panes_back: { keys: "Shift+F6", group: "everywhere", fixed: true },
  close: { keys: "Esc", group: "everywhere", fixed: true },
} as const satisfies Record<string, Entry>;

export type KeyId = keyof typeof map;
export const keymap: Record<KeyId, Entry> = map;
export const keyIds = Object.keys(map) as KeyId[];
/** What is pressed for each; empty = nothing. */
export type Bindings = Record<KeyId, string>;
/** Keys that differ from the usual ones. */
export type ChangedKeys = { readonly [id: string]: string };

/** The usual keys with those in place that were changed. Changes this version does not know are left out. */
export function bindings(changed: ChangedKeys): Bindings {
  const all = keyIds.map((id) => [id, keymap[id].fixed ? keymap[id].keys : (changed[id] ?? keymap[id].keys)]);
  return Object.fromEntries(all) as Bindings;
}

/** The changes with `id` on `keys`; what is as usual is no change. */
export function withKey(changed: ChangedKeys, id: KeyId, keys: string): ChangedKeys {
  const { [id]: _, ...rest } = changed;
  return keys === keymap[id].keys ? rest : { ...rest, [id]: keys };
}

/** What `keys` does already where `id` is to work: the same keys, or the first of two. */
export function takenBy(all: Bindings, id: KeyId, keys: string): KeyId | undefined {
  if (keys === "") return undefined;
  return keyIds.find(
    (other) =>
      other !== id &&
      together(id, other) &&
      (all[other] === keys || begins(all[other], keys) || begins(keys, all[other])),
  );
}

const begins = (keys: string, first: string): boolean => first !== "" && keys.startsWith(`${first} `);
/** Do two keys work at the same time? */
function together(one: KeyId, other: KeyId): boolean {
  const [a, b] = [screenOf[keymap[one].group], screenOf[keymap[other].group]];
  return a === b || a === "all" || b === "all";
}
const screenOf: Record<KeyGroup, string> = {
  list: "inbox",
  conversation: "inbox",
  activity: "activity",
  connections: "connections",
  knowledge: "knowledge",
  agents: "agents",
  forms: "forms",
  go: "all",
  everywhere: "all",
};

/** The parts to draw as keys: `Shift+e` → Shift, E; `g i` → G, I. */
export const partsOf = (keys: string): string[] =>
  keys === "" ? [] : keys.split(/(?<=.)[+ ]/).map((part) => (part.length === 1 ? part.toUpperCase() : part));

/** Is it a letter or a sign without Ctrl, which a field would take for text? */
export const isSingle = (keys: string): boolean =>
  keys !== "" && !/^(mod\+|(Shift\+)?F\d|Esc$|Del$|enter$|↑)/.test(keys);

/** What was pressed, in the words of the keymap; `undefined` for keys that are none of ours. */
export function pressed(event: KeyboardEvent): string | undefined {
  if (event.isComposing || event.altKey) return undefined;
  if (event.ctrlKey || event.metaKey) return event.shiftKey ? undefined : `mod+${event.key.toLowerCase()}`;
  if (event.key === "F6") return event.shiftKey ? "Shift+F6" : "F6";
  if (event.key.length !== 1 || event.key === " ") return undefined;
  const letter = event.key.toLowerCase() !== event.key.toUpperCase();
  return letter && event.shiftKey ? `Shift+${event.key.toLowerCase()}` : event.key.toLowerCase();
}

/** A dialog or a menu over the screen takes the keys. */
export const overlaid = (): boolean =>
  document.querySelector("[role=dialog], [role=alertdialog], [role=menu]") !== null;

/** Is somebody typing there? */
export function inField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.closest("input, textarea, select, [role=textbox], [role=menu]") !== null)
  );
}
