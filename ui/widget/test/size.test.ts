/** What a visitor has to download, measured on the built files. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { safeJson } from "../safe-json.mjs";

const dist = join(import.meta.dirname, "..", "..", "dist-widget");
const gzipped = (...names: string[]) =>
  names.reduce((sum, n) => sum + gzipSync(readFileSync(join(dist, n)), { level: 9 }).length, 0);
const assets = () => readdirSync(join(dist, "assets")).map((n) => join("assets", n));

test("the loader is at most 8 KB gzipped", () => {
  expect(gzipped("loader.js")).toBeLessThanOrEqual(8 * 1024);
});

test("the app, page and style included, is at most 45 KB gzipped", () => {
  expect(gzipped("app.html", ...assets())).toBeLessThanOrEqual(45 * 1024);
});

test("the pasted line stays small", () => {
  const line =
    readFileSync(join(dist, "snippet.template.js"), "utf8") + readFileSync(join(dist, "snippet.words.json"), "utf8");
  expect(gzipSync(line, { level: 9 }).length).toBeLessThanOrEqual(3 * 1024);
  expect(line.length).toBeLessThanOrEqual(6 * 1024);
});

test("the pasted line is one line, cannot close its element, and has each place once", () => {
  const line = readFileSync(join(dist, "snippet.template.js"), "utf8");
  expect(line).not.toMatch(/\n|<\//);
  expect(line.match(/\{\{\w+\}\}/g)?.sort()).toEqual([
    "{{base}}",
    "{{color}}",
    "{{greeting}}",
    "{{key}}",
    "{{position}}",
    "{{words}}",
  ]);
});

test("the pasted line reads right on a page in any encoding", () => {
  for (const name of ["snippet.template.js", "snippet.words.json"])
    expect(readFileSync(join(dist, name), "utf8"), name).toMatch(/^[\x20-\x7e]+$/);
  const words = "Não há conexão 🥐 \u2028 </b>";
  expect(safeJson(words)).toMatch(/^[\x20-\x7e]+$/);
  expect(JSON.parse(safeJson(words))).toBe(words);
});

test("hostile values stay values", () => {
  const line = readFileSync(join(dist, "snippet.template.js"), "utf8");
  const greeting = `</script><script>alert(1)</script><!-- \u2028 "'\\ $& {{key}}`;
  const filled = line.replace(/\{\{(\w+)\}\}/g, (_, name) =>
    safeJson(name === "words" ? {} : name === "greeting" ? greeting : "x"),
  );
  expect(filled).not.toMatch(/<\/script|<!--/i);
  expect(() => new Function(filled)).not.toThrow();
});

test("nothing is fetched from elsewhere and nothing is evaluated", () => {
  for (const name of ["loader.js", "app.html", ...assets()]) {
    const text = readFileSync(join(dist, name), "utf8");
    expect(text, name).not.toMatch(
      /\beval\(|new Function|@import|@font-face|innerHTML|insertAdjacentHTML|outerHTML|document\.write/,
    );
  }
});
