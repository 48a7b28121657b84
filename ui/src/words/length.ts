/** How long a text is as its channel counts, and into how many messages it will be cut. */
import type { TextLimit } from "../bindings";

/** The length of `text` in the unit of `limit`. */
export function lengthOf(text: string, { unit }: TextLimit): number {
  switch (unit) {
    case "utf16":
      return text.length;
    case "chars":
      return [...text].length;
    case "bytes":
      return new TextEncoder().encode(text).length;
  }
}

/** Nothing to say below four fifths of the limit; above it, how long it is and how many messages it takes. */
export function counted(text: string, limit: TextLimit): { letters: number; messages: number } | undefined {
  const letters = lengthOf(text, limit);
  return letters < limit.max * 0.8 ? undefined : { letters, messages: Math.ceil(letters / limit.max) };
}
