/** The browser host: `POST /api/v1/<command>`, Server-Sent Events for changes, a cookie for who we are. */
import type { Change, Commands } from "../bindings";
import { ApiError, apiError } from "./error";
import type { ChangeEvent, Host, Watch } from "./host";
import { Resume, waitBefore } from "./resume";

const base = "/api/v1";

async function post(path: string, body: unknown): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(`${base}/${path}`, {
      method: "POST",
      credentials: "same-origin",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new ApiError("unreachable", "");
  }
  return answerOf(response.status, await response.text());
}

/** The answer, or the error that a status and its text stand for. */
function answerOf(status: number, text: string): unknown {
  const ok = status >= 200 && status < 300;
  let answer: unknown = null;
  if (text !== "") {
    try {
      answer = JSON.parse(text);
    } catch {
      throw new ApiError(ok ? "unreadable" : `http_${status}`, "");
    }
  }
  if (ok) return answer;
  if (status === 401) throw new ApiError("signed_out", apiError(answer).message);
  throw apiError(answer, `http_${status}`);
}

/** The same as `post`, watched: `fetch` cannot tell how much of a body has gone. */
function postWatched(path: string, body: unknown, { onProgress, signal }: Watch): Promise<unknown> {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${base}/${path}`);
    request.setRequestHeader("content-type", "application/json");
    request.upload.onprogress = (event) => event.lengthComputable && onProgress?.(event.loaded / event.total);
    request.onload = () => {
      try {
        done(answerOf(request.status, request.responseText));
      } catch (cause) {
        fail(cause);
      }
    };
    request.onerror = () => fail(new ApiError("unreachable", ""));
    request.onabort = () => fail(new ApiError("stopped", ""));
    if (signal?.aborted) return fail(new ApiError("stopped", ""));
    signal?.addEventListener("abort", () => request.abort());
    request.send(JSON.stringify(body));
  });
}

/** Follows `/api/v1/changes`. The browser itself sends `Last-Event-ID` on a short break; after a refusal we connect anew. */
function follow(listener: (event: ChangeEvent) => void): () => void {
  const resume = new Resume(listener);
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  let closed = false;

  const connect = () => {
    const from = resume.last === undefined ? "" : `?last_event_id=${resume.last}`;
    source = new EventSource(`${base}/changes${from}`, { withCredentials: true });
    source.onopen = () => {
      attempt = 0;
      resume.link(true);
    };
    const read = (event: MessageEvent<string>) => {
      try {
        resume.accept(JSON.parse(event.data) as Change);
      } catch {
        resume.reset();
      }
    };
    source.onmessage = read;
    source.addEventListener("change", read);
    source.addEventListener("reset", (event) => {
      const id = Number((event as MessageEvent<string>).lastEventId);
      resume.reset(Number.isFinite(id) && id > 0 ? id : undefined);
    });
    source.onerror = () => {
      resume.link(false);
      if (source?.readyState !== EventSource.CLOSED || closed) return;
      timer = setTimeout(connect, waitBefore(attempt++));
    };
  };
  connect();

  return () => {
    closed = true;
    clearTimeout(timer);
    source?.close();
  };
}

export const browserHost: Host = {
  async call<N extends keyof Commands>(name: N, request: Commands[N][0], watch?: Watch) {
    return (await (watch ? postWatched(name, request, watch) : post(name, request))) as Commands[N][1];
  },
  onChanges: follow,
  mediaUrl: (id) => `${base}/media/${encodeURIComponent(id)}`,
  async playableUrl(id) {
    return { url: browserHost.mediaUrl(id), revoke: () => {} };
  },
  async openExternal(url) {
    window.open(url, "_blank", "noopener,noreferrer");
  },
  async login(nonce) {
    await post("login", { nonce });
  },
};
