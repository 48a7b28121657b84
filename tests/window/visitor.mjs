/** A visitor of the shop's website, who speaks the chat's protocol without a browser. */
import { randomUUID } from "node:crypto";
import { until } from "./driver.mjs";

export class Visitor {
  #base;
  #headers;

  /** Opens the chat that the pasted line `snippet` names. */
  static async open(base, snippet) {
    const visitor = new Visitor();
    const key = /["']([0-9a-f]{32}|[A-Za-z0-9_-]{20,})["']/.exec(snippet.replace(/https?:[^"']*/g, ""))?.[1];
    if (key === undefined) throw new Error(`no key in the line to paste: ${snippet.slice(0, 300)}`);
    visitor.#base = `${base}/widget/v1`;
    visitor.#headers = { "content-type": "application/json", origin: base };
    const { session } = await visitor.#ask("POST", "/sessions", { key });
    visitor.#headers.authorization = `Bearer ${session}`;
    return visitor;
  }

  async #ask(method, path, body) {
    const response = await fetch(this.#base + path, { method, headers: this.#headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  writes(text) {
    return this.#ask("POST", "/messages", { client_id: randomUUID(), text });
  }

  /** Waits until the shop has said `words` (a text or a pattern). */
  reads(words) {
    return until(`"${words}" in the visitor's chat`, async () => {
      const { messages } = await this.#ask("GET", "/messages");
      const said = JSON.stringify(messages.filter((message) => message.role !== "visitor"));
      return typeof words === "string" ? said.includes(words) : words.test(said);
    });
  }
}
