/** The whole screen: header, notices, transcript, composer. It shows what it is told and decides nothing. */

import type { Times } from "../times";
import type { Entry, Growing } from "../transcript";
import { fill, type Words } from "../words";
import { Composer, type ComposerEvents } from "./composer";
import { h, icon } from "./dom";
import { type LogEvents, LogView } from "./log";

export interface ScreenEvents extends ComposerEvents, LogEvents {
  close(): void;
  tryNow(): void;
  /** The visitor reads, or went away from, the newest message. */
  read(): void;
}

export interface Status {
  link: "starting" | "live" | "waiting";
  online: boolean;
  handoff: "bot" | "human" | "queued" | null;
  position: number | null;
  person: string | null;
}

export class Screen {
  readonly composer: Composer;
  readonly log: LogView;
  private readonly title = h("h1", { dir: "auto" });
  private readonly line = h("p", { class: "line", role: "status" });
  private readonly closer = h("button", { type: "button", class: "closer" }, icon("close"));
  private readonly banner = h("div", { class: "banner", role: "status" });
  private readonly queue = h("div", { class: "queue", role: "status" });
  private readonly scroller: HTMLElement;
  private readonly main: HTMLElement;
  private readonly empty = h("p", { class: "empty", hidden: true });
  private readonly typing = h("p", { class: "unseen", role: "status" });
  private readonly newest = h("button", { type: "button", class: "newest", hidden: true }, icon("down"));

  constructor(
    private words: Words,
    times: Times,
    private readonly events: ScreenEvents,
  ) {
    this.log = new LogView(words, times, events);
    this.composer = new Composer(words, events);
    this.scroller = h(
      "div",
      { class: "scroller", tabindex: "0", role: "region" },
      this.empty,
      this.log.element,
      this.log.growing,
    );
    const header = h("header", {}, bell(), h("div", { class: "names" }, this.title, this.line), this.closer);
    this.main = h(
      "main",
      {},
      this.banner,
      this.queue,
      h("div", { class: "pane" }, this.scroller, this.newest),
      this.typing,
      this.composer.element,
    );
    document.body.replaceChildren(header, this.main);
    this.closer.onclick = () => events.close();
    this.newest.onclick = () => {
      this.toEnd();
      this.composer.area.focus();
    };
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.stuck && this.toEnd()).observe(this.scroller);
    addEventListener("keydown", (e) => {
      if (e.key === "Escape" && !e.isComposing) events.close();
    });
    this.speak(words, times);
  }

  /** Follows the newest message unless the visitor scrolled away from it. */
  private stuck = true;

  get atEnd(): boolean {
    return this.stuck;
  }

  private scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const was = this.stuck;
    this.stuck = scrollHeight - scrollTop - clientHeight < 48;
    this.newest.hidden = this.stuck;
    if (this.stuck && !was) this.events.read();
  }

  toEnd(): void {
    this.stuck = true;
    this.newest.hidden = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  speak(words: Words, times: Times): void {
    this.words = words;
    this.closer.setAttribute("aria-label", words.close);
    this.closer.title = words.close;
    this.newest.setAttribute("aria-label", words.newest);
    this.newest.title = words.newest;
    this.scroller.setAttribute("aria-label", words.conversation);
    this.empty.textContent = words.empty;
    this.composer.speak(words);
    this.log.speak(words, times);
    // The shop's page has a main part of its own.
    this.main.setAttribute("aria-label", words.chat);
    document.title = words.chat;
  }

  name(shop: string | null): void {
    this.title.textContent = shop || this.words.title;
  }

  messages(entries: Entry[], greeting: string, shop: string | null): void {
    this.empty.hidden = entries.length > 0 || greeting !== "";
    this.log.render(entries, greeting, shop);
    if (this.stuck) this.toEnd();
    else this.scrolled();
  }

  /** While a long history is filled in, nothing of it is read out. */
  busy(on: boolean): void {
    this.log.element.setAttribute("aria-busy", String(on));
  }

  writing(answers: Growing[], typing: string | null): void {
    const name = typing ?? answers.at(0)?.name ?? null;
    const text =
      typing !== null || answers.length > 0 ? fill(this.words.writing, { name: name || this.words.assistant }) : "";
    if (this.typing.textContent !== text) this.typing.textContent = text;
    this.log.renderGrowing(answers, typing);
    if (this.stuck) this.toEnd();
  }

  status(s: Status): void {
    const { words } = this;
    const person = s.person ? fill(words.withNamed, { name: s.person }) : words.withPerson;
    const line =
      s.link === "starting"
        ? words.connecting
        : s.link === "waiting"
          ? words.unreachable
          : s.handoff === "human"
            ? person
            : s.online
              ? words.online
              : words.away;
    if (this.line.textContent !== line) this.line.textContent = line;
    document.documentElement.dataset.link = s.link === "live" && !s.online ? "away" : s.link;
    this.notice(this.banner, s.link === "waiting" ? (navigator.onLine ? words.offline : words.offlineYou) : "", "off");
    const queued = s.position ? fill(words.queuedAt, { n: s.position }) : words.queued;
    this.notice(this.queue, s.handoff === "queued" ? queued : "", "hand");
  }

  private notice(box: HTMLElement, text: string, name: "off" | "hand"): void {
    if (box.dataset.text === text) return;
    box.dataset.text = text;
    box.replaceChildren();
    if (!text) return;
    box.append(icon(name), h("p", {}, text));
    if (name === "off") {
      const now = h("button", { type: "button", class: "link" }, this.words.tryNow);
      now.onclick = () => this.events.tryNow();
      box.append(now);
    }
  }
}

/** The bell over the shop's door. */
function bell(): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 64 64");
  svg.setAttribute("class", "bell");
  svg.setAttribute("aria-hidden", "true");
  const part = (d: string, attributes: Record<string, string>) => {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    for (const [name, value] of Object.entries({ d, ...attributes })) path.setAttribute(name, value);
    svg.append(path);
  };
  const line = { fill: "none", "stroke-linecap": "round" };
  const tilt = { transform: "rotate(-11 37.5 20)" };
  part("M15 0h34a15 15 0 0 1 15 15v34a15 15 0 0 1-15 15H15A15 15 0 0 1 0 49V15A15 15 0 0 1 15 0Z", { fill: "#123124" });
  part("M14 13v14", { ...line, stroke: "#f8cb77", "stroke-width": "4.5" });
  part("M14 20C18 9.5 39 8 37.5 20.5", { ...line, stroke: "#f8cb77", "stroke-width": "3.6" });
  part("M37.5 54.6a4.6 4.6 0 0 1 0-9.2 4.6 4.6 0 0 1 0 9.2Z", { ...tilt, fill: "#f8cb77" });
  part(
    "M37.5 19.5c-7.8 0-12 5.7-12 13.3v5.4c0 2.6-1.3 4.1-3 5.5-1.7 1.5-1 4.3 1.4 4.3h27.2c2.4 0 3.1-2.8 1.4-4.3-1.7-1.4-3-2.9-3-5.5v-5.4c0-7.6-4.2-13.3-12-13.3Z",
    { ...tilt, fill: "#f2b74e" },
  );
  part("M31.5 37v-4.6c0-3.4 1.3-5.8 3.6-7.1", {
    ...line,
    ...tilt,
    stroke: "#fdf8eb",
    "stroke-width": "2.6",
    opacity: ".75",
  });
  part("M54.5 25.5c1.6 3 1.9 6.3 1 9.6", { ...line, stroke: "#f8cb77", "stroke-width": "2.6" });
  return svg;
}
