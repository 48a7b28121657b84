/** A browser, and pages that notice what must not happen in them. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

/** Which browser. */
export const chromiumPath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const pictures = join(import.meta.dirname, "test-results");

export const wide = { width: 1280, height: 800 };
export const narrow = { width: 380, height: 800 };

/** Chromium without anything that calls home. */
export const launch = () =>
  chromium.launch({
    executablePath: chromiumPath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });

/**
 * Notes what went wrong in a page: uncaught errors, console errors, refusals of the content security policy.
 * `allow` names those that the test itself brings about, such as a server that was killed.
 */
export function watch(page, allow = []) {
  const found = [];
  const note = (text) => {
    if (!allow.some((pattern) => pattern.test(text))) found.push(text);
  };
  page.on("pageerror", (error) => note(`uncaught: ${error.stack ?? error.message}`));
  page.on("console", (line) => {
    if (line.type() === "error") note(`console: ${line.text()} (${line.location().url})`);
  });
  return {
    found,
    allow: (pattern) => allow.push(pattern),
    clean: () => assert.deepEqual(found.splice(0), [], "the page has something to complain about"),
  };
}

/** The browser says so when the hub is gone. */
export const hubGone = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_INTERNET_DISCONNECTED|ERR_SOCKET_NOT_CONNECTED|ERR_NETWORK/;

/** What axe has to say about the page as it is. */
export async function axe(page, name) {
  // A colour on its way from one to another is neither.
  await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {}))));
  // A menu belongs to its button; it stands in no landmark.
  const menu = (await page.locator("[role=menu]").count()) > 0;
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"])
    .disableRules(menu ? ["region"] : [])
    .analyze();
  const said = violations.map(
    (one) => `${one.id}: ${one.help}\n${one.nodes.slice(0, 5).map((node) => `    ${node.target.join(" ")}\n        ${node.failureSummary?.split("\n").slice(1).join(" ")}`).join("\n")}`,
  );
  assert.deepEqual(said, [], `axe on ${name}`);
}

/** Nothing may stand outside of the window. */
export async function noSidewaysScroll(page, name) {
  const { wide, inside, widest } = await page.evaluate(() => {
    const inside = document.documentElement.clientWidth;
    const past = [...document.querySelectorAll("body *")]
      .filter((one) => one.getBoundingClientRect().right > inside + 1 && one.checkVisibility({ visibilityProperty: true }))
      .filter((one) => {
        // What scrolls inside a box of its own, or is cut there, does not widen the page.
        for (let up = one.parentElement; up; up = up.parentElement) {
          if (/auto|scroll|hidden|clip/.test(getComputedStyle(up).overflowX) && up.getBoundingClientRect().right <= inside + 1) return false;
        }
        return true;
      });
    return {
      wide: document.documentElement.scrollWidth,
      inside,
      widest: past.slice(0, 5).map((one) => `${one.tagName} ${one.className} ${one.textContent?.slice(0, 40)}`),
    };
  });
  assert.ok(wide <= inside && widest.length === 0, `${name} is ${wide} wide in ${inside}: ${widest.join(" | ")}`);
}

/** Writes a picture into `test-results/` when pictures are wanted (`PICTURES=1`) or `always`. */
export async function picture(page, name, always = false) {
  if (!always && !process.env.PICTURES) return;
  const folder = process.env.PICTURES && process.env.PICTURES !== "1" ? process.env.PICTURES : pictures;
  mkdirSync(folder, { recursive: true });
  // What comes and goes is there or gone.
  await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {}))));
  await page.screenshot({ path: join(folder, `${name.replaceAll(/[^\w.]+/g, "-")}.png`) });
}

/** Waits until `look` gives something, and says what it last threw when it never does. */
export async function until(what, look, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < end) {
    try {
      const got = await look();
      if (got) return got;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`Waited ${seconds} s in vain for ${what}${last ? `: ${last.message}` : ""}`);
}
