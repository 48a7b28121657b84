/** As much of 360dialog and of Twilio as one number sees, on this computer: each is told where to call, calls there signed, and takes messages. */
import { createHmac } from "node:crypto";
import { createServer } from "node:http";

export const key = "a-360dialog-key-for-the-browser-tests";
export const account = "AC0123456789abcdef0123456789abcdef";
export const authToken = "0123456789abcdef0123456789abcdef";
export const number = "+5511400289220";

export class Phones {
  /** Where 360dialog was told to call, with which headers. */
  webhook = {};
  /** What was sent over either: `{ over, to, text, id }`. */
  sent = [];
  #message = 0;

  static async start() {
    const phones = new Phones();
    phones.server = createServer((request, answer) => void phones.#answer(request, answer));
    await new Promise((done) => phones.server.listen(0, "127.0.0.1", done));
    phones.url = `http://127.0.0.1:${phones.server.address().port}`;
    return phones;
  }

  close() {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(done));
  }

  async #answer(request, answer) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const say = (status, value) => {
      answer.writeHead(status, { "content-type": "application/json" });
      answer.end(JSON.stringify(value));
    };
    const { pathname } = new URL(request.url, this.url);
    if (request.headers["d360-api-key"] !== undefined) {
      if (request.headers["d360-api-key"] !== key) return say(401, { error: "Invalid api key" });
      if (pathname === "/v1/configs/webhook") {
        if (request.method === "POST") this.webhook = JSON.parse(body);
        return this.webhook.url ? say(200, this.webhook) : say(404, {});
      }
      if (pathname === "/messages") {
        const { to, text, status } = JSON.parse(body);
        if (status) return say(200, { success: true });
        const id = `wamid.OUT${++this.#message}`;
        this.sent.push({ over: "whatsapp", to, text: text?.body, id });
        return say(200, { messages: [{ id }] });
      }
      return say(404, { error: "Not found" });
    }
    if (request.method === "POST" && pathname.endsWith("/Messages.json")) {
      const fields = new URLSearchParams(body);
      const sid = `SM${String(++this.#message).padStart(32, "0")}`;
      this.sent.push({ over: "sms", to: fields.get("To"), text: fields.get("Body"), id: sid });
      return say(201, { sid, status: "queued", to: fields.get("To"), from: fields.get("From"), body: fields.get("Body") });
    }
    return say(404, { code: 20404, message: "Not found", status: 404 });
  }

  /** One change as 360dialog passes it on, to where it was told to call. `headers` are those that it was told, unless it forgets them. */
  async tells(field, value, headers = this.webhook.headers) {
    const entry = [{ id: "102290129340398", time: Math.floor(Date.now() / 1000), changes: [{ field, value }] }];
    const answer = await fetch(this.webhook.url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ object: "whatsapp_business_account", entry }),
    });
    return answer.status;
  }

  /** What comes with every message and status. */
  get #line() {
    return { messaging_product: "whatsapp", metadata: { display_phone_number: number.slice(1), phone_number_id: "106540352242922" } };
  }

  /** Somebody writes by WhatsApp. */
  whatsapp(from, name, text, headers) {
    const message = { from, id: `wamid.IN${++this.#message}`, timestamp: String(Math.floor(Date.now() / 1000)), type: "text", text: { body: text } };
    return this.tells("messages", { ...this.#line, contacts: [{ profile: { name }, wa_id: from }], messages: [message] }, headers);
  }

  /** What became of a message. */
  status(id, status, to) {
    const one = { id, status, timestamp: String(Math.floor(Date.now() / 1000)), recipient_id: to };
    return this.tells("messages", { ...this.#line, statuses: [one] });
  }

  /** Somebody writes by SMS, to `hook`, signed as Twilio does. */
  async sms(hook, from, text) {
    const sid = `SM${String(++this.#message).padStart(32, "1")}`;
    const fields = { AccountSid: account, Body: text, From: from, MessageSid: sid, NumMedia: "0", To: number };
    const signed = hook + Object.keys(fields).sort().map((name) => name + fields[name]).join("");
    const answer = await fetch(hook, {
      method: "POST",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        "x-twilio-signature": createHmac("sha1", authToken).update(signed).digest("base64"),
      },
      body: new URLSearchParams(fields),
    });
    return answer.status;
  }
}
