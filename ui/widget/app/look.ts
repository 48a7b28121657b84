/** The shop's colour as the palette of the chat: every text pair made from it reaches 4.5 : 1. */
import { brand, fromHsl, hex, mix, parse, type Rgb, readable, toHsl } from "../shared/colour";

/** The colours of one look, by the name of their custom property. */
export function palette(color: string, dark: boolean): Record<string, Rgb> {
  const { surface, on } = brand(color);
  const [hue, saturation] = toHsl(surface);
  const page = parse(dark ? "#151d1a" : "#ffffff") as Rgb;
  const canvas = parse(dark ? "#0e1613" : "#f7f6f2") as Rgb;
  const ink = parse(dark ? "#e9eeec" : "#16211c") as Rgb;
  const calm = Math.min(saturation, dark ? 0.45 : 0.6);
  const tint = fromHsl(hue, calm, dark ? 0.13 : 0.925);
  return {
    "--brand": surface,
    "--on-brand": on,
    "--on-brand-2": readable(mix(on, surface, 0.82), [surface], on[0] > 0),
    "--tint": tint,
    "--tint-line": fromHsl(hue, calm, dark ? 0.22 : 0.85),
    "--tint-ink-2": readable(mix(ink, tint, 0.7), [tint], dark),
    "--brand-ink": readable(surface, [page, tint, canvas], dark),
  };
}

export function wear(root: HTMLElement, color: string, dark: boolean): void {
  root.dataset.theme = dark ? "dark" : "light";
  for (const [name, value] of Object.entries(palette(color, dark))) root.style.setProperty(name, hex(value));
}
