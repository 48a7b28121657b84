/**
 * The only way from the screens to the hub, and the only folder that knows where they run.
 *
 * Nothing outside `bridge/` imports `@tauri-apps/*` or calls `fetch`.
 */
import type { Commands } from "../bindings";
import { browserHost } from "./browser";
import { ApiError } from "./error";
import type { ChangeEvent, Host, Watch } from "./host";
import { inWindow, windowHost } from "./window";

export { ApiError } from "./error";
export type { ChangeEvent } from "./host";
export { inWindow } from "./window";

let host: Host = inWindow ? windowHost : browserHost;
const signedOut = new Set<() => void>();

/** Prepares the host. With `vite --mode mock` a make-believe bakery answers; a production build never contains it. */
export async function prepareBridge(): Promise<void> {
  if (import.meta.env.MODE === "mock") host = (await import("./mock")).mockHost;
  const nonce = takeNonce();
  if (nonce === undefined || inWindow) return;
  try {
    await host.login(nonce);
  } catch {
    // Perhaps this browser is signed in from before; if not, the first question says so and the screen says why.
    linkRefused = true;
  }
}

let linkRefused = false;
/** Was a sign-in link tried and refused, because it was used before or is too old? */
export const signInLinkRefused = (): boolean => linkRefused;

/** Asks the hub for something; the answer's type belongs to the command. Throws an `ApiError`. */
export async function call<N extends keyof Commands>(
  name: N,
  request: Commands[N][0],
  watch?: Watch,
): Promise<Commands[N][1]> {
  try {
    return await host.call(name, request, watch);
  } catch (cause) {
    if (cause instanceof ApiError && cause.code === "signed_out") for (const tell of signedOut) tell();
    throw cause;
  }
}

/** Follows what changes, until the returned function is called. */
export const onChanges = (listener: (event: ChangeEvent) => void): (() => void) => host.onChanges(listener);

/** An address at which `<img>` and links find a stored file. */
export const mediaUrl = (id: string): string => host.mediaUrl(id);

/** An address for `<audio>` and `<video>`; call `revoke` when it is no longer shown. */
export const playableUrl = (id: string, mime: string): Promise<{ url: string; revoke: () => void }> =>
  host.playableUrl(id, mime);

/** Opens an http(s) address outside of Shopbell; any other kind of address is refused. */
export async function openExternal(url: string): Promise<void> {
  if (!/^https?:\/\//i.test(url)) return;
  await host.openExternal(url);
}

/** Opens the Lab beside this window. */
export async function openLab(): Promise<void> {
  await host.openLab?.();
}

/** Calls `tell` when the hub says that this browser is not signed in. */
export function onSignedOut(tell: () => void): () => void {
  signedOut.add(tell);
  return () => signedOut.delete(tell);
}

/** Takes the one-time word out of `#login=<nonce>` and removes it from the address, so that it is in no history. */
function takeNonce(): string | undefined {
  const nonce = /^#login=([\w.~-]+)$/.exec(location.hash)?.[1];
  if (nonce !== undefined) history.replaceState(null, "", location.pathname + location.search);
  return nonce;
}
