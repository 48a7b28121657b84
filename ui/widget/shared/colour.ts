/**
 * Colours that can be read, made from the one colour a shop chose.
 *
 * Contrast is WCAG 2's. Whatever the owner types, text on the brand colour and brand-coloured text on a surface
 * reach 4.5 : 1. A colour that is almost dark enough for white text is darkened a little rather than given black
 * text, because that is what its owner expects to see.
 */

export type Rgb = [number, number, number];

/** The colour of the door: used when a shop's colour cannot be read. */
export const FALLBACK = "#225b43";

/** Reads `#rgb` and `#rrggbb`. */
export function parse(text: string): Rgb | null {
  const hex = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim())?.[1];
  if (!hex) return null;
  const long = hex.length === 3 ? hex.replace(/./g, "$&$&") : hex;
  const n = Number.parseInt(long, 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

export const hex = (c: Rgb): string => `#${c.map((v) => Math.round(v).toString(16).padStart(2, "0")).join("")}`;

function luminance(c: Rgb): number {
  const [r, g, b] = c.map((v) => (v <= 10 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4)) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a: Rgb, b: Rgb): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

/** `amount` of `a` in `b`. */
export const mix = (a: Rgb, b: Rgb, amount: number): Rgb =>
  a.map((v, i) => Math.round(v * amount + (b[i] ?? 0) * (1 - amount))) as Rgb;

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
const AA = 4.5;

/** The brand colour as a surface, and the text colour that can be read on it. */
export function brand(text: string): { surface: Rgb; on: Rgb } {
  let surface = parse(text) ?? (parse(FALLBACK) as Rgb);
  if (contrast(surface, WHITE) >= 3) {
    while (contrast(surface, WHITE) < AA) surface = mix(surface, BLACK, 0.97);
    return { surface, on: WHITE };
  }
  return { surface, on: BLACK };
}

/** Hue 0–360, saturation and lightness 0–1. */
export function toHsl(c: Rgb): [number, number, number] {
  const [r, g, b] = c.map((v) => v / 255) as Rgb;
  const max = Math.max(r, g, b);
  const d = max - Math.min(r, g, b);
  const l = max - d / 2;
  if (d === 0) return [0, 0, l];
  const h = max === r ? (g - b) / d : max === g ? (b - r) / d + 2 : (r - g) / d + 4;
  return [(h * 60 + 360) % 360, d / (1 - Math.abs(2 * l - 1)), l];
}

export function fromHsl(h: number, s: number, l: number): Rgb {
  const part = (n: number) => {
    const k = (n + h / 30) % 12;
    return Math.round(255 * (l - s * Math.min(l, 1 - l) * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [part(0), part(8), part(4)];
}

/** `color` made darker or lighter, in its own hue, until it can be read as text on every one of `surfaces`. */
export function readable(color: Rgb, surfaces: Rgb[], lighter: boolean): Rgb {
  const [h, s, l] = toHsl(color);
  for (let i = 0; i <= 50; i++) {
    const ink = fromHsl(h, s, lighter ? Math.min(1, l + i / 50) : Math.max(0, l - i / 50));
    if (surfaces.every((surface) => contrast(ink, surface) >= AA)) return ink;
  }
  return lighter ? WHITE : BLACK;
}
