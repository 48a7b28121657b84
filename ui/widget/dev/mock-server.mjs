/**
 * A hub for tests and for trying the widget by hand: the website channel's routes, from its protocol, in memory.
 * It is no part of the product. `node ui/widget/dev/mock-server.mjs` (after `npm run build:widget`) opens a shop
 * page on http://127.0.0.1:7499/ whose hub is http://127.0.0.1:7498.
 */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { safeJson } from "../safe-json.mjs";
import { SCRIPT } from "./script.mjs";

const DIST = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "dist-widget");
const TYPES = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
};
const APP_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' https: data:; base-uri 'none'; form-action 'none'";

export class MockHub {
  // What is on the hub's disk: it outlives a restart.
  sessions = new Map();
  tickets = new Set();
  messages = [];
  reads = [];
  typings = [];
  requests = [];
  counter = 0;
  // How it behaves.
  /** `open`, `refused`, or `held back`: accepted, but no byte arrives. */
  streams = "open";
  /** `scripted`, or `none`. */
  answers = "scripted";
  /** `[status, error]` for each message, or null. */
  refuse = null;
  /** Messages are stored, but the answer to the sender is lost. */
  loseAnswers = false;
  oldestCursor = 0;
  allowed = null;
  config = {
    name: "Pão Dourado",
    theme: { primary_color: "#225b43", position: "bottom-right", greeting_message: "Oi! How can we help?" },
    greeting: "Hi! Ask about bread, opening hours or an order. **We read every message.**",
    online: true,
  };
  listeners = new Set();

  async start() {
    this.server = createServer((q, r) =>
      this.handle(q, r).catch((e) => {
        console.error("mock hub:", e);
        if (!r.headersSent) r.writeHead(500);
        r.end();
      }),
    );
    await new Promise((done, fail) => this.server.once("error", fail).listen(this.port ?? 0, "127.0.0.1", done));
    this.port = this.server.address().port;
    this.base = `http://127.0.0.1:${this.port}`;
    return this;
  }

  async stop() {
    for (const l of this.listeners) l.end();
    this.listeners.clear();
    const closed = new Promise((done) => this.server.close(done));
    this.server.closeAllConnections();
    await closed;
  }

  async handle(q, r) {
    const url = new URL(q.url, this.base);
    this.requests.push(`${q.method} ${url.pathname}`);
    const origin = q.headers.origin;
    const ours = origin === undefined || origin === this.base || this.allowed === null || this.allowed.includes(origin);
    if (origin && ours) {
      r.setHeader("access-control-allow-origin", origin);
      r.setHeader("vary", "origin");
    }
    if (q.method === "OPTIONS") {
      if (!ours) return r.writeHead(403).end();
      r.writeHead(204, {
        "access-control-allow-methods": "GET,POST,DELETE",
        "access-control-allow-headers": "authorization,content-type",
        "access-control-max-age": "600",
      });
      return r.end();
    }
    const path = url.pathname.replace("/widget/v1/", "");
    if (q.method === "GET" && /^(loader\.js|app\.html|assets\/)/.test(path)) return this.file(path, r);
    const fail = (status, error, more = {}) => this.json(r, status, { error, message: error, ...more });
    if (!ours) return fail(403, "origin_not_allowed");
    const body = q.method === "POST" ? JSON.parse((await text(q)) || "{}") : {};
    if (path === "sessions") return this.open(body, r, fail);
    if (path === "stream") return this.stream(url, r, fail);
    const visitor = this.sessions.get((q.headers.authorization ?? "").replace("Bearer ", ""));
    if (!visitor) return fail(401, "session_expired");
    if (path === "messages" && q.method === "GET") return this.history(url, q, r, visitor, fail);
    if (path === "messages") return this.receive(body, r, visitor, fail);
    if (path === "ticket") {
      const ticket = randomBytes(16).toString("hex");
      this.tickets.add(`${ticket} ${visitor}`);
      return this.json(r, 200, { ticket });
    }
    if (path === "typing") this.typings.push(body.state);
    else if (path === "read") this.reads.push(body.up_to);
    else return fail(404, "not_found");
    return this.json(r, 200, {});
  }

  open(body, r, fail) {
    if (body.key !== "sbw_test") return fail(404, "unknown_key");
    let token = body.session;
    if (!this.sessions.has(token)) {
      token = randomBytes(32).toString("base64url");
      this.sessions.set(token, `vis_${randomBytes(6).toString("hex")}`);
    }
    const visitor = this.sessions.get(token);
    const mine = this.of(visitor);
    return this.json(r, 200, {
      session: token,
      visitor_id: visitor,
      conversation_id: mine.length > 0 ? `cnv_${visitor}` : null,
      config: this.config,
      cursor: mine.at(-1)?.cursor ?? "m_0",
    });
  }

  of(visitor) {
    return this.messages.filter((m) => m.visitor === visitor);
  }

  async history(url, q, r, visitor, fail) {
    const after = Number((url.searchParams.get("after") ?? "m_0").slice(2));
    if (url.searchParams.has("after") && after < this.oldestCursor) return fail(409, "cursor_too_old");
    const limit = Number(url.searchParams.get("limit") ?? 50);
    const read = () =>
      this.of(visitor)
        .filter((m) => Number(m.cursor.slice(2)) > after)
        .slice(0, limit);
    let found = read();
    const until = Date.now() + Number(url.searchParams.get("wait") ?? 0) * 1000;
    while (found.length === 0 && Date.now() < until && !q.socket.destroyed && this.server.listening) {
      await pause(50);
      found = read();
    }
    return this.json(r, 200, {
      messages: found.map(wire),
      cursor: found.at(-1)?.cursor ?? url.searchParams.get("after"),
    });
  }

  receive(body, r, visitor, fail) {
    if (typeof body.client_id !== "string" || typeof body.text !== "string" || body.text === "")
      return fail(400, "invalid");
    if (body.text.length > 4000) return fail(413, "too_large");
    if (this.refuse) return fail(...this.refuse);
    const known = this.messages.find((m) => m.client_id === body.client_id && m.visitor === visitor);
    const { client_id, choice } = body;
    const message =
      known ?? this.say(visitor, "visitor", [{ type: "markdown", text: body.text }], null, { client_id, choice });
    if (!known && this.answers === "scripted") this.answer(visitor, body.text).catch((e) => console.error(e));
    if (this.loseAnswers) return r.destroy();
    return this.json(r, known ? 200 : 201, { id: message.id, client_id, created_at: message.created_at });
  }

  say(visitor, role, parts, name, more = {}) {
    const n = ++this.counter;
    const message = {
      id: `msg_${String(n).padStart(6, "0")}`,
      cursor: `m_${n}`,
      role,
      author: { name },
      parts,
      created_at: Date.now(),
      visitor,
      ...more,
    };
    this.messages.push(message);
    this.tell(visitor, "message", wire(message), message.cursor);
    return message;
  }

  async answer(visitor, question) {
    this.tell(visitor, "typing", { role: "bot", on: true, name: "Nina" });
    await pause(250);
    const parts = SCRIPT.find(([word]) => question.toLowerCase().includes(word))?.[1] ?? [
      { type: "markdown", text: `You said: ${question}` },
    ];
    const words = (parts[0].text ?? "").split(/(?<= )/);
    const id = `msg_${String(this.counter + 1).padStart(6, "0")}`;
    for (const [seq, word] of words.length > 8 ? words.entries() : []) {
      this.tell(visitor, "delta", { id, seq, text: word, author: { name: "Nina" } });
      await pause(15);
    }
    this.tell(visitor, "typing", { role: "bot", on: false });
    this.say(visitor, "bot", parts, "Nina");
  }

  stream(url, r, fail) {
    if (this.streams === "refused") return fail(502, "bad_gateway");
    const entry = [...this.tickets].find((t) => t.startsWith(`${url.searchParams.get("ticket")} `));
    if (!entry) return fail(401, "session_expired");
    this.tickets.delete(entry);
    const visitor = entry.split(" ")[1];
    const after = Number((url.searchParams.get("cursor") ?? "m_0").slice(2));
    if (after < this.oldestCursor) return fail(409, "cursor_too_old");
    r.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" });
    r.flushHeaders();
    if (this.streams === "held back") return undefined;
    r.write("retry: 3000\n\n");
    for (const m of this.of(visitor))
      if (Number(m.cursor.slice(2)) > after) r.write(event("message", wire(m), m.cursor));
    const listener = { visitor, write: (s) => r.write(s), end: () => r.destroy() };
    this.listeners.add(listener);
    const beat = setInterval(() => r.write(":\n\n"), 20_000);
    r.on("close", () => {
      clearInterval(beat);
      this.listeners.delete(listener);
    });
    return undefined;
  }

  tell(visitor, type, data, id) {
    for (const l of this.listeners) if (l.visitor === visitor) l.write(event(type, data, id));
  }

  json(r, status, body) {
    r.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
    r.end(JSON.stringify(body));
  }

  async file(path, r) {
    const safe = normalize(path);
    const content = safe.startsWith("..") ? null : await readFile(join(DIST, safe)).catch(() => null);
    if (!content) return r.writeHead(404).end();
    const headers = {
      "content-type": TYPES[safe.split(".").pop()] ?? "application/octet-stream",
      "x-content-type-options": "nosniff",
    };
    if (safe === "app.html")
      headers["content-security-policy"] =
        `${APP_POLICY}; frame-ancestors 'self' ${this.allowed === null ? "http://127.0.0.1:* http://localhost:*" : this.allowed.join(" ")}`;
    r.writeHead(200, headers);
    return r.end(content);
  }

  /** The pasted line, filled in as the hub does. */
  async snippet(overrides = {}) {
    const words = JSON.parse(await readFile(join(DIST, "snippet.words.json"), "utf8"));
    const { primary_color, position, greeting_message } = this.config.theme;
    const values = {
      base: this.base,
      key: "sbw_test",
      color: primary_color,
      position,
      greeting: greeting_message,
      words,
      ...overrides,
    };
    const template = await readFile(join(DIST, "snippet.template.js"), "utf8");
    return template.replace(/\{\{(\w+)\}\}/g, (_, name) => safeJson(values[name]));
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const wire = ({ visitor: _visitor, choice: _choice, ...message }) => message;
const event = (type, data, id) => `${id ? `id: ${id}\n` : ""}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;

async function text(stream) {
  let all = "";
  for await (const piece of stream) all += piece;
  return all;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const hub = new MockHub();
  hub.port = 7498;
  await hub.start();
  const page = createServer(async (_, r) => {
    r.setHeader("content-type", "text/html; charset=utf-8");
    r.end(
      `<!doctype html><html lang="en"><title>Shop</title><h1>A shop's page</h1><script>${await hub.snippet()}</script></html>`,
    );
  });
  page.listen(7499, "127.0.0.1", () => console.log(`Shop page http://127.0.0.1:7499/ · hub ${hub.base}`));
}
