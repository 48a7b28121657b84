/**
 * The one line a shop pastes into its pages.
 *
 * It draws the launcher itself and it carries the offline notice, because the laptop that runs the shop may be
 * asleep, and what sleeps cannot serve a loader. The loader is fetched when the page has nothing better to do, or
 * at the first press. If it has not arrived within three seconds of a press, the visitor is told the truth.
 *
 * Pasted lines stay on pages for years: `Seed` is what every later loader finds, so only add to it.
 *
 * Rules here: no innerHTML and no style attribute (a strict CSP forbids both), nothing global but `Shopbell`, no
 * exception may reach the page, nothing may move (CLS 0), and the whole stays near 3 KB.
 */
import { brand, hex } from "./shared/colour";

/** The words of the snippet, one record per language: `en`, `pt`, `es`. */
export interface Words {
  /** Launcher, closed. */
  open: string;
  /** Launcher, open; also the notice's close button. */
  close: string;
  title: string;
  text: string;
  retry: string;
}

/** What `{{placeholders}}` become. */
export interface Pasted {
  base: string;
  key: string;
  color: string;
  position: string;
  greeting: string;
  words: Record<string, Words>;
}

/** What the loader finds at `window.Shopbell.seed`. Version 1. */
export interface Seed {
  v: 1;
  pasted: Pasted;
  nonce: string;
  host: HTMLElement;
  root: ShadowRoot;
  button: HTMLButtonElement;
  words: Words;
  /** Adds rules to the shadow root in a way a strict CSP allows. */
  style(css: string): void;
  /** Creates an element in the shadow root. */
  make(tag: string, attributes: Record<string, string>, parent?: Element | ShadowRoot): HTMLElement;
  /** Paints launcher and side. */
  paint(color: string, position: string): void;
  /** Shows the notice (the offline one unless told otherwise), or hides it. */
  notice(show: boolean, title?: string, text?: string, retry?: () => void): void;
  /** Fetches the loader (a second run of it does nothing) and says whether the hub gave it. */
  fetch(good: () => void, bad: () => void): void;
  /** Marks the launcher as busy, or not. */
  busy(on: boolean): void;
  /** Whether the visitor is waiting for the chat to open. */
  wanted: boolean;
  /** Set by the loader: what a press on the launcher does from now on. */
  press?: () => void;
}

export type Api = ((...call: unknown[]) => void) & { q: unknown[][]; seed?: Seed };

const CSS = `:host{all:initial!important;position:fixed!important;z-index:2147483000!important;right:20px!important;bottom:calc(20px + env(safe-area-inset-bottom,0px))!important;font:14px/20px system-ui,-apple-system,"Segoe UI","Noto Sans",sans-serif!important}:host(.l){right:auto!important;left:20px!important}@media print{:host{display:none!important}}*{box-sizing:border-box}[hidden]{display:none!important}button{font:inherit;cursor:pointer;border:0}button:focus-visible{outline:2px solid #fff;box-shadow:0 0 0 4px var(--b)}.b{position:relative;display:block;width:56px;height:56px;padding:0;border-radius:50%;background:var(--b);color:var(--o);box-shadow:0 1px 2px rgb(0 0 0/.2),0 6px 16px rgb(0 0 0/.2);-webkit-tap-highlight-color:transparent}.b svg{display:block;margin:auto;width:28px;height:28px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}.b[aria-busy]:after{content:"";position:absolute;inset:-4px;border-radius:50%;border:2px solid var(--b);border-top-color:transparent;animation:r .8s linear .4s infinite}@keyframes r{to{rotate:1turn}}@media(prefers-reduced-motion:reduce){.b:after{animation-duration:3s!important}}.n{position:absolute;bottom:72px;right:0;width:min(320px,calc(100vw - 40px));padding:16px;border-radius:14px;background:#fff;color:#16211c;box-shadow:0 10px 24px rgb(20 30 25/.18),0 0 0 1px rgb(20 30 25/.08)}:host(.l) .n{right:auto;left:0}.n b{display:block;font-weight:650;margin-bottom:4px}.n p{margin:0 0 12px;color:#4a5650}.n button{min-height:36px;padding:0 14px;border-radius:8px;background:var(--b);color:var(--o);font-weight:600}.n button+button{background:none;color:inherit}@media(prefers-color-scheme:dark){.n{background:#1d2622;color:#e9eeec;box-shadow:0 10px 24px rgb(0 0 0/.5),0 0 0 1px #37433e}.n p{color:#b6c1bc}}`;

interface Policy {
  createScriptURL(url: string): string;
}

/** The speech bubble of the launcher. */
const BUBBLE = "M7.9 20A9 9 0 1 0 4 16.1L2 22ZM8 10h8M8 14h5";

export function snippet(pasted: Pasted): void {
  const w = window as unknown as {
    Shopbell?: Api;
    trustedTypes?: { createPolicy(name: string, rules: Policy): Policy };
  };
  const d = document;
  const before = w.Shopbell;
  if (before?.seed) return;
  const start = () => {
    const nonce = me?.nonce || "";
    const lang = navigator.language.slice(0, 2);
    const words = (pasted.words[lang] || pasted.words.en) as Words;
    const host = d.createElement("shopbell-chat");
    const root = host.attachShadow({ mode: "open" });
    const make: Seed["make"] = (tag, attributes, parent = root) => {
      const e = (
        /^(svg|path)$/.test(tag) ? d.createElementNS("http://www.w3.org/2000/svg", tag) : d.createElement(tag)
      ) as HTMLElement;
      for (const name in attributes) {
        if (name === "text") e.textContent = attributes[name] as string;
        else e.setAttribute(name, attributes[name] as string);
      }
      parent.appendChild(e);
      return e;
    };
    const style = (css: string) => {
      try {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(css);
        root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
      } catch {
        make("style", { text: css, nonce });
      }
    };
    style(CSS);
    const region = make("div", { role: "region", "aria-label": words.open });
    const button = make(
      "button",
      { class: "b", type: "button", "aria-expanded": "false", "aria-label": words.open },
      region,
    ) as HTMLButtonElement;
    make("path", { d: BUBBLE }, make("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, button));
    const note = make("div", { class: "n", hidden: "" }, region);
    const live = make("div", { role: "alert" }, note);
    const retry = make("button", { type: "button", text: words.retry }, note);
    const close = make("button", { type: "button", text: words.close }, note);

    let loading = false;
    let policy: Policy | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let again: (() => void) | undefined;
    const seed: Seed = {
      v: 1,
      pasted,
      nonce,
      host,
      root,
      button,
      words,
      style,
      make,
      wanted: false,
      paint(color, position) {
        const c = brand(color);
        host.style.setProperty("--b", hex(c.surface));
        host.style.setProperty("--o", hex(c.on));
        host.className = /left/.test(position) ? "l" : "";
      },
      notice(show, title = words.title, text = words.text, action = want) {
        seed.busy(false);
        live.textContent = "";
        note.hidden = !show;
        if (!show) return;
        make("b", { text: title }, live);
        make("p", { text }, live);
        again = action;
      },
      fetch(good, bad) {
        const s = d.createElement("script");
        const url = `${pasted.base}/widget/v1/loader.js`;
        s.async = true;
        s.nonce = nonce;
        s.onload = good;
        s.onerror = () => {
          s.remove();
          bad();
        };
        policy ??= w.trustedTypes?.createPolicy("shopbell", { createScriptURL: (u) => u });
        s.src = policy ? policy.createScriptURL(url) : url;
        d.head.appendChild(s);
      },
      busy(on) {
        clearTimeout(timer);
        if (on) button.setAttribute("aria-busy", "true");
        else button.removeAttribute("aria-busy");
      },
    };
    const load = () => {
      if (loading || seed.press) return;
      loading = true;
      seed.fetch(
        () => {},
        () => {
          loading = false;
          if (seed.wanted) seed.notice(true);
        },
      );
    };
    const want = () => {
      seed.notice(false);
      if (seed.press) return seed.press();
      seed.wanted = true;
      seed.busy(true);
      timer = setTimeout(() => seed.notice(true), 3000);
      load();
    };
    button.onclick = want;
    retry.onclick = () => {
      button.focus();
      again?.();
    };
    close.onclick = note.onkeydown = (e: Event) => {
      if (e.type !== "click" && (e as KeyboardEvent).key !== "Escape") return;
      seed.wanted = false;
      seed.notice(false);
      button.focus();
    };
    const api = ((...call: unknown[]) => {
      api.q.push(call);
      load();
    }) as Api;
    api.q = before?.q || [];
    api.seed = seed;
    w.Shopbell = api;
    seed.paint(pasted.color, pasted.position);
    // Beside <body>, so that a router that swaps the body (Turbo, pjax) leaves it alone; put back if taken out.
    const keep = () => host.isConnected || d.documentElement.appendChild(host);
    keep();
    new MutationObserver(keep).observe(d.documentElement, { childList: true });
    if (api.q[0]) load();
    else
      (w as unknown as Window).requestIdleCallback
        ? requestIdleCallback(load, { timeout: 4000 })
        : setTimeout(load, 2000);
  };
  const me = d.currentScript;
  try {
    start();
  } catch (e) {
    console.warn("Shopbell", e);
  }
}
