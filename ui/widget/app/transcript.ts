/**
 * The conversation as this browser knows it: what the hub confirmed, in the hub's order, then what is still on its
 * way. A message is known by the hub's id and, if it was written here, by its client id, so nothing shows twice.
 */
import type { Message, Part, Role } from "../shared/wire";
import type { Item } from "./outbox";

export interface Entry {
  /** Stays the same from the first press of Enter to the hub's copy. */
  key: string;
  role: Role;
  name: string | null;
  parts: Part[];
  at: number;
  id: string | null;
  state: Item["state"] | "done";
  reason?: string | undefined;
  /** The option of this message's buttons that was chosen, and whether one may still be chosen. */
  chosen: string | null;
  open: boolean;
}

/** An answer that is being written. */
export interface Growing {
  id: string;
  name: string | null;
  text: string;
}

export class Transcript {
  private messages: Message[] = [];
  private readonly ids = new Set<string>();
  private readonly growing = new Map<string, Growing & { seq: number; whole: boolean }>();

  clear(): void {
    this.messages = [];
    this.ids.clear();
    this.growing.clear();
  }

  get empty(): boolean {
    return this.messages.length === 0;
  }

  get last(): Message | undefined {
    return this.messages.at(-1);
  }

  has(id: string): boolean {
    return this.ids.has(id);
  }

  /** Adds what is new. Gives the messages that were. */
  merge(messages: Message[]): Message[] {
    const added = messages.filter((m) => isMessage(m) && !this.ids.has(m.id));
    const unique = added.filter((m, i) => added.findIndex((n) => n.id === m.id) === i);
    for (const m of unique) {
      this.ids.add(m.id);
      this.messages.push(m);
      this.growing.delete(m.id);
    }
    return unique;
  }

  update(message: Message): boolean {
    const at = isMessage(message) ? this.messages.findIndex((m) => m.id === message.id) : -1;
    if (at < 0) return false;
    this.messages[at] = message;
    return true;
  }

  remove(id: string): void {
    this.messages = this.messages.filter((m) => m.id !== id);
    this.growing.delete(id);
  }

  /** A piece of an answer. A piece that does not follow the last one makes us wait for the whole. */
  delta(id: string, seq: number, text: string, name: string | null): void {
    if (this.ids.has(id) || typeof text !== "string") return;
    const so = this.growing.get(id);
    if (!so) this.growing.set(id, { id, name, seq, text: seq <= 1 ? text : "", whole: seq <= 1 });
    else if (seq <= so.seq) return;
    else if (so.whole && seq === so.seq + 1) this.growing.set(id, { ...so, seq, text: so.text + text });
    else this.growing.set(id, { ...so, seq, whole: false });
  }

  /** The stream was cut: half an answer is worth showing only while its other half can still come. */
  dropGrowing(): void {
    this.growing.clear();
  }

  get beingWritten(): Growing[] {
    return [...this.growing.values()].filter((g) => g.whole && g.text !== "");
  }

  /** What to show, `outbox` included. */
  entries(outbox: Item[]): Entry[] {
    const confirmed = new Set(this.messages.map((m) => m.client_id).filter(Boolean));
    const lastVisitor = this.messages.findLastIndex((m) => m.role === "visitor");
    const waiting = outbox.filter((i) => !confirmed.has(i.client_id) && !(i.id && this.ids.has(i.id)));
    const entries: Entry[] = this.messages.map((m, i) => ({
      key: m.client_id || m.id,
      role: m.role,
      name: m.author?.name ?? null,
      parts: m.parts,
      at: m.created_at,
      id: m.id,
      state: "done",
      chosen: this.chosen(m, i, waiting),
      open: i > lastVisitor && waiting.length === 0,
    }));
    for (const item of waiting)
      entries.push({
        key: item.client_id,
        role: "visitor",
        name: null,
        parts: [{ type: "markdown", text: item.text }],
        at: item.at,
        id: null,
        state: item.state,
        reason: item.reason,
        chosen: null,
        open: false,
      });
    return entries;
  }

  /** The chosen option is the one whose label the visitor's next message repeats. */
  private chosen(m: Message, at: number, waiting: Item[]): string | null {
    const buttons = m.parts.find((p) => p.type === "buttons");
    if (!buttons) return null;
    const picked = waiting.find((i) => i.choice?.message_id === m.id)?.choice?.option_id;
    if (picked) return picked;
    const next = this.messages.find((n, i) => i > at && n.role === "visitor");
    const said = next?.parts.find((p) => p.type === "markdown")?.text;
    return buttons.options.find((o) => o.label === said)?.id ?? null;
  }

  /** Under which name somebody of this role last wrote. */
  nameOf(role: Role): string | null {
    return this.messages.findLast((m) => m.role === role && m.author?.name)?.author?.name ?? null;
  }

  /** How many messages of the shop came after the one with this id. */
  unreadAfter(id: string | null): number {
    const from = id === null ? -1 : this.messages.findIndex((m) => m.id === id);
    return this.messages.filter((m, i) => i > from && (m.role === "bot" || m.role === "agent")).length;
  }
}

/** A message that can be shown: what is not one is left out rather than allowed to break the rest. */
function isMessage(m: Message): boolean {
  return typeof m?.id === "string" && typeof m.role === "string" && Array.isArray(m.parts);
}
