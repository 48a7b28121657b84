/**
 * The real window, clicked by WebKitWebDriver: `node tests/window/run.mjs target/debug/shopbell`.
 *
 * Each run has a display (Xvfb), a session bus, a keychain and a home folder of its own, so it neither sees nor changes anything
 * of whoever runs it. What cannot be had is named, and counted as a failure. Whatever the run started ends with it: the bus starts
 * services that outlive their caller, and one of them holding on to a pipe would keep everything that waits for its end waiting.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const program = resolve(process.argv[2] ?? "target/debug/shopbell");
if (!existsSync(program)) fail(`There is no ${program}: cargo build -p shopbell`);
for (const tool of ["Xvfb", "WebKitWebDriver", "dbus-run-session", "gnome-keyring-daemon", "xdg-open"]) {
  if (spawnSync("which", [tool]).status !== 0) fail(`${tool} is missing: make test installs it.`);
}

const home = mkdtempSync(join(tmpdir(), "shopbell-window-"));
const folders = { XDG_RUNTIME_DIR: "run", XDG_DATA_HOME: "data", XDG_CONFIG_HOME: "config", XDG_CACHE_HOME: "cache", XDG_STATE_HOME: "state" };
const env = { ...process.env, HOME: home, LANG: "C.UTF-8", SHOPBELL_PROGRAM: program, SHOPBELL_LOG: "warn,shopbell_desktop=debug", NO_AT_BRIDGE: "1", GDK_BACKEND: "x11" };
for (const [name, folder] of Object.entries(folders)) {
  env[name] = join(home, folder);
  mkdirSync(env[name], { recursive: true, mode: 0o700 });
}
delete env.WAYLAND_DISPLAY;
delete env.DBUS_SESSION_BUS_ADDRESS;

/** How long the whole run may take. */
const LONGEST_RUN_MS = 10 * 60_000;

const display = await startDisplay();
env.DISPLAY = display.name;
let status = 1;
// A test file that is run by itself, not under `node --test`: that one waits until nobody holds the file's error output any more.
// Its verdict is written down, because the bus may wait for services that nobody needs any more before it lets its session end.
const verdict = join(home, "verdict");
const inside = `printf testpw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; "$0" --test-reporter=spec --test-force-exit "$1"; echo $? >"${verdict}"`;
const session = spawn("dbus-run-session", ["--", "sh", "-c", inside, process.execPath, join(import.meta.dirname, "window.test.mjs")], {
  env,
  stdio: ["ignore", "inherit", "inherit"],
  detached: true, // a process group of its own, to be ended as a whole
});
process.on("SIGTERM", () => process.exit(1));
process.on("SIGINT", () => process.exit(1));
process.on("exit", () => endGroup(session, "SIGKILL"));
const alarm = setTimeout(() => {
  console.error(`The window tests took longer than ${LONGEST_RUN_MS / 60_000} minutes and were stopped.`);
  endGroup(session, "SIGKILL");
}, LONGEST_RUN_MS);
try {
  const over = ended(session);
  while (!existsSync(verdict) && session.exitCode === null && session.signalCode === null) await Promise.race([over, sleep(200)]);
  await Promise.race([over, sleep(3000)]);
  status = existsSync(verdict) ? Number(readFileSync(verdict, "utf8")) : 1;
} finally {
  clearTimeout(alarm);
  endGroup(session, "SIGKILL");
  display.process.kill();
  await Promise.race([ended(display.process), sleep(3000)]);
  display.process.kill("SIGKILL");
  try {
    rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  } catch (error) {
    console.error(`${home} could not be removed: ${error.message}`);
  }
}
process.exit(status);

/** Starts Xvfb on a display number of its own choosing. */
async function startDisplay() {
  const xvfb = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1280x800x24", "-nolisten", "tcp"], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const number = await new Promise((resolve, reject) => {
    let text = "";
    xvfb.stdio[3].on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) resolve(text.trim());
    });
    xvfb.on("exit", () => reject(new Error("Xvfb ended before it had a display.")));
  });
  return { name: `:${number}`, process: xvfb };
}

function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode ?? 1);
  return new Promise((resolve) => child.on("exit", (code) => resolve(code ?? 1)));
}

/** Ends `leader` and everything that it started. */
function endGroup(leader, signal) {
  try {
    process.kill(-leader.pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

function fail(sentence) {
  console.error(sentence);
  console.log("window: 0 passed, 1 failed");
  process.exit(1);
}
