/**
 * The part of Markdown that a chat needs, as a tree. The tree holds text, never HTML; `render.ts` turns it into
 * nodes by `textContent` alone, so whatever a model or a customer writes stays inert.
 *
 * Bold, italic, code, fenced code, lists, quotes, headings (as bold lines) and links to https, mailto and tel.
 * No images, no raw HTML. An open fence at the end counts as closed, so a text can be shown while it is written.
 */
export type Inline =
  | { type: "text"; text: string }
  | { type: "break" }
  | { type: "code"; text: string }
  | { type: "strong" | "em"; children: Inline[] }
  | { type: "link"; href: string; children: Inline[] };

export type Block =
  | { type: "paragraph" | "heading"; children: Inline[] }
  | { type: "code"; language: string; text: string }
  | { type: "list"; ordered: boolean; start: number; items: Block[][] }
  | { type: "quote"; children: Block[] };

/** Characters that turn the reading direction round and so can disguise an address. */
const DIRECTION_TRICKS = /[\u202a-\u202e\u2066-\u2069]/g;
const DEEPEST = 8;
const LONGEST = 50_000;

export function parseMarkdown(source: string): Block[] {
  const text = source.slice(0, LONGEST).replace(/\r\n?/g, "\n").replace(DIRECTION_TRICKS, "").replace(/\0/g, "");
  return blocks(text.split("\n"), 0);
}

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`\s]*)/;
const BULLET = /^( {0,8})([-*+]|\d{1,9}[.)])(?:\s+|$)/;
const HEADING = /^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$/;
const QUOTE = /^ {0,3}> ?/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;

function blocks(lines: string[], depth: number): Block[] {
  const out: Block[] = [];
  let paragraph: string[] = [];
  const flush = () => {
    if (paragraph.length > 0) out.push({ type: "paragraph", children: inlines(paragraph.join("\n").trim(), 0) });
    paragraph = [];
  };
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? "";
    const fence = FENCE.exec(line);
    if (fence) {
      flush();
      const mark = fence[1] ?? "```";
      const code: string[] = [];
      while (++i < lines.length && !closes(lines[i] ?? "", mark)) code.push(lines[i] ?? "");
      out.push({ type: "code", language: (fence[2] ?? "").slice(0, 24), text: code.join("\n") });
      continue;
    }
    if (line.trim() === "" || RULE.test(line)) {
      flush();
      continue;
    }
    const heading = HEADING.exec(line);
    if (heading) {
      flush();
      out.push({ type: "heading", children: inlines(heading[1] ?? "", 0) });
      continue;
    }
    if (depth < DEEPEST && QUOTE.test(line)) {
      flush();
      const inner: string[] = [];
      for (; i < lines.length && QUOTE.test(lines[i] ?? ""); i++) inner.push((lines[i] ?? "").replace(QUOTE, ""));
      i--;
      out.push({ type: "quote", children: blocks(inner, depth + 1) });
      continue;
    }
    const bullet = depth < DEEPEST ? BULLET.exec(line) : null;
    // "1986. A good year" inside a paragraph is not a list: only 1 may interrupt one.
    if (
      bullet &&
      (paragraph.length === 0 || !/^\d/.test(bullet[2] ?? "") || Number.parseInt(bullet[2] ?? "", 10) === 1)
    ) {
      flush();
      const [list, next] = readList(lines, i, depth);
      out.push(list);
      i = next - 1;
      continue;
    }
    paragraph.push(line);
  }
  flush();
  return out;
}

const closes = (line: string, mark: string) => {
  const t = line.trim();
  return t.length >= mark.length && t === (mark[0] ?? "`").repeat(t.length);
};

/** Reads one list; lines that are indented further belong to the item before. */
function readList(lines: string[], from: number, depth: number): [Block, number] {
  const first = BULLET.exec(lines[from] ?? "");
  const indent = first?.[1]?.length ?? 0;
  const ordered = /\d/.test(first?.[2] ?? "");
  const items: string[][] = [];
  let i = from;
  for (; i < lines.length; i++) {
    const line = lines[i] ?? "";
    const bullet = BULLET.exec(line);
    const depthOfLine = line.length - line.trimStart().length;
    if (bullet && depthOfLine <= indent + 1 && !RULE.test(line)) {
      if (/\d/.test(bullet[2] ?? "") !== ordered || depthOfLine < indent) break;
      items.push([line.slice(bullet[0].length)]);
    } else if (line.trim() === "") {
      const next = lines[i + 1] ?? "";
      const goesOn = next.trim() !== "" && (BULLET.test(next) || next.startsWith(" ".repeat(indent + 2)));
      if (!goesOn) break;
      items.at(-1)?.push("");
    } else if (depthOfLine > indent + 1) {
      items.at(-1)?.push(line.slice(Math.min(depthOfLine, indent + (ordered ? 3 : 2))));
    } else if (items.at(-1)?.at(-1) === "" || FENCE.test(line) || HEADING.test(line) || QUOTE.test(line)) break;
    else items.at(-1)?.push(line.trim());
  }
  const start = ordered ? Number.parseInt(first?.[2] ?? "1", 10) : 1;
  return [{ type: "list", ordered, start, items: items.map((item) => blocks(item, depth + 1)) }, i];
}

/** The address if it is one that may be followed. */
export function safeHref(raw: string): string | null {
  try {
    const url = new URL(raw.trim());
    // https://shop.example@evil.example/ names one place and leads to another.
    if (url.username || url.password) return null;
    return /^(https|mailto|tel):$/.test(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function namesOtherHost(label: string, href: string): boolean {
  const shown = /^\s*(?:https?:\/\/|(?=www\.))((?:[\p{L}\p{N}-]+\.)+\p{L}{2,})(?=[/:?#\s]|$)/iu
    .exec(label)?.[1]
    ?.toLowerCase();
  const host = new URL(href).hostname.replace(/^www\./, "");
  return shown !== undefined && host !== "" && shown.replace(/^www\./, "") !== host;
}

const ESCAPABLE = /[\\`*_{}[\]()#+\-.!~<>|]/;
const BARE_URL = /^https:\/\/[^\s<>"'`]+/;

function inlines(text: string, depth: number): Inline[] {
  const out: Inline[] = [];
  let plain = "";
  // A closing mark that was not found once will not be found further on: this keeps hostile text linear.
  const missing = new Set<string>();
  const flush = () => {
    if (plain) out.push({ type: "text", text: plain });
    plain = "";
  };
  const find = (mark: string, from: number): number => {
    if (missing.has(mark)) return -1;
    const at = text.indexOf(mark, from);
    if (at < 0) missing.add(mark);
    return at;
  };
  let i = 0;
  while (i < text.length) {
    const c = text[i] ?? "";
    const next = text[i + 1] ?? "";
    if (c === "\\" && ESCAPABLE.test(next)) {
      plain += next;
      i += 2;
    } else if (c === "\n") {
      plain = plain.trimEnd();
      flush();
      out.push({ type: "break" });
      i++;
    } else if (c === "`") {
      const mark = /^`+/.exec(text.slice(i, i + 16))?.[0] ?? "`";
      const end = find(mark, i + mark.length);
      if (end > 0) {
        flush();
        out.push({
          type: "code",
          text: text
            .slice(i + mark.length, end)
            .replace(/\n/g, " ")
            .replace(/^ (.+) $/, "$1"),
        });
        i = end + mark.length;
      } else {
        plain += mark;
        i += mark.length;
      }
    } else if ((c === "*" || c === "_") && depth < DEEPEST) {
      const mark = next === c ? c + c : c;
      const end = emphasisEnd(text, i, mark, find);
      if (end > 0) {
        flush();
        out.push({
          type: mark.length === 2 ? "strong" : "em",
          children: inlines(text.slice(i + mark.length, end), depth + 1),
        });
        i = end + mark.length;
      } else {
        plain += mark;
        i += mark.length;
      }
    } else if ((c === "[" || (c === "!" && next === "[")) && depth < DEEPEST) {
      const link = linkAt(text, c === "!" ? i + 1 : i, find);
      if (link) {
        flush();
        // A label that is itself an address must be the one it leads to; no label holds links of its own.
        const label = link.label && !namesOtherHost(link.label, link.href) ? link.label : link.href;
        out.push({ type: "link", href: link.href, children: unlinked(inlines(label, depth + 1)) });
        i = link.end;
      } else {
        plain += c;
        i++;
      }
    } else if (c === "<" && /^<(https:|mailto:|tel:)/.test(text.slice(i, i + 8))) {
      const end = find(">", i);
      const href = end > 0 && end - i < 2048 ? safeHref(text.slice(i + 1, end)) : null;
      if (href) {
        flush();
        out.push({
          type: "link",
          href,
          children: [{ type: "text", text: text.slice(i + 1, end).replace(/^(mailto|tel):/, "") }],
        });
        i = end + 1;
      } else {
        plain += c;
        i++;
      }
    } else if (c === "h" && text.startsWith("https://", i) && !/[\p{L}\p{N}]/u.test(text[i - 1] ?? " ")) {
      const found = trimUrl(BARE_URL.exec(text.slice(i, i + 2048))?.[0] ?? "");
      const href = found.length > 8 ? safeHref(found) : null;
      if (href) {
        flush();
        out.push({ type: "link", href, children: [{ type: "text", text: found }] });
        i += found.length;
      } else {
        plain += c;
        i++;
      }
    } else {
      plain += c;
      i++;
    }
  }
  flush();
  return out;
}

/** Where the emphasis that opens at `at` closes, or -1. Marks stand against a word; `_` never inside one. */
function emphasisEnd(text: string, at: number, mark: string, find: (mark: string, from: number) => number): number {
  const from = at + mark.length;
  if (/^\s?$/.test(text[from] ?? "")) return -1;
  if (mark[0] === "_" && /[\p{L}\p{N}]/u.test(text[at - 1] ?? " ")) return -1;
  let end = find(mark, from + 1);
  for (let tries = 0; end > 0 && tries < 32; tries++) {
    const before = text[end - 1] ?? " ";
    const after = text[end + mark.length] ?? " ";
    const inner = mark.length === 1 && (after === mark || before === mark);
    if (!/\s/.test(before) && !inner && before !== "\\" && !(mark[0] === "_" && /[\p{L}\p{N}]/u.test(after))) {
      // Of "***" the last two close the bold, so that the italic inside is whole.
      return mark.length === 2 && after === mark[0] ? end + 1 : end;
    }
    end = text.indexOf(mark, end + (inner && after === mark ? 2 : 1));
  }
  return -1;
}

function linkAt(
  text: string,
  at: number,
  find: (mark: string, from: number) => number,
): { label: string; href: string; end: number } | null {
  const middle = find("](", at + 1);
  if (middle < 0 || middle - at > 1000) return null;
  const end = find(")", middle + 2);
  if (end < 0 || end - middle > 2048) return null;
  const target = text
    .slice(middle + 2, end)
    .trim()
    .replace(/\s+["'].*["']$/, "")
    .replace(/^<|>$/g, "");
  const href = safeHref(target);
  const label = text.slice(at + 1, middle);
  return href && !label.includes("\n\n") ? { label, href, end: end + 1 } : null;
}

/** A full stop or a bracket after an address belongs to the sentence. */
function trimUrl(url: string): string {
  let u = url.replace(/[.,;:!?*_~]+$/, "");
  while (u.endsWith(")") && u.split(")").length > u.split("(").length) u = u.slice(0, -1).replace(/[.,;:!?]+$/, "");
  return u.replace(/[\]}]+$/, "");
}

function unlinked(nodes: Inline[]): Inline[] {
  return nodes.flatMap((n): Inline[] => {
    if (n.type === "link") return unlinked(n.children);
    if (n.type === "strong" || n.type === "em") return [{ ...n, children: unlinked(n.children) }];
    return [n];
  });
}
