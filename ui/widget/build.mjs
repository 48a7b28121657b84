/**
 * Builds the website widget into `ui/dist-widget/`, which the hub serves under `/widget/v1/`:
 *
 *   loader.js                          the loader, one classic script
 *   app.html, assets/app-<hash>.{js,css}   the page in the iframe
 *   snippet.template.js                the pasted line, with {{placeholders}}
 *   snippet.words.json                 the default value of {{words}}
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { safeJson } from "./safe-json.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "dist-widget");
const common = { configFile: false, logLevel: "warn", publicDir: false };
const target = "es2022";

/** One classic script, as text. */
async function script(entry, name, define = {}) {
  const result = await build({
    ...common,
    root: here,
    define,
    build: {
      write: false,
      target,
      minify: true,
      lib: { entry: join(here, entry), formats: ["iife"], name, fileName: () => "out.js" },
    },
  });
  const [bundle] = Array.isArray(result) ? result : [result];
  const code = bundle.output[0].code.trim();
  if (code.includes("</")) throw new Error(`${entry}: the built script could close its own <script>`);
  return code;
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

await writeFile(join(out, "loader.js"), `${await script("loader/main.ts", "shopbellLoader")}\n`);

const places = ["base", "key", "color", "position", "greeting", "words"];
const define = Object.fromEntries(places.map((p) => [`__${p.toUpperCase()}__`, `__SHOPBELL_${p.toUpperCase()}__`]));
let snippet = await script("snippet.entry.ts", "shopbellSnippet", define);
for (const place of places) {
  const mark = `__SHOPBELL_${place.toUpperCase()}__`;
  if (snippet.split(mark).length !== 2) throw new Error(`snippet: {{${place}}} must stand exactly once`);
  snippet = snippet.replace(mark, `{{${place}}}`);
}
if (/[^\x20-\x7e]/.test(snippet)) throw new Error("snippet: must be one line of plain ASCII");
await writeFile(join(out, "snippet.template.js"), snippet);
const words = await script("snippet.words.ts", "w");
const { SNIPPET_WORDS } = await import(
  `data:text/javascript,${encodeURIComponent(`${words};export const SNIPPET_WORDS = w.SNIPPET_WORDS ?? w;`)}`
);
await writeFile(join(out, "snippet.words.json"), safeJson(SNIPPET_WORDS));

await build({
  ...common,
  root: join(here, "app"),
  base: "./",
  build: {
    outDir: out,
    emptyOutDir: false,
    target,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: join(here, "app/app.html"),
      output: { entryFileNames: "assets/app-[hash].js", assetFileNames: "assets/app-[hash][extname]" },
    },
  },
});

const page = await readFile(join(out, "app.html"), "utf8");
if (/<script(?![^>]* src=)|<style|style=/.test(page))
  throw new Error("app.html: everything must be a file, or a strict policy will block it");
