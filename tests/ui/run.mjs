/**
 * Runs the browser tests: `npm test`, or `npm test -- first-run widget` for some of the files in `tests/`.
 *
 * Each file has a hub, a folder and a Chromium of its own. The last line is `N passed, N failed`.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { program } from "./hub.mjs";
import { chromiumPath } from "./stage.mjs";

const folder = join(import.meta.dirname, "tests");
const asked = process.argv.slice(2);
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".test.mjs"))
  .filter((name) => asked.length === 0 || asked.some((word) => name.includes(word)))
  .sort();

for (const [path, how] of [
  [program, "cargo build -p shopbell-server"],
  [chromiumPath, "apt-get install chromium, or CHROMIUM=/path/to/it"],
]) {
  if (existsSync(path)) continue;
  console.error(`There is no ${path}: ${how}`);
  console.log("0 passed, 1 failed");
  process.exit(1);
}

let passed = 0;
let failed = 0;
const stream = run({ files: files.map((name) => join(folder, name)), concurrency: 1, timeout: 600_000 });
stream.on("test:pass", ({ details, skip }) => {
  if (details.type !== "suite" && skip === undefined) passed += 1;
});
stream.on("test:fail", ({ details }) => {
  if (details.type !== "suite") failed += 1;
});
stream.compose(new spec()).on("end", () => {
  if (passed + failed === 0) failed = 1;
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}).pipe(process.stdout, { end: false });
