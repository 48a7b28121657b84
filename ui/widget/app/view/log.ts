/**
 * The transcript on the screen: nodes are kept by key and touched only where something changed, so that nothing
 * jumps and a screen reader hears each finished message once. An answer that is still being written stands outside
 * the log, where it is not read out piece by piece.
 */
import type { ButtonOption } from "../../shared/wire";
import { sameDay, type Times } from "../times";
import type { Entry, Growing } from "../transcript";
import type { Words } from "../words";
import { h, icon } from "./dom";
import { buttons, insideBubble, sourceLine } from "./parts";
import { rich } from "./rich";

export interface LogEvents {
  choose(entry: Entry, option: ButtonOption): void;
  retry(key: string): void;
}

interface Shown {
  node: HTMLElement;
  /** What the body was made from; another body is another message to read. */
  body: string;
  meta: string;
}

export class LogView {
  readonly element = h("div", { class: "log", role: "log", "aria-live": "polite", "aria-relevant": "additions" });
  readonly growing = h("div", { class: "growing", "aria-hidden": "true" });
  private readonly shown = new Map<string, Shown>();

  constructor(
    private words: Words,
    private times: Times,
    private readonly events: LogEvents,
  ) {
    this.element.setAttribute("aria-label", words.conversation);
  }

  speak(words: Words, times: Times): void {
    this.words = words;
    this.times = times;
    this.shown.clear();
    this.element.replaceChildren();
    this.element.setAttribute("aria-label", words.conversation);
  }

  render(entries: Entry[], greeting: string, shop: string | null): void {
    const order: HTMLElement[] = [];
    const keys = new Set<string>();
    if (greeting) order.push(this.place("greeting", greetingEntry(greeting, shop), true, keys));
    entries.forEach((entry, i) => {
      const before = entries[i - 1];
      if (!before || !sameDay(before.at, entry.at)) order.push(this.day(entry.at, keys));
      const first =
        !before || before.role !== entry.role || before.name !== entry.name || !sameDay(before.at, entry.at);
      order.push(this.place(entry.key, entry, first, keys));
    });
    for (const [key, { node }] of this.shown) {
      if (keys.has(key)) continue;
      node.remove();
      this.shown.delete(key);
    }
    let at: ChildNode | null = this.element.firstChild;
    for (const node of order) {
      if (node === at) at = at.nextSibling;
      else this.element.insertBefore(node, at);
    }
  }

  private day(at: number, keys: Set<string>): HTMLElement {
    const text = this.times.day(at);
    const key = `day ${text}`;
    keys.add(key);
    const known = this.shown.get(key);
    if (known) return known.node;
    const node = h("div", { class: "day" }, text);
    this.shown.set(key, { node, body: "", meta: "" });
    return node;
  }

  private place(key: string, entry: Entry, first: boolean, keys: Set<string>): HTMLElement {
    keys.add(key);
    const body = JSON.stringify([entry.role, entry.name, entry.parts]);
    const meta = JSON.stringify([entry.state, entry.reason, entry.at, entry.chosen, entry.open, first]);
    let shown = this.shown.get(key);
    if (!shown || shown.body !== body) {
      const node = this.message(entry);
      shown?.node.replaceWith(node);
      shown = { node, body, meta: "" };
      this.shown.set(key, shown);
    }
    if (shown.meta !== meta) {
      this.annotate(shown.node, entry, first);
      shown.meta = meta;
    }
    return shown.node;
  }

  private message(entry: Entry): HTMLElement {
    const { words } = this;
    if (entry.role === "system") {
      const text = entry.parts.map((p) => (p.type === "markdown" ? p.text : "")).join(" ");
      return h("div", { class: "message system" }, h("p", { dir: "auto" }, text));
    }
    const name =
      entry.role === "visitor" ? words.you : entry.name || (entry.role === "bot" ? words.assistant : words.team);
    const bubble = h("div", { class: "bubble" });
    for (const part of entry.parts) {
      const node = insideBubble(part, entry.role === "visitor", words);
      if (node) bubble.append(node);
    }
    const sources = entry.parts.flatMap((p) => (p.type === "source" && p.title ? [sourceLine(p.title, words)] : []));
    const author = h(
      "p",
      { class: "author" },
      entry.role !== "visitor" && icon(entry.role === "bot" ? "bot" : "person"),
      h("bdi", {}, name),
    );
    return h("article", { class: `message ${entry.role}` }, author, bubble.childNodes.length > 0 && bubble, ...sources);
  }

  /** What may change while the message stays: its stamp, its state, its buttons. */
  private annotate(node: HTMLElement, entry: Entry, first: boolean): void {
    const { words, times } = this;
    node.classList.toggle("first", first);
    node.dataset.state = entry.state;
    if (entry.role === "system") return;
    for (const old of node.querySelectorAll(".stamp, .trouble, .options")) old.remove();
    const bubble = node.querySelector(".bubble");
    if (entry.at > 0) {
      const mark = entry.role === "visitor" ? this.mark(entry) : null;
      const stamp = h(
        "span",
        { class: "stamp" },
        h("time", { datetime: new Date(entry.at).toISOString(), title: times.full(entry.at) }, times.time(entry.at)),
        mark,
      );
      // In the last line of the text, if it ends in text.
      const last = bubble?.lastElementChild;
      (last?.localName === "p" ? last : (bubble ?? node)).append(stamp);
    }
    if (entry.state === "failed") {
      const again = h("button", { type: "button", class: "link" }, words.again);
      again.onclick = () => this.events.retry(entry.key);
      const reason = words.reasons[entry.reason ?? ""] ?? "";
      node.append(
        h(
          "p",
          { class: "trouble", role: "alert" },
          icon("alert"),
          h("span", {}, `${words.failed} ${reason}`.trim()),
          again,
        ),
      );
    }
    for (const part of entry.parts) {
      if (part.type !== "buttons") continue;
      const { chosen, open } = entry;
      node.append(
        buttons(part.options, { chosen, open, choose: (option) => this.events.choose(entry, option) }, words),
      );
    }
  }

  private mark(entry: Entry): HTMLElement | null {
    const { words } = this;
    const [label, name] = (
      {
        waiting: [words.waiting, "clock"],
        sending: [words.sending, "clock"],
        failed: [words.failed, "alert"],
        sent: [words.sent, "check"],
        done: [words.sent, "check"],
      } as const
    )[entry.state];
    return h("span", { class: "mark", role: "img", "aria-label": label, title: label }, icon(name));
  }

  /** Shows what is being written, and the three dots where nothing can be seen of it yet. */
  renderGrowing(answers: Growing[], typing: string | null): void {
    const { words } = this;
    this.growing.replaceChildren(
      ...answers.map((a) =>
        h(
          "div",
          { class: "message bot first" },
          h("p", { class: "author" }, icon("bot"), h("bdi", {}, a.name || words.assistant)),
          h("div", { class: "bubble" }, rich(a.text, words)),
        ),
      ),
    );
    if (typing !== null && answers.length === 0)
      this.growing.append(
        h(
          "div",
          { class: "message bot first" },
          h("p", { class: "author" }, h("bdi", {}, typing)),
          h("div", { class: "bubble dots" }, h("i"), h("i"), h("i")),
        ),
      );
  }
}

/** The shop's greeting is shown here and nowhere else: no conversation begins by it. */
function greetingEntry(text: string, shop: string | null): Entry {
  return {
    key: "greeting",
    role: "bot",
    name: shop,
    parts: [{ type: "markdown", text }],
    at: 0,
    id: null,
    state: "done",
    chosen: null,
    open: false,
  };
}
