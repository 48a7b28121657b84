import { expect, test } from "vitest";
import { palette } from "../app/look";
import { brand, contrast, hex, parse, type Rgb } from "../shared/colour";

const COLORS = [
  "#0084ff",
  "#225b43",
  "#ffffff",
  "#000",
  "#ff0",
  "#f2b74e",
  "#e91e63",
  "#777777",
  "#00ff00",
  "#123",
  "nonsense",
  "",
];

test.each(COLORS)("text on %s can be read", (color) => {
  const { surface, on } = brand(color);
  expect(contrast(surface, on)).toBeGreaterThanOrEqual(4.5);
});

test.each(COLORS.flatMap((c) => [[c, false] as const, [c, true] as const]))(
  "the palette of %s (dark: %s) can be read",
  (color, dark) => {
    const p = palette(color, dark) as Record<string, Rgb>;
    const ink = parse(dark ? "#e9eeec" : "#16211c") as Rgb;
    const pairs: [Rgb | undefined, Rgb | undefined][] = [
      [p["--on-brand"], p["--brand"]],
      [p["--on-brand-2"], p["--brand"]],
      [ink, p["--tint"]],
      [p["--tint-ink-2"], p["--tint"]],
      [p["--brand-ink"], p["--tint"]],
      [p["--brand-ink"], parse(dark ? "#151d1a" : "#fff") as Rgb],
    ];
    for (const [a, b] of pairs) expect(contrast(a as Rgb, b as Rgb)).toBeGreaterThanOrEqual(4.5);
  },
);

test("a colour that carries white text stays as it was chosen", () => {
  expect(hex(brand("#225b43").surface)).toBe("#225b43");
});
