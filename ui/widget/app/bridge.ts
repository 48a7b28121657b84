/** The app's end of the talk with the loader: one origin, one window, nothing else is heard. */
import { BRIDGE, type Init, isEnvelope, type SessionResult, type ToApp, type ToPage } from "../shared/bridge";
import { type Session, WidgetError } from "../shared/wire";

type Listener = (message: ToApp) => void;

export class Bridge {
  private readonly waiting = new Map<number, (result: SessionResult) => void>();
  private next = 1;

  private constructor(
    private readonly page: Window,
    private readonly origin: string,
    private readonly listener: Listener,
  ) {
    addEventListener("message", (e) => this.hear(e));
  }

  /** Opens the bridge to the page that embeds us, whose origin the loader wrote into our fragment. */
  static open(listener: Listener): Bridge | null {
    const origin = decodeURIComponent(location.hash.slice(1));
    const real = location.ancestorOrigins?.[0];
    if (window.parent === window || !/^https?:\/\/[^/]+$/.test(origin) || (real !== undefined && real !== origin))
      return null;
    const bridge = new Bridge(window.parent, origin, listener);
    bridge.tell({ type: "hello" });
    return bridge;
  }

  tell(message: ToPage): void {
    this.page.postMessage({ shopbell: BRIDGE, ...message }, this.origin);
  }

  /** Asks the page for a session; the page alone can, because only its `Origin` is true. */
  async session(fresh: boolean): Promise<Session> {
    const id = this.next++;
    const result = await new Promise<SessionResult>((resolve) => {
      this.waiting.set(id, resolve);
      const give = setTimeout(() => resolve({ refusal: { status: 0, code: "unreachable", message: "" } }), 15_000);
      this.waiting.set(id, (r) => {
        clearTimeout(give);
        resolve(r);
      });
      this.tell({ type: "session", id, fresh });
    });
    this.waiting.delete(id);
    if ("ok" in result) return result.ok;
    const { status, code, message, retryAfter } = result.refusal;
    throw new WidgetError(status, code, message, retryAfter);
  }

  private hear(e: MessageEvent): void {
    if (e.source !== this.page || e.origin !== this.origin || !isEnvelope(e.data)) return;
    const message = e.data as unknown as ToApp;
    if (message.type === "session") this.waiting.get(message.id)?.(message.result);
    else this.listener(message);
  }
}

export type { Init };
