/**
 * The panel with its iframe, inside the snippet's shadow root: where it stands, how it opens and closes, where
 * the focus goes, and the talk across the frame's edge.
 */
import { BRIDGE, isEnvelope, type ToApp, type ToPage } from "../shared/bridge";
import type { Seed } from "../snippet";
import { CROSS, STYLE } from "./style";

/** How long the app may take to say hello before the visitor is told that the shop cannot be reached. */
const PATIENCE = 3000;

export interface PanelEvents {
  heard(message: ToPage): void;
  /** The frame did not come to life. */
  unreachable(): void;
}

export class Panel {
  readonly element: HTMLElement;
  private frame: HTMLIFrameElement | undefined;
  private readonly guards: HTMLElement[];
  private readonly badge: HTMLElement;
  private readonly phone = matchMedia("(max-width: 519px), (max-height: 419px)");
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private startedAt = 0;
  /** The app has said hello. */
  alive = false;
  open = false;

  constructor(
    private readonly seed: Seed,
    private readonly origin: string,
    private readonly events: PanelEvents,
  ) {
    const { make, button } = seed;
    seed.style(STYLE);
    const region = button.parentElement as HTMLElement;
    this.badge = make("span", { class: "c", hidden: "", "aria-hidden": "true" }, button);
    make("path", { d: CROSS }, make("svg", { viewBox: "0 0 24 24", class: "x", "aria-hidden": "true" }, button));
    this.element = make("div", { class: "p", id: "p", role: "dialog", hidden: "" }, region);
    button.setAttribute("aria-controls", "p");
    // On a phone the panel covers the page: the two guards send the focus back inside.
    this.guards = [0, 1].map(() => make("span", { "aria-hidden": "true" }, this.element));
    for (const guard of this.guards) guard.onfocus = () => this.focus();
    this.element.onkeydown = (e) => {
      if (e.key === "Escape") this.events.heard({ type: "close" });
    };
    this.phone.addEventListener("change", () => this.fit());
    visualViewport?.addEventListener("resize", () => this.fit());
    visualViewport?.addEventListener("scroll", () => this.fit());
    addEventListener("message", (e) => this.hear(e));
  }

  get full(): boolean {
    return this.phone.matches;
  }

  /** Starts the frame, unseen if the panel is closed. */
  start(src: string): void {
    // A frame that was started unseen and never came to life gets a second chance when it is wanted.
    if (this.frame && !this.alive && Date.now() - this.startedAt > PATIENCE) this.stop();
    if (this.frame) return;
    this.startedAt = Date.now();
    const frame = this.seed.make("iframe", {
      // Links that a visitor follows open as ordinary pages, not as sandboxed ones.
      sandbox:
        "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads",
      allow: "clipboard-write",
      referrerpolicy: "strict-origin",
      title: this.element.ariaLabel ?? "Chat",
      src,
    }) as HTMLIFrameElement;
    this.element.insertBefore(frame, this.guards[1] ?? null);
    this.frame = frame;
    this.expect();
  }

  /** Gives the app `PATIENCE` to say hello, counted from when somebody is waiting for it. */
  private expect(): void {
    clearTimeout(this.waiting);
    if (this.alive || !this.open) return;
    this.waiting = setTimeout(() => {
      this.stop();
      this.events.unreachable();
    }, PATIENCE);
  }

  /** Drops the frame; the next opening starts a new one. */
  stop(): void {
    this.show(false);
    this.frame?.remove();
    this.frame = undefined;
    this.alive = false;
    this.element.classList.remove("r");
  }

  tell(message: ToApp): void {
    if (this.alive) this.frame?.contentWindow?.postMessage({ shopbell: BRIDGE, ...message }, this.origin);
  }

  private hear(e: MessageEvent): void {
    if (!this.frame || e.source !== this.frame.contentWindow || e.origin !== this.origin || !isEnvelope(e.data)) return;
    const message = e.data as unknown as ToPage;
    if (message.type === "hello") {
      this.alive = true;
      clearTimeout(this.waiting);
      this.element.classList.add("r");
    }
    this.events.heard(message);
    if (message.type === "hello" && this.open) this.focus();
  }

  show(open: boolean): void {
    const { button, host, root } = this.seed;
    const inside = root.activeElement !== null && this.element.contains(root.activeElement);
    this.open = open;
    this.element.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    this.fit();
    host.classList.toggle("f", open && this.full);
    if (open) {
      this.expect();
      this.tell({ type: "opened", full: this.full });
      this.focus();
    } else {
      clearTimeout(this.waiting);
      this.tell({ type: "closed" });
      if (inside) button.focus();
    }
  }

  private focus(): void {
    this.frame?.focus({ preventScroll: true });
  }

  /** Follows the screen: full on a phone, and never under its keyboard. */
  private fit(): void {
    const { element, full } = this;
    element.classList.toggle("f", full);
    this.seed.host.classList.toggle("f", full && this.open);
    element.setAttribute("aria-modal", String(full));
    for (const guard of this.guards) full ? guard.setAttribute("tabindex", "0") : guard.removeAttribute("tabindex");
    const view = visualViewport;
    if (full && view) {
      element.style.setProperty("--vh", `${Math.round(view.height)}px`);
      element.style.setProperty("top", `${Math.round(view.offsetTop)}px`);
    } else element.style.removeProperty("top");
  }

  dark(on: boolean): void {
    this.element.classList.toggle("d", on);
  }

  /** Names the launcher and the panel for those who listen. */
  name(title: string, open: string, close: string, unread: string, count: number): void {
    this.element.setAttribute("aria-label", title);
    if (this.frame) this.frame.title = title;
    this.badge.hidden = count === 0 || this.open;
    this.badge.textContent = count > 9 ? "9+" : String(count);
    this.seed.button.setAttribute("aria-label", this.open ? close : count > 0 ? `${open}, ${unread}` : open);
  }
}
