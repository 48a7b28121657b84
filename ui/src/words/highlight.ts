/** The hub marks found words with U+E000 … U+E001, which nobody types. */
export const plain = (excerpt: string): string => excerpt.replace(/[\u{E000}\u{E001}]/gu, "");
