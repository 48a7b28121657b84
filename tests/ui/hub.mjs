/** A real `shopbell-server` on ports and in a folder of its own, to be used, killed and started again. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");
/** The program under test. */
export const program = join(resolve(root, process.env.CARGO_TARGET_DIR ?? "target"), "debug/shopbell-server");
/** What opens the vault of a hub that was not told otherwise. */
export const passphrase = "a bell over the door";
const token = "browser-tests-token-0123456789-0123456789";

export class Hub {
  folder = mkdtempSync(join(tmpdir(), "shopbell-browser-"));
  /** Everything the program has written to standard error. */
  log = "";
  #child;
  #passphrase;
  #more = [];
  #places = ["127.0.0.1:0", "127.0.0.1:0"];

  /** A hub that runs. `vault: "none"` gives it neither keychain nor passphrase: the first screen has to ask. */
  static async start({ vault = "open", lab = false } = {}) {
    const hub = new Hub();
    hub.#more = lab ? ["--lab"] : [];
    hub.#passphrase = vault === "open" ? passphrase : undefined;
    await hub.up();
    return hub;
  }

  /** Starts the program and waits for its line. A second start takes the same ports. */
  async up() {
    const [admin, open] = this.#places;
    const env = {
      ...process.env,
      HOME: this.folder,
      SHOPBELL_TOKEN: token,
      // No keychain of the person who runs the tests is to be asked.
      DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent",
    };
    delete env.SHOPBELL_PASSPHRASE;
    if (this.#passphrase) env.SHOPBELL_PASSPHRASE = this.#passphrase;
    const child = spawn(program, ["--data-dir", join(this.folder, "data"), "--admin", admin, "--public", open, ...this.#more], { env });
    this.#child = child;
    child.stderr.on("data", (text) => {
      this.log += text;
    });
    const line = await new Promise((ready, fail) => {
      let said = "";
      child.stdout.on("data", (text) => {
        said += text;
        if (said.includes("\n")) ready(said);
      });
      child.on("error", fail);
      child.on("exit", (code) => fail(new Error(`The hub ended with ${code}:\n${this.log}`)));
    });
    const { admin: adminUrl, public: publicUrl, vault } = JSON.parse(line);
    Object.assign(this, { adminUrl, publicUrl, vault });
    this.#places = [adminUrl, publicUrl].map((url) => new URL(url).host);
  }

  /** The newest sign-in link. It works once. */
  async link() {
    const links = () => this.log.match(/http:\/\/\S+#login=\S+/g);
    for (let tries = 0; links() === null && tries < 50; tries++) await new Promise((done) => setTimeout(done, 50));
    return links()?.at(-1);
  }

  /** Asks the admin side for something, as a script would. */
  async call(command, body = {}) {
    const answer = await fetch(`${this.adminUrl}/api/v1/${command}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${command}: ${answer.status} ${text}`);
    return JSON.parse(text);
  }

  /** What a power cut does. */
  kill() {
    return this.#end("SIGKILL");
  }

  /** Ends the program as a system does, and throws its folder away. */
  async close() {
    await this.#end("SIGTERM");
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  async #end(signal) {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.on("exit", done));
    child.kill(signal);
    await gone;
  }
}
