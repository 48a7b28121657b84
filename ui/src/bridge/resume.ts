/**
 * Keeps a place in the stream of changes, so that a break in the line loses nothing.
 *
 * The hub numbers its changes. A number that was seen is dropped; a hole in the numbers, or a `reset` from the hub (it no
 * longer knows our place), means that everything on screen is read again.
 */
import type { Change } from "../bindings";
import type { ChangeEvent } from "./host";

export class Resume {
  #last: number | undefined;
  readonly #listener: (event: ChangeEvent) => void;

  constructor(listener: (event: ChangeEvent) => void) {
    this.#listener = listener;
  }

  /** The last number seen: where to go on after a break. */
  get last(): number | undefined {
    return this.#last;
  }

  /** One change as it came over the line. */
  accept(change: Change): void {
    if (this.#last !== undefined && change.seq <= this.#last) return;
    this.#last = change.seq;
    this.#listener({ type: "change", change });
  }

  /** The hub does not know our place any more. `seq` is the new one, when it says so. */
  reset(seq?: number): void {
    this.#last = seq;
    this.#listener({ type: "reset" });
  }

  /**
   * The line is up or down. Up without a place to go on from means reading everything again: nobody knows what changed since
   * it was read, at the first time as after a break in which the hub may have been started anew.
   */
  link(up: boolean): void {
    this.#listener({ type: "link", up });
    if (up && this.#last === undefined) this.#listener({ type: "reset" });
  }
}

/** How long to wait before the next attempt to connect: 0.5 s, 1 s, 2 s … at most 15 s, with jitter. */
export function waitBefore(attempt: number, random: () => number = Math.random): number {
  const most = Math.min(15_000, 500 * 2 ** attempt);
  return Math.round(most / 2 + (most / 2) * random());
}
