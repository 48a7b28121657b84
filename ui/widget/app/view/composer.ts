/** Where the visitor writes. Enter sends, Shift+Enter breaks the line, and an input method keeps its own Enter. */
import { TEXT_LIMIT } from "../../shared/wire";
import { fill, type Words } from "../words";
import { h, icon } from "./dom";

export interface ComposerEvents {
  send(text: string): void;
  /** Called at each change, with what stands there now. */
  changed(text: string): void;
}

export class Composer {
  readonly area = h("textarea", {
    rows: "1",
    id: "text",
    enterkeyhint: "send",
    dir: "auto",
    autocomplete: "off",
    "aria-describedby": "count",
  });
  private readonly button = h("button", { type: "submit", class: "send" }, icon("send"));
  private readonly count = h("p", { id: "count", class: "count", role: "status" });
  private readonly label = h("label", { for: "text", class: "unseen" });
  readonly element = h(
    "form",
    { class: "composer" },
    this.count,
    h("div", { class: "box" }, this.label, this.area, this.button),
  );
  private composing = false;

  constructor(
    private words: Words,
    private readonly events: ComposerEvents,
  ) {
    this.speak(words);
    this.area.addEventListener("compositionstart", () => {
      this.composing = true;
    });
    this.area.addEventListener("compositionend", () => {
      this.composing = false;
    });
    this.area.addEventListener("input", () => this.changed());
    this.area.addEventListener("keydown", (e) => {
      // Safari ends the composition before the Enter that confirms it: 229 still tells.
      if (e.key !== "Enter" || e.shiftKey || e.isComposing || this.composing || e.keyCode === 229) return;
      e.preventDefault();
      this.submit();
    });
    this.element.addEventListener("submit", (e) => {
      e.preventDefault();
      this.submit();
      this.area.focus();
    });
    // The whole box is the field.
    this.element.addEventListener("pointerdown", (e) => {
      if ((e.target as Element).classList.contains("box")) {
        e.preventDefault();
        this.area.focus();
      }
    });
  }

  speak(words: Words): void {
    this.words = words;
    this.label.textContent = words.message;
    this.area.placeholder = words.write;
    this.button.setAttribute("aria-label", words.send);
    this.button.title = words.send;
  }

  fill(text: string): void {
    this.area.value = text;
    this.fit();
  }

  private submit(): void {
    const text = this.area.value.trim();
    if (!text || text.length > TEXT_LIMIT) return;
    this.fill("");
    this.events.send(text);
    this.events.changed("");
  }

  private changed(): void {
    this.fit();
    this.events.changed(this.area.value);
  }

  private fit(): void {
    const { area } = this;
    area.style.height = "auto";
    if (area.scrollHeight > 0) area.style.height = `${Math.min(area.scrollHeight, 128)}px`;
    const length = area.value.trim().length;
    const over = length > TEXT_LIMIT;
    this.count.textContent =
      length < TEXT_LIMIT * 0.8
        ? ""
        : fill(over ? this.words.over : this.words.left, { n: Math.abs(TEXT_LIMIT - length) });
    this.count.classList.toggle("over", over);
    this.element.classList.toggle("ready", length > 0 && !over);
    area.setAttribute("aria-invalid", String(over));
  }
}
