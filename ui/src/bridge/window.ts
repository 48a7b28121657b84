/** The desktop host: one Tauri command for every question, an ipc channel for changes, a scheme of our own for files. */
import { Channel, convertFileSrc, invoke } from "@tauri-apps/api/core";
import type { Change, Commands } from "../bindings";
import { ApiError, apiError } from "./error";
import type { ChangeEvent, Host, Watch } from "./host";
import { Resume, waitBefore } from "./resume";

/** True inside Shopbell's own window. */
export const inWindow = "__TAURI_INTERNALS__" in window;

type Line = Change | { type: "reset"; seq?: number };

function follow(listener: (event: ChangeEvent) => void): () => void {
  const resume = new Resume(listener);
  let closed = false;
  let attempt = 0;

  const connect = () => {
    const channel = new Channel<Line>();
    channel.onmessage = (line) => {
      if (closed) return;
      if ("type" in line) resume.reset(line.seq);
      else resume.accept(line);
    };
    invoke("changes", { channel, after: resume.last ?? null }).then(
      () => {
        attempt = 0;
        resume.link(true);
      },
      () => {
        resume.link(false);
        if (!closed) setTimeout(connect, waitBefore(attempt++));
      },
    );
  };
  connect();

  return () => {
    closed = true;
  };
}

export const windowHost: Host = {
  // What goes to the hub in the same process is there at once: there is no progress to tell, and it is too late to stop it.
  async call<N extends keyof Commands>(name: N, request: Commands[N][0], watch?: Watch) {
    if (watch?.signal?.aborted) throw new ApiError("stopped", "");
    try {
      const answer = await invoke<string>("call", { name, request: JSON.stringify(request) });
      return JSON.parse(answer) as Commands[N][1];
    } catch (cause) {
      throw apiError(typeof cause === "string" ? parsed(cause) : cause);
    }
  },
  onChanges: follow,
  mediaUrl: (id) => convertFileSrc(id, "shopbell-media"),
  // WebKitGTK plays nothing from a scheme of our own, so the bytes come through the bridge and play from a blob.
  async playableUrl(id, mime) {
    try {
      const bytes = await invoke<ArrayBuffer>("media", { id });
      const url = URL.createObjectURL(new Blob([bytes], { type: mime }));
      return { url, revoke: () => URL.revokeObjectURL(url) };
    } catch (cause) {
      throw apiError(typeof cause === "string" ? parsed(cause) : cause);
    }
  },
  async openExternal(url) {
    await invoke("open_external", { url });
  },
  async openLab() {
    try {
      await invoke("open_lab");
    } catch (cause) {
      throw apiError(typeof cause === "string" ? parsed(cause) : cause);
    }
  },
  async login() {
    // The window is signed in by being the window.
  },
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
