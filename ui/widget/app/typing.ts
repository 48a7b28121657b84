/** Who is writing, on both sides: told at most every two seconds, and never believed for longer than thirty. */
import type { Role } from "../shared/wire";
import type { Words } from "./words";

const TELL_EVERY = 2500;
const IDLE = 5000;
const FORGET = 30_000;

export class Typing {
  private other: { role: Role; name: string | null } | null = null;
  private forget: ReturnType<typeof setTimeout> | undefined;
  private idle: ReturnType<typeof setTimeout> | undefined;
  private toldAt = 0;
  private on = false;

  constructor(
    private readonly changed: () => void,
    private readonly tell: (on: boolean) => void,
  ) {}

  heard(role: Role, on: boolean, name: string | null = null): void {
    if (role === "visitor" || (!on && this.other === null)) return;
    clearTimeout(this.forget);
    this.other = on ? { role, name: name ?? null } : null;
    if (on) this.forget = setTimeout(() => this.clear(), FORGET);
    this.changed();
  }

  clear(): void {
    clearTimeout(this.forget);
    if (this.other === null) return;
    this.other = null;
    this.changed();
  }

  /** The name to show, or null when nobody is writing. `known` gives the name a role last wrote under; people speak for `shop`. */
  who(words: Words, known: (role: Role) => string | null, shop: string | null): string | null {
    if (!this.other) return null;
    const { name, role } = this.other;
    return name || known(role) || (role === "bot" ? words.assistant : shop || words.team);
  }

  /** The visitor changed the text. */
  wrote(some: boolean): void {
    clearTimeout(this.idle);
    if (!some) {
      this.stop();
      return;
    }
    this.idle = setTimeout(() => this.stop(), IDLE);
    const now = Date.now();
    if (this.on && now - this.toldAt < TELL_EVERY) return;
    this.on = true;
    this.toldAt = now;
    this.tell(true);
  }

  /** The message itself ends the writing; the hub need not be told twice. */
  sent(): void {
    clearTimeout(this.idle);
    this.on = false;
  }

  private stop(): void {
    if (!this.on) return;
    this.on = false;
    this.tell(false);
  }
}
