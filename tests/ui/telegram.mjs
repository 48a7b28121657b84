/** As much of Telegram as one bot sees, on this computer: it asks, it sends, it is refused. */
import { createServer } from "node:http";

export const token = "123456789:AAF-a-token-for-the-browser-tests-00";

export class Telegram {
  /** What the bot has sent and Telegram has taken. */
  sent = [];
  /** How the next messages are answered: `{ error_code, description }` refuses, `"cut"` takes the message and never says so. */
  next = [];
  #updates = [];
  #update = 700;
  #message = 10;
  #waiting = new Set();

  static async start() {
    const telegram = new Telegram();
    telegram.server = createServer((request, answer) => void telegram.#answer(request, answer));
    await new Promise((done) => telegram.server.listen(0, "127.0.0.1", done));
    telegram.url = `http://127.0.0.1:${telegram.server.address().port}`;
    return telegram;
  }

  close() {
    for (const wake of this.#waiting) wake();
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(done));
  }

  /** Somebody writes to the bot. */
  says(text, from = { id: 4711, first_name: "Rafael", last_name: "Nunes" }) {
    this.#updates.push({
      update_id: ++this.#update,
      message: {
        message_id: ++this.#message,
        date: Math.floor(Date.now() / 1000),
        chat: { ...from, type: "private" },
        from: { ...from, is_bot: false, language_code: "en" },
        text,
      },
    });
    for (const wake of this.#waiting) wake();
  }

  async #answer(request, answer) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : {};
    const [, given, method] = /^\/bot([^/]+)\/(\w+)/.exec(request.url) ?? [];
    const say = (status, value) => {
      answer.writeHead(status, { "content-type": "application/json" });
      answer.end(JSON.stringify(value));
    };
    const refuse = (error_code, description) => say(error_code, { ok: false, error_code, description });
    if (given !== token) return refuse(401, "Unauthorized");
    const good = (result) => say(200, { ok: true, result });
    if (method === "getMe") return good({ id: 123456789, is_bot: true, first_name: "Golden Crust", username: "goldencrust_bot", can_read_all_group_messages: false });
    if (method === "getWebhookInfo") return good({ url: "", pending_update_count: 0, has_custom_certificate: false });
    if (method === "getUpdates") return good(await this.#poll(body));
    if (method !== "sendMessage") return good(true);
    const how = this.next.shift();
    if (how?.error_code) return refuse(how.error_code, how.description);
    this.sent.push(body);
    if (how === "cut") return request.socket.destroy();
    good({ message_id: ++this.#message, date: Math.floor(Date.now() / 1000), chat: { id: body.chat_id, type: "private" }, text: body.text });
  }

  /** What was not confirmed yet; waits a little when there is nothing. */
  async #poll({ offset = 0, timeout = 0 }) {
    this.#updates = this.#updates.filter((one) => one.update_id >= offset);
    if (this.#updates.length === 0 && timeout > 0) {
      await new Promise((done) => {
        const wake = () => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          done();
        };
        const timer = setTimeout(wake, Math.min(timeout, 2) * 1000);
        this.#waiting.add(wake);
      });
    }
    // A hundred at a time, as Telegram does.
    return this.#updates.slice(0, 100);
  }
}
