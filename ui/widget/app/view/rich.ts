/** Turns the Markdown tree into nodes. Every word goes in as text; every address was checked by the parser. */
import { type Block, type Inline, parseMarkdown } from "../markdown";
import type { Words } from "../words";
import { h, icon } from "./dom";

export function rich(source: string, words: Words): DocumentFragment {
  const out = document.createDocumentFragment();
  for (const block of parseMarkdown(source)) out.append(blockNode(block, words));
  return out;
}

function blockNode(block: Block, words: Words): Node {
  switch (block.type) {
    case "paragraph":
      return h("p", { dir: "auto" }, ...block.children.map(inlineNode));
    case "heading":
      return h("p", { dir: "auto", class: "heading" }, ...block.children.map(inlineNode));
    case "code":
      return codeNode(block.language, block.text, words);
    case "quote":
      return h("blockquote", {}, ...block.children.map((b) => blockNode(b, words)));
    case "list": {
      const items = block.items.map((item) => h("li", { dir: "auto" }, ...item.map((b) => blockNode(b, words))));
      return block.ordered
        ? h("ol", block.start === 1 ? {} : { start: String(block.start) }, ...items)
        : h("ul", {}, ...items);
    }
  }
}

function inlineNode(node: Inline): Node {
  switch (node.type) {
    case "text":
      return document.createTextNode(node.text);
    case "break":
      return h("br");
    case "code":
      return h("code", {}, node.text);
    case "strong":
      return h("strong", {}, ...node.children.map(inlineNode));
    case "em":
      return h("em", {}, ...node.children.map(inlineNode));
    case "link":
      return h(
        "a",
        { href: node.href, target: "_blank", rel: "noopener noreferrer nofollow ugc" },
        ...node.children.map(inlineNode),
      );
  }
}

function codeNode(language: string, text: string, words: Words): HTMLElement {
  const label = h("span", {}, words.copy);
  const button = h("button", { type: "button", class: "copy" }, icon("copy"), label);
  button.onclick = async () => {
    label.textContent = (await copy(text)) ? words.copied : words.notCopied;
    setTimeout(() => {
      label.textContent = words.copy;
    }, 2000);
  };
  return h(
    "figure",
    { class: "code" },
    h("figcaption", {}, h("span", {}, language || words.code), button),
    // Long lines scroll; what scrolls must be reachable by keyboard.
    h("pre", { tabindex: "0", role: "region", "aria-label": words.code, dir: "ltr" }, h("code", {}, text)),
  );
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // An older browser, or a page that does not lend us its clipboard.
    const area = h("textarea", { class: "unseen", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
