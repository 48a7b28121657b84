/**
 * The loader: what `<public base>/widget/v1/loader.js` is.
 *
 * It takes over the launcher that the pasted line drew, answers `Shopbell(…)`, keeps the session and the outbox in
 * the shop's own storage, and hosts the app in an iframe. It never throws into the page it is a guest of.
 */
import type { ToPage } from "../shared/bridge";
import { language } from "../shared/locale";
import type { Config } from "../shared/wire";
import type { Api } from "../snippet";
import { Kept } from "./kept";
import { Panel } from "./panel";
import { openSession } from "./session";
import { WORDS } from "./words";

export interface BootOptions {
  locale?: string;
  position?: string;
  color?: string;
  greeting?: string;
  /** `auto` follows the visitor's system. */
  theme?: "light" | "dark" | "auto";
  user?: { jwt?: string };
}

function start(api: Api): void {
  const seed = api.seed;
  if (seed?.v !== 1 || seed.press) return;
  const { base, key } = seed.pasted;
  const origin = new URL(base).origin;
  const kept = new Kept(key);
  const night = matchMedia("(prefers-color-scheme: dark)");
  const options: BootOptions = {};
  let painted: Config["theme"] = {};
  let unread = 0;
  let lastToken: string | null = null;

  const locale = () => options.locale || navigator.language;
  const spoken = () => language([options.locale, ...navigator.languages]);
  const words = () => seed.pasted.words[spoken().slice(0, 2)] ?? seed.words;
  const color = () => options.color ?? painted?.primary_color ?? seed.pasted.color;
  const dark = () => (options.theme === "dark" || options.theme === "light" ? options.theme === "dark" : night.matches);
  const dir = (): "ltr" | "rtl" => {
    const asked = options.locale?.slice(0, 2).toLowerCase();
    if (asked) return /^(ar|fa|he|ur)$/.test(asked) ? "rtl" : "ltr";
    return getComputedStyle(document.documentElement).direction === "rtl" ? "rtl" : "ltr";
  };

  const panel = new Panel(seed, origin, {
    heard,
    unreachable: () => {
      rename();
      seed.wanted = true;
      seed.busy(true);
      // A frame that a policy keeps out looks just like a hub that sleeps; whether the loader can be had tells which.
      let told = false;
      const tell = (say: () => void) => () => {
        if (!told) say();
        told = true;
      };
      const asleep = tell(() => seed.notice(true, words().title, words().text, open));
      seed.fetch(tell(unwelcome), asleep);
      setTimeout(asleep, 2000);
    },
  });

  function unwelcome(): void {
    console.warn(
      `Shopbell: the chat may not be shown on ${location.origin}. Add this address to the allowed sites of the website connection, and let the page's own Content-Security-Policy frame and connect to ${base}.`,
    );
    const w = WORDS[spoken()];
    seed?.notice(true, w.unwelcome, w.unwelcomeText, open);
  }

  function rename(): void {
    const w = WORDS[spoken()];
    panel.name(w.chat, words().open, words().close, w.unread(unread), unread);
  }

  function look(): void {
    seed?.paint(color(), options.position ?? painted?.position ?? seed.pasted.position);
    // `paint` sets the class of the side; what the panel put there comes back with it.
    seed?.host.classList.toggle("f", panel.open && panel.full);
    panel.dark(dark());
    rename();
    panel.tell({ type: "look", dark: dark(), color: color(), dir: dir(), locale: locale(), full: panel.full });
  }

  function warm(): void {
    panel.start(`${base}/widget/v1/app.html?key=${encodeURIComponent(key)}#${encodeURIComponent(location.origin)}`);
  }

  function open(): void {
    if (panel.open) return;
    if (seed) {
      seed.wanted = false;
      seed.notice(false);
    }
    warm();
    panel.show(true);
    rename();
  }

  function close(): void {
    if (!panel.open) return;
    panel.show(false);
    rename();
  }

  function reset(): void {
    kept.clear();
    unread = 0;
    panel.tell({ type: "reset" });
    rename();
  }

  async function session(id: number, fresh: boolean): Promise<void> {
    const result = await openSession({ base, key, locale: locale(), jwt: options.user?.jwt }, kept, fresh, lastToken);
    if ("ok" in result) {
      lastToken = result.ok.session;
      configure(result.ok.config);
    } else if (result.refusal.status === 403 || result.refusal.status === 404) {
      if (panel.open) unwelcome();
      panel.stop();
      return rename();
    }
    panel.tell({ type: "session", id, result });
  }

  function configure(config: Config | undefined): void {
    if (!config?.theme) return;
    painted = config.theme;
    look();
  }

  function heard(m: ToPage): void {
    if (m.type === "hello") {
      panel.tell({
        type: "init",
        locale: locale(),
        dir: dir(),
        dark: dark(),
        color: color(),
        greeting: options.greeting ?? seed?.pasted.greeting ?? "",
        open: panel.open,
        full: panel.full,
        kept: kept.forFrame(),
      });
    } else if (m.type === "session") void session(Number(m.id), m.fresh === true);
    else if (m.type === "keep") {
      kept.setFromFrame(m.name, m.value);
      if (String(m.name).startsWith("out:")) kept.set("talk", "1");
    } else if (m.type === "unread") {
      unread = Math.max(0, Math.floor(Number(m.count)) || 0);
      rename();
    } else if (m.type === "config") configure(m.config);
    else if (m.type === "close") close();
  }

  function boot(given: unknown): void {
    Object.assign(options, given);
    look();
  }

  const verbs: Record<string, (value: unknown) => void> = {
    boot,
    open,
    close,
    toggle: () => (panel.open ? close() : open()),
    reset,
    locale: (tag) => boot({ locale: String(tag) }),
  };
  const call = (...[verb, value]: unknown[]): void => {
    try {
      const act = verbs[String(verb)];
      if (act) act(value);
      else console.warn(`Shopbell: there is no "${String(verb)}". Known: ${Object.keys(verbs).join(", ")}.`);
    } catch (e) {
      console.warn("Shopbell", e);
    }
  };

  seed.press = () => call("toggle");
  kept.watch((name, value) => panel.tell({ type: "kept", name, value }));
  night.addEventListener("change", look);
  const replacement = call as Api;
  replacement.q = [];
  replacement.seed = seed;
  (window as unknown as { Shopbell: Api }).Shopbell = replacement;

  seed.busy(false);
  look();
  for (const queued of api.q.splice(0)) call(...queued);
  if (seed.wanted) open();
  // Somebody who has talked here before gets to see that an answer came.
  else if (kept.get("talk")) warm();
}

try {
  const api = (window as unknown as { Shopbell?: Api }).Shopbell;
  if (api) start(api);
} catch (e) {
  console.warn("Shopbell", e);
}
