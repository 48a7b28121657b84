/** What only the real window can show: that it opens, that the screens work in WebKitGTK, and that links reach it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { Window, freePort, until } from "./driver.mjs";
import { telegram } from "./telegram.mjs";
import { Visitor } from "./visitor.mjs";

const program = process.env.SHOPBELL_PROGRAM;
let window;
let publicSide;

before(async () => {
  const address = `127.0.0.1:${await freePort()}`;
  publicSide = `http://${address}`;
  window = await Window.open(program, ["--public", address]);
});

after(async () => {
  await window?.close();
});

/** A test that leaves a picture of the window behind when it fails. */
function shows(name, body) {
  test(name, { timeout: 120_000 }, async () => {
    try {
      await body();
    } catch (error) {
      const file = join(import.meta.dirname, "../../test-results", `${name.replaceAll(/\W+/g, "-")}.png`);
      const picture = await window.picture().catch(() => undefined);
      if (picture) {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, picture, "base64");
        console.error(`The window as it was: ${file}`);
      }
      throw error;
    }
  });
}

/** What the app has written to its log. */
function log() {
  const folder = join(process.env.XDG_DATA_HOME, "shopbell/default/logs");
  return readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8")).join("");
}

/** Waits for the app to say, once more than before, that it dropped a link nobody waits for. */
async function dropsALink(open) {
  const dropped = () => log().split("A link that nobody waits for was dropped.").length;
  const before = dropped();
  await open();
  await until("the link in the running app", () => dropped() === before + 1);
  assert.ok(!log().includes("nobody-waits-for-this"), "the log names neither link nor state");
}

/** Runs a program to its end and gives its code. */
function run(command, ...args) {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code));
  });
}

shows("the window opens and shows the first screen", async () => {
  assert.equal(await window.run("return location.origin"), "tauri://localhost");
  await window.reads("Welcome. Which shop is this?");
});

shows("the screens' own fonts and styles pass the content security policy", async () => {
  const loaded = await window.run("await document.fonts.ready; return [...document.fonts].filter((font) => font.status === 'loaded').map((font) => font.family)");
  assert.ok(loaded.some((family) => family.includes("Figtree")), `loaded: ${loaded}`);
});

shows("the window's page cannot reach out", async () => {
  for (const attempt of [
    "await fetch('https://example.com/')",
    "await fetch('http://127.0.0.1:7410/api/v1/openapi.json')",
    "await import('https://example.com/x.js')",
    "new Function('return 1')()",
    "await new Promise((done, fail) => { const s = document.createElement('script'); s.textContent = 'window.reached = 1'; document.head.append(s); window.reached ? done() : fail(new Error('blocked')) })",
    "await window.__TAURI_INTERNALS__.invoke('plugin:opener|open_url', { url: 'https://example.com' })",
    "await window.__TAURI_INTERNALS__.invoke('plugin:dialog|open', { options: {} })",
    "await window.__TAURI_INTERNALS__.invoke('plugin:event|emit', { event: 'deep-link://new-url', payload: [] })",
    "await window.__TAURI_INTERNALS__.invoke('open_external', { url: 'file:///etc/passwd' })",
    "await window.__TAURI_INTERNALS__.invoke('call', { name: 'no_such_command', request: '{}' })",
  ]) {
    await assert.rejects(window.run(attempt), `this should have been refused: ${attempt}`);
  }
});

shows("a file that is chosen becomes knowledge", async () => {
  const { vault } = await window.call("health");
  assert.equal(vault, "open", "the keychain of this session holds the key");
  await window.type(await window.field("Name of the shop"), "Golden Crust");
  await window.click(await window.button("Continue"));
  await window.reads("What should your agent know?");
  const file = join(process.env.HOME, "hours.md");
  writeFileSync(file, "# Opening hours\n\nThe bakery is open from Monday to Saturday, from 7:00 to 19:00. On Sunday it is closed.\n");
  await window.type(await window.find("input[type=file]"), file);
  await window.reads("hours.md");
  await window.reads(/passages?, ready to answer/);
});

shows("a customer's question is answered in the inbox, and a person takes over", async () => {
  const { items } = await window.call("list_connections");
  const website = items.find((one) => one.connector === "website");
  const { snippet } = await window.call("website_snippet", { id: website.id });
  const visitor = await Visitor.open(publicSide, snippet);
  await visitor.writes("When are you open on Saturday?");

  await window.call("update_settings", { first_run_done: true });
  await window.reload();
  await window.go("/inbox");
  await window.reads("Here is what I found");
  const { items: conversations } = await window.call("list_conversations");
  await window.go(`/inbox/${conversations[0].id}`);
  await window.reads("When are you open on Saturday?");
  await window.reads(/7:00/);
  await visitor.reads(/7:00/);

  await window.click(await window.button(/^Take over/));
  await until("a person's conversation", async () => {
    const { owner } = await window.call("get_conversation", { conversation: conversations[0].id });
    return owner.type === "person";
  });
  await window.click(await window.button("Reply"));
  await window.type(await window.find("textarea"), "Ana here: come by, we keep a loaf for you.");
  await window.click(await window.button(/^Send/));
  await visitor.reads("we keep a loaf for you");
});

shows("a connection's form says what is wrong, and names the account when it works", async () => {
  const service = await telegram({ token: "123456789:right-token-of-the-test", name: "Golden Crust Bot" });
  try {
    await window.go("/connections/new/telegram");
    await window.click(await window.button("Save and test"));
    await window.reads(/needs? another look|is needed/);

    await window.type(await window.field("Bot token"), "123456789:wrong-token-of-the-test");
    await window.run("document.querySelector('main details')?.setAttribute('open', '')");
    await window.type(await window.field("Service address"), service.url);
    await window.click(await window.button("Save and test"));
    await window.reads("This does not work yet");
    assert.ok(!(await window.text()).includes("wrong-token-of-the-test"), "a token is never shown");

    const replace = await window.run("return [...document.querySelectorAll('button')].find((one) => one.getAttribute('aria-label')?.startsWith('Replace'))");
    if (replace) await window.click(Object.values(replace)[0]);
    const token = await window.field("Bot token");
    await window.clear(token);
    await window.type(token, "123456789:right-token-of-the-test");
    await window.click(await window.button(/Save and test|Test again|Test now/));
    await window.reads("It works");
    await window.reads("golden_crust_bot");
  } finally {
    service.close();
  }
});

shows("a link brings the running window to the front and starts no second one", async () => {
  const began = Date.now();
  await dropsALink(async () => assert.equal(await run(program, "shopbell://oauth/callback?state=nobody-waits-for-this&code=x"), 0));
  assert.ok(Date.now() - began < 5000, "the second process hands over and ends");
  assert.notEqual((await window.text()).trim(), "");
});

shows("the system knows whose links shopbell:// are", async () => {
  await until("the registration", async () => (await run("sh", "-c", 'test "$(xdg-mime query default x-scheme-handler/shopbell)" = shopbell-handler.desktop')) === 0);
  await dropsALink(async () => assert.equal(await run("xdg-open", "shopbell://oauth/callback?state=nobody-waits-for-this-either&code=x"), 0));
});
