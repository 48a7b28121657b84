/**
 * What the widget keeps in the shop's own localStorage.
 *
 * Storage inside the iframe belongs to the hub's address and is partitioned, blocked or wiped by browsers, and a
 * tunnel's address may change. The shop's own storage stays. Where even that is refused, memory serves the page.
 */
import { KEEP_LIMIT, KEEPABLE } from "../shared/bridge";

export class Kept {
  private readonly memory = new Map<string, string>();
  private readonly prefix: string;

  constructor(key: string) {
    this.prefix = `shopbell:${key}:`;
  }

  get(name: string): string | null {
    try {
      return localStorage.getItem(this.prefix + name);
    } catch {
      return this.memory.get(name) ?? null;
    }
  }

  set(name: string, value: string | null): void {
    try {
      if (value === null) localStorage.removeItem(this.prefix + name);
      else localStorage.setItem(this.prefix + name, value);
    } catch {
      if (value === null) this.memory.delete(name);
      else this.memory.set(name, value);
    }
  }

  /** Keeps what the frame asks to keep, if the name and the size are ones it may use. */
  setFromFrame(name: unknown, value: unknown): void {
    if (typeof name !== "string" || !KEEPABLE.test(name)) return;
    if (value === null) this.set(name, null);
    else if (typeof value === "string" && value.length <= KEEP_LIMIT) this.set(name, value);
  }

  private names(): string[] {
    const names = new Set(this.memory.keys());
    try {
      for (const key of Object.keys(localStorage))
        if (key.startsWith(this.prefix)) names.add(key.slice(this.prefix.length));
    } catch {
      // Storage is refused: memory is all there is.
    }
    return [...names];
  }

  /** Everything the frame may see. The session token is handed over separately. */
  forFrame(): Record<string, string> {
    const all: Record<string, string> = {};
    for (const name of this.names()) {
      const value = KEEPABLE.test(name) ? this.get(name) : null;
      if (value !== null) all[name] = value;
    }
    return all;
  }

  clear(): void {
    for (const name of this.names()) this.set(name, null);
  }

  /** Calls `changed` when another tab changes something the frame may see. */
  watch(changed: (name: string, value: string | null) => void): void {
    addEventListener("storage", (e) => {
      const name = e.key?.startsWith(this.prefix) ? e.key.slice(this.prefix.length) : "";
      if (KEEPABLE.test(name)) changed(name, e.newValue);
    });
  }
}
