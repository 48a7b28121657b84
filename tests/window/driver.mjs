/** As much of the WebDriver protocol as the window tests need, spoken to WebKitWebDriver over plain HTTP. */
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** A port that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Asks `look` again and again until it gives something, for at most `seconds`. */
export async function until(what, look, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < end) {
    try {
      const found = await look();
      if (found) return found;
    } catch (error) {
      last = error;
    }
    await sleep(100);
  }
  throw new Error(`waited ${seconds} s for: ${what}${last ? ` (${last.message})` : ""}`);
}

/** Shopbell's window under WebDriver. */
export class Window {
  #driver;
  #base;
  #session;

  /** Starts the driver, and by it the program. */
  static async open(program, args = []) {
    const window = new Window();
    const port = await freePort();
    // The webview lets itself be driven only when asked at start.
    const env = { ...process.env, TAURI_AUTOMATION: "true", TAURI_WEBVIEW_AUTOMATION: "true" };
    window.#driver = spawn("WebKitWebDriver", [`--port=${port}`, "--host=127.0.0.1"], { env, stdio: ["ignore", "ignore", "inherit"] });
    window.#base = `http://127.0.0.1:${port}`;
    await until("WebKitWebDriver to answer", async () => (await fetch(`${window.#base}/status`)).ok);
    const capabilities = { alwaysMatch: { "webkitgtk:browserOptions": { binary: program, args } } };
    const { sessionId } = await window.#ask("POST", "/session", { capabilities });
    window.#session = `/session/${sessionId}`;
    await window.#ask("POST", `${window.#session}/timeouts`, { script: 20_000 });
    return window;
  }

  async #ask(method, path, body) {
    const response = await fetch(this.#base + path, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
    return value;
  }

  /** Runs `script` (a function's body) in the page; a promise it returns is waited for. */
  run(script, ...args) {
    const body = `const done = arguments[arguments.length - 1]; const args = [...arguments].slice(0, -1);
      (async (...args) => { ${script} })(...args).then((value) => done({ value }), (error) => done({ error: error?.message ?? JSON.stringify(error) }));`;
    return this.#ask("POST", `${this.#session}/execute/async`, { script: body, args }).then((answer) => {
      if (answer?.error !== undefined) throw new Error(answer.error);
      return answer?.value;
    });
  }

  /** Asks the hub something, in the way the screens do. */
  call(name, request = {}) {
    return this.run("return JSON.parse(await window.__TAURI_INTERNALS__.invoke('call', { name: args[0], request: JSON.stringify(args[1]) }))", name, request);
  }

  /** All that can be read in the window. */
  text() {
    return this.run("return document.body.innerText");
  }

  /** Waits until `words` (a text or a pattern) can be read. */
  reads(words, seconds) {
    return until(`"${words}" in the window`, async () => {
      const text = await this.text();
      return typeof words === "string" ? text.includes(words) : words.test(text);
    }, seconds);
  }

  /** Waits for the element of a CSS selector. */
  async find(selector, seconds) {
    const found = await until(selector, () => this.#ask("POST", `${this.#session}/element`, { using: "css selector", value: selector }), seconds);
    return found[ELEMENT];
  }

  /** Waits for a button or link by the words on it or by its label: the whole text, or a pattern in it. */
  async button(words, seconds) {
    const pattern = words instanceof RegExp ? words.source : `^${words.replaceAll(/[^\w ]/g, "\\$&")}$`;
    const script = `return [...document.querySelectorAll("button, a, [role=button], summary")].find((one) => one.checkVisibility() && !one.disabled
      && [one.textContent.trim(), one.getAttribute("aria-label") ?? ""].some((text) => new RegExp(args[0]).test(text)))`;
    const found = await until(`a button "${words}"`, () => this.run(script, pattern), seconds);
    return found[ELEMENT];
  }

  /** Waits for the field under a label. */
  async field(label, seconds) {
    const script = "return [...document.querySelectorAll('label')].find((one) => one.textContent.trim().startsWith(args[0]))?.control";
    const found = await until(`a field "${label}"`, () => this.run(script, label), seconds);
    return found[ELEMENT];
  }

  /** Clicks an element. */
  click(element) {
    return this.#ask("POST", `${this.#session}/element/${element}/click`, {});
  }

  /** Types into an element; for a file field, the path of a file. */
  type(element, text) {
    return this.#ask("POST", `${this.#session}/element/${element}/value`, { text });
  }

  /** Empties a field. */
  clear(element) {
    return this.#ask("POST", `${this.#session}/element/${element}/clear`, {});
  }

  /** A picture of the page, in base64. */
  picture() {
    return this.#ask("GET", `${this.#session}/screenshot`);
  }

  /** Loads the page anew, and waits for it. */
  async reload() {
    await this.run("window.beforeReload = true; setTimeout(() => location.reload(), 0)");
    await until("the page anew", () => this.run("return window.beforeReload === undefined && document.querySelector('h1') !== null"));
  }

  /** Goes to one of the app's own screens. */
  go(path) {
    return this.run("location.hash = args[0]", path);
  }

  /** Ends the session, the program and the driver. */
  async close() {
    try {
      if (this.#session) await this.#ask("DELETE", this.#session);
    } finally {
      this.#driver.kill();
    }
  }
}
