/** Cuts JSON into coloured pieces. No HTML is made from it, so whatever a stranger sent stays text. */

export type Piece = { kind: "key" | "string" | "number" | "plain"; text: string };
const token = /("(?:\\.|[^"\\])*")(\s*:)?|\b-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b|\b(?:true|false|null)\b/g;

/** `text` indented, if it is JSON; otherwise as it came. */
export function pretty(text: string): { text: string; json: boolean } {
  try {
    return { text: JSON.stringify(JSON.parse(text), null, 2), json: true };
  } catch {
    return { text, json: false };
  }
}

export function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  let last = 0;
  for (const match of text.matchAll(token)) {
    if (match.index > last) out.push({ kind: "plain", text: text.slice(last, match.index) });
    const [whole, quoted, colon] = match;
    if (quoted === undefined) out.push({ kind: "number", text: whole });
    else {
      out.push({ kind: colon === undefined ? "string" : "key", text: quoted });
      if (colon !== undefined) out.push({ kind: "plain", text: colon });
    }
    last = match.index + whole.length;
  }
  if (last < text.length) out.push({ kind: "plain", text: text.slice(last) });
  return out;
}
