/**
 * The chat itself: joins the line to the hub, the outbox, the tabs and the screen.
 *
 * One rule runs through it: what the hub confirmed is the truth, what the visitor wrote is kept until it is
 * confirmed, and the screen shows both without ever showing one message twice.
 */
import type { Init, ToApp } from "../shared/bridge";
import { intlTag, type Language, language } from "../shared/locale";
import type { ButtonOption, Config, Message, Page, StreamEvent } from "../shared/wire";
import { api as makeApi } from "./api";
import type { Bridge } from "./bridge";
import { Link, type LinkState } from "./link";
import { wear } from "./look";
import { Outbox } from "./outbox";
import { Pause } from "./pause";
import { Tabs } from "./tabs";
import { Times } from "./times";
import { type Entry, Transcript } from "./transcript";
import { Typing } from "./typing";
import { Screen, type Status } from "./view/screen";
import { WORDS, type Words } from "./words";

/** What tabs tell each other. */
type TabTalk =
  | { type: "event"; event: StreamEvent }
  | { type: "page"; messages: Message[] }
  | { type: "link"; state: LinkState };

/** How long after the hub took a message its echo may take to come by the stream. */
const ECHO = 6000;

export class Chat {
  private readonly api = makeApi(new URL("./", location.href).href.split(/[?#]/)[0] ?? "");
  private readonly pause = new Pause();
  private readonly transcript = new Transcript();
  private readonly outbox: Outbox;
  private readonly link: Link;
  private readonly screen: Screen;
  private readonly typing: Typing;
  private tabs: Tabs<TabTalk> | null = null;
  private words: Words;
  private spoken: Language;
  private locale: string;
  private readonly status: Status = { link: "starting", online: true, handoff: null, position: null, person: null };
  private config: Config = {};
  private greeting: string;
  private open: boolean;
  private full: boolean;
  private readMark: string | null;
  private toldRead: string | null = null;
  private frame = 0;
  private offlineTimer: ReturnType<typeof setTimeout> | undefined;
  private draftTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly bridge: Bridge,
    init: Init,
  ) {
    this.locale = init.locale;
    this.spoken = language([init.locale, ...navigator.languages]);
    this.words = WORDS[this.spoken];
    this.greeting = init.greeting;
    this.open = init.open;
    this.full = init.full;
    this.readMark = init.kept.read ?? null;
    this.screen = new Screen(this.words, this.times(), {
      send: (text) => this.send(text),
      changed: (text) => this.drafted(text),
      choose: (entry, option) => this.choose(entry, option),
      retry: (key) => this.outbox.retry(key),
      close: () => bridge.tell({ type: "close" }),
      tryNow: () => this.link.poke(),
      read: () => this.markRead(),
    });
    this.typing = new Typing(
      () => this.drawWriting(),
      (on) => this.tellTyping(on),
    );
    this.link = new Link({
      api: this.api,
      pause: this.pause,
      session: (fresh) => bridge.session(fresh),
      welcomed: (session, changedVisitor) => {
        this.configure(session.config);
        if (changedVisitor && this.tabs) this.join(session.visitor_id);
      },
      page: (page) => this.page(page),
      event: (event) => {
        this.tabs?.say({ type: "event", event });
        this.happened(event);
      },
      state: (state) => {
        this.tabs?.say({ type: "link", state });
        this.linked(state);
      },
      forget: () => {
        this.transcript.clear();
        this.draw();
      },
      ready: () => {
        this.transcript.dropGrowing();
        this.drawWriting();
        void this.outbox.flush();
      },
      now: () => performance.now(),
    });
    this.outbox = new Outbox({
      keep: (name, value) => bridge.tell({ type: "keep", name, value }),
      send: async (draft) => {
        const { session } = await this.link.session();
        const sent = await this.api.send(session, draft);
        setTimeout(() => this.echoed(sent.id), ECHO);
        return sent;
      },
      renew: async () => {
        await this.link.renew(true);
      },
      changed: () => this.draw(),
      delay: (ms) => this.pause.sleep(ms),
    });
    for (const [name, value] of Object.entries(init.kept)) if (name.startsWith("out:")) this.outbox.adopt(name, value);
    this.dress(init);
    this.screen.composer.fill(init.kept.draft ?? "");
    this.screen.status(this.status);
    this.draw();
    if (this.open) this.focus();
    this.watch();
    void this.begin();
  }

  hear(message: ToApp): void {
    switch (message.type) {
      case "init":
        return;
      case "opened":
        this.open = true;
        this.full = message.full;
        this.screen.toEnd();
        this.tabs?.take();
        this.link.poke();
        this.markRead();
        this.focus();
        return;
      case "closed":
        this.open = false;
        this.countUnread();
        return;
      case "look":
        this.full = message.full;
        if (message.locale !== this.locale) this.speak(message.locale);
        this.dress(message);
        return;
      case "kept":
        if (message.name.startsWith("out:")) this.outbox.adopt(message.name, message.value);
        else if (message.name === "read") {
          this.readMark = message.value;
          this.countUnread();
        }
        return;
      case "reset":
        this.reset();
        return;
    }
  }

  // --- Beginning ------------------------------------------------------------

  /** The first session names the visitor; only then can tabs of the same visitor find each other. */
  private async begin(): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        const session = await this.link.session();
        this.join(session.visitor_id);
        return;
      } catch {
        this.linked("waiting");
        await this.pause.sleep(Math.min(30_000, 1000 * 2 ** Math.min(attempt, 5)) * (0.5 + Math.random() / 2));
      }
    }
  }

  private join(visitor: string): void {
    this.tabs?.close();
    this.tabs = new Tabs<TabTalk>(
      `shopbell:${visitor}`,
      (talk) => this.heardFromTab(talk),
      (leading) => {
        if (leading) void this.link.run();
        else {
          this.link.stop();
          this.linked("live");
        }
      },
    );
    if (this.open && document.visibilityState === "visible") this.tabs.take();
    // A tab that follows still reads what there is; later messages come from the tab that leads.
    if (!this.tabs.leading)
      this.link.catchUp().then(
        () => this.linked("live"),
        () => undefined,
      );
  }

  private watch(): void {
    addEventListener("online", () => this.link.poke());
    addEventListener("offline", () => this.link.doubt());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "visible") return;
      if (this.open) this.tabs?.take();
      this.link.poke();
      this.markRead();
    });
    // Back from the browser's freezer: what other tabs said meanwhile is lost, so read again.
    addEventListener("pageshow", (e) => {
      if (e.persisted) void this.link.catchUp().catch(() => undefined);
    });
  }

  private reset(): void {
    this.outbox.clear();
    this.readMark = null;
    this.toldRead = null;
    this.screen.composer.fill("");
    this.tabs?.close();
    this.tabs = null;
    this.link.stop();
    this.link.reset();
    Object.assign(this.status, { link: "starting", handoff: null, position: null, person: null });
    this.screen.status(this.status);
    setTimeout(() => void this.begin(), 0);
  }

  // --- From the hub ---------------------------------------------------------

  private page(page: Page): void {
    this.tabs?.say({ type: "page", messages: page.messages });
    this.arrived(page.messages, page.messages.length > 3);
  }

  private happened(event: StreamEvent): void {
    const { transcript, status } = this;
    switch (event.type) {
      case "message":
        this.arrived([event.data], false);
        return;
      case "message_updated":
        if (transcript.update(event.data)) this.draw();
        return;
      case "message_deleted":
        transcript.remove(event.data.id);
        this.draw();
        return;
      case "delta":
        transcript.delta(event.data.id, event.data.seq, event.data.text, event.data.author?.name ?? null);
        this.typing.heard("bot", false);
        this.drawWriting();
        return;
      case "message_done":
        // The whole message comes by itself; where it did not, it is read.
        if (!transcript.has(event.data.id)) this.link.catchUp().catch(() => undefined);
        return;
      case "typing":
        this.typing.heard(event.data.role, event.data.on === true, event.data.name);
        return;
      case "status":
        status.online = event.data.online ?? status.online;
        status.handoff = event.data.handoff ?? status.handoff;
        status.position = event.data.position ?? null;
        status.person = event.data.name ?? null;
        this.screen.status(status);
        return;
      case "config":
        this.bridge.tell({ type: "config", config: event.data });
        this.configure(event.data);
        return;
      case "read":
      case "reset":
        return;
    }
  }

  private arrived(messages: Message[], many: boolean): void {
    const added = this.transcript.merge(messages);
    for (const m of added) {
      if (m.client_id) this.outbox.settle(m.client_id);
      if (m.role !== "visitor") this.typing.heard(m.role, false);
    }
    if (added.length === 0) return;
    if (many) this.screen.busy(true);
    this.drawNow();
    this.drawWriting();
    if (many) this.screen.busy(false);
    if (this.reading) this.markRead();
    else this.countUnread();
  }

  private heardFromTab(talk: TabTalk): void {
    if (talk.type === "event") this.happened(talk.event);
    else if (talk.type === "page") this.arrived(talk.messages, true);
    else if (!this.tabs?.leading) this.linked(talk.state);
  }

  /** The hub has the message: if the stream did not bring it back by now, something holds the stream back. */
  private async echoed(id: string): Promise<void> {
    if (this.transcript.has(id) || this.link.polling) return;
    try {
      await this.link.catchUp();
      if (this.transcript.has(id) && this.tabs?.leading) this.link.distrustStream();
    } catch {
      // Not reachable at this moment: the line sees that for itself.
    }
  }

  private linked(state: LinkState): void {
    clearTimeout(this.offlineTimer);
    // A short cut is nobody's business: the banner comes when it lasts, or at once where the device itself is offline. Until then
    // nothing is claimed.
    if (state === "waiting" && this.status.link !== "waiting" && navigator.onLine) {
      this.status.link = "starting";
      this.offlineTimer = setTimeout(() => this.cut(), 1200);
    } else if (state === "waiting") {
      this.cut();
      return;
    } else this.status.link = state;
    this.screen.status(this.status);
  }

  /** The line is cut: what is written waits here. */
  private cut(): void {
    clearTimeout(this.offlineTimer);
    this.status.link = "waiting";
    this.typing.clear();
    this.screen.status(this.status);
  }

  private configure(config: Config | undefined): void {
    if (!config) return;
    this.config = { ...this.config, ...config };
    this.greeting = this.config.greeting ?? this.config.theme?.greeting_message ?? this.greeting;
    this.status.online = config.online ?? this.status.online;
    this.screen.status(this.status);
    this.draw();
  }

  // --- From the visitor -----------------------------------------------------

  private send(text: string): void {
    this.typing.sent();
    this.outbox.add(text);
    this.screen.toEnd();
  }

  private choose(entry: Entry, option: ButtonOption): void {
    if (!entry.id || !entry.open) return;
    this.outbox.add(option.label, { message_id: entry.id, option_id: option.id });
    this.screen.toEnd();
    this.focus();
  }

  private drafted(text: string): void {
    this.typing.wrote(text !== "");
    clearTimeout(this.draftTimer);
    const keep = () => this.bridge.tell({ type: "keep", name: "draft", value: text || null });
    if (text) this.draftTimer = setTimeout(keep, 300);
    else keep();
  }

  private tellTyping(on: boolean): void {
    const token = this.link.current?.session;
    // Only a courtesy: if it does not arrive, nothing is amiss.
    if (token && this.status.link === "live") this.api.typing(token, on).catch(() => undefined);
  }

  private get reading(): boolean {
    return this.open && this.screen.atEnd && document.visibilityState === "visible";
  }

  private markRead(): void {
    const last = this.transcript.last;
    if (!this.reading || !last) return;
    if (this.readMark !== last.id) {
      this.readMark = last.id;
      this.bridge.tell({ type: "keep", name: "read", value: last.id });
    }
    const token = this.link.current?.session;
    if (token && this.toldRead !== last.id && last.role !== "visitor") {
      this.toldRead = last.id;
      this.api.read(token, last.cursor).catch(() => {
        this.toldRead = null;
      });
    }
    this.countUnread();
  }

  private countUnread(): void {
    this.bridge.tell({ type: "unread", count: this.reading ? 0 : this.transcript.unreadAfter(this.readMark) });
  }

  // --- On the screen --------------------------------------------------------

  private draw(): void {
    if (this.frame) return;
    // A hidden page gets no animation frames.
    if (document.visibilityState !== "visible") {
      this.drawNow();
      return;
    }
    this.frame = requestAnimationFrame(() => this.drawNow());
  }

  private drawNow(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const shop = this.config.name || null;
    this.screen.name(shop);
    // A person of the shop speaks for it by its name.
    const entries = this.transcript
      .entries(this.outbox.list())
      .map((entry) => (entry.role === "agent" && !entry.name ? { ...entry, name: shop } : entry));
    this.screen.messages(entries, this.greeting, shop);
  }

  private drawWriting(): void {
    this.screen.writing(
      this.transcript.beingWritten,
      this.typing.who(this.words, (role) => this.transcript.nameOf(role), this.config.name || null),
    );
  }

  private dress(look: { color: string; dark: boolean; dir: "ltr" | "rtl" }): void {
    const root = document.documentElement;
    root.dir = look.dir;
    root.lang = this.spoken;
    wear(root, look.color, look.dark);
  }

  private speak(locale: string): void {
    this.locale = locale;
    this.spoken = language([locale, ...navigator.languages]);
    this.words = WORDS[this.spoken];
    this.screen.speak(this.words, this.times());
    this.screen.status(this.status);
    this.draw();
  }

  private times(): Times {
    return new Times(intlTag(this.locale, this.spoken), this.words.today, this.words.yesterday);
  }

  /** On a touch screen the keyboard would cover half of what was just opened. */
  private focus(): void {
    if (this.full && matchMedia("(pointer: coarse)").matches) document.querySelector<HTMLElement>(".scroller")?.focus();
    else this.screen.composer.area.focus();
  }
}
