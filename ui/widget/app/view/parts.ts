/** The parts of a message, each as nodes: text, a quoted source, a picture, a file, a place, buttons. */
import type { ButtonOption, Part } from "../../shared/wire";
import { safeHref } from "../markdown";
import { fill, type Words } from "../words";
import { h, icon } from "./dom";
import { rich } from "./rich";

/** Media come from the hub itself or from an https address; anything else is not followed. */
function mediaUrl(raw: string): string | null {
  try {
    const url = new URL(raw, location.href);
    return url.origin === location.origin || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

/** What stands inside the bubble. Buttons and the names of sources stand under it. */
export function insideBubble(part: Part, plain: boolean, words: Words): Node | null {
  switch (part.type) {
    case "markdown":
      // What the visitor typed is shown as it was typed.
      return plain ? h("p", { dir: "auto", class: "typed" }, part.text) : rich(part.text, words);
    case "source":
      return part.quote ? h("blockquote", { class: "quote", dir: "auto" }, `“${part.quote}”`) : null;
    case "image": {
      const src = mediaUrl(part.url);
      if (!src) return h("p", {}, words.photo);
      return h("img", {
        src,
        alt: part.alt || words.photo,
        class: "photo",
        loading: "lazy",
        referrerpolicy: "no-referrer",
      });
    }
    case "file": {
      const href = mediaUrl(part.url);
      const label = [
        h("span", { dir: "auto" }, part.name || words.file),
        part.bytes ? h("small", {}, size(part.bytes)) : null,
      ];
      if (!href) return h("p", { class: "file" }, icon("file"), ...label);
      return h(
        "a",
        { class: "file", href, download: part.name || "", target: "_blank", rel: "noopener noreferrer" },
        icon("file"),
        ...label,
      );
    }
    case "location": {
      const at = `${part.latitude.toFixed(5)},${part.longitude.toFixed(5)}`;
      const href = safeHref(
        `https://www.openstreetmap.org/?mlat=${part.latitude}&mlon=${part.longitude}#map=16/${part.latitude}/${part.longitude}`,
      );
      const name = part.name || part.address || `${words.place} ${at}`;
      return h(
        "a",
        { class: "file", href: href ?? "", target: "_blank", rel: "noopener noreferrer" },
        icon("pin"),
        h("span", { dir: "auto" }, name),
      );
    }
    case "buttons":
      return null;
    default:
      return h("p", { class: "unknown" }, words.unknown);
  }
}

export function sourceLine(title: string, words: Words): HTMLElement {
  return h("p", { class: "source" }, icon("file"), h("span", { dir: "auto" }, fill(words.from, { title })));
}

export interface Choosing {
  chosen: string | null;
  open: boolean;
  choose(option: ButtonOption): void;
}

export function buttons(options: ButtonOption[], choosing: Choosing, words: Words): HTMLElement {
  const group = h("div", { class: "options", role: "group", "aria-label": words.choose });
  for (const option of options) {
    const picked = option.id === choosing.chosen;
    const button = h(
      "button",
      { type: "button", class: picked ? "option picked" : "option", disabled: !choosing.open, dir: "auto" },
      picked && icon("check"),
      option.label,
      picked && h("span", { class: "unseen" }, `, ${words.chosen}`),
    );
    button.onclick = () => choosing.choose(option);
    group.append(button);
  }
  return group;
}

function size(bytes: number): string {
  const unit = bytes < 1_000_000 ? "kilobyte" : "megabyte";
  const value = unit === "kilobyte" ? Math.max(1, Math.round(bytes / 1000)) : Math.round(bytes / 100_000) / 10;
  return new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, unitDisplay: "short" }).format(
    value,
  );
}
