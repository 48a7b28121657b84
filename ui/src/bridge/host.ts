import type { Change, Commands } from "../bindings";

/** What a listener hears: one change, or that it must read everything again. */
export type ChangeEvent = { type: "change"; change: Change } | { type: "reset" } | { type: "link"; up: boolean };

/** For what takes long, such as a file: how much of it went, and a way to stop it. */
export type Watch = {
  /** Hears the part that went, between 0 and 1, where that is known. */
  onProgress?: (part: number) => void;
  signal?: AbortSignal;
};

/** The two places Shopbell's screens run in: its own window and a browser. Everything that differs is here. */
export type Host = {
  /** Asks the hub for something. Throws an `ApiError`; its code is `stopped` when `watch.signal` ended it. */
  call<N extends keyof Commands>(name: N, request: Commands[N][0], watch?: Watch): Promise<Commands[N][1]>;
  /** Follows what changes, until the returned function is called. */
  onChanges(listener: (event: ChangeEvent) => void): () => void;
  /** An address at which `<img>` and links find a stored file. */
  mediaUrl(id: string): string;
  /** An address for `<audio>` and `<video>`; `revoke` gives it back when it is no longer shown. */
  playableUrl(id: string, mime: string): Promise<{ url: string; revoke: () => void }>;
  /** Opens an address outside of Shopbell. */
  openExternal(url: string): Promise<void>;
  /** Opens the Lab, a second Shopbell; only the window can start a program. */
  openLab?(): Promise<void>;
  /** Trades the one-time word of a sign-in link for a session; only a browser needs it. */
  login(nonce: string): Promise<void>;
};
