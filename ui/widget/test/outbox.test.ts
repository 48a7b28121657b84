import { beforeEach, describe, expect, test, vi } from "vitest";
import { backoff, Outbox } from "../app/outbox";
import { uuidv7 } from "../shared/uuid";
import { type Draft, type Sent, WidgetError } from "../shared/wire";

/** A hub that stores by client id, as the real one does. */
class Shelf {
  readonly got = new Map<string, string>();
  readonly script: (WidgetError | "lost answer" | "good")[] = [];
  attempts = 0;

  send = async (draft: Draft): Promise<Sent> => {
    this.attempts++;
    const next = this.script.shift() ?? "good";
    if (next instanceof WidgetError) throw next;
    this.got.set(draft.client_id, draft.text);
    if (next === "lost answer") throw new WidgetError(0, "unreachable", "");
    return { id: `msg_${draft.client_id}`, client_id: draft.client_id, created_at: 0 };
  };
}

const waits: number[] = [];
let storage: Map<string, string>;
let shelf: Shelf;
let renew: ReturnType<typeof vi.fn<() => Promise<void>>>;

function outbox(): Outbox {
  const box = new Outbox({
    keep: (name, value) => (value === null ? storage.delete(name) : storage.set(name, value)),
    send: shelf.send,
    renew,
    changed: () => undefined,
    delay: async (ms) => {
      waits.push(ms);
    },
  });
  for (const [name, value] of storage) box.adopt(name, value);
  return box;
}

beforeEach(() => {
  waits.length = 0;
  storage = new Map();
  shelf = new Shelf();
  renew = vi.fn(async () => undefined);
});

const down = () => new WidgetError(0, "unreachable", "");

describe("the outbox", () => {
  test("sends in the order of writing and keeps nothing afterwards", async () => {
    const box = outbox();
    for (const text of ["one", "two", "three"]) box.add(text);
    await box.flush();
    expect([...shelf.got.values()]).toEqual(["one", "two", "three"]);
    expect(storage.size).toBe(0);
    expect(box.list().map((i) => i.state)).toEqual(["sent", "sent", "sent"]);
  });

  test("keeps a message before it is sent", () => {
    outbox().add("hello");
    expect([...storage.values()].map((v) => JSON.parse(v).text)).toEqual(["hello"]);
  });

  test("goes on while the hub is away, with growing pauses, and delivers once", async () => {
    shelf.script.push(
      down(),
      down(),
      new WidgetError(503, "desk_offline", ""),
      new WidgetError(502, "bad_gateway", ""),
    );
    const box = outbox();
    box.add("hello");
    await box.flush();
    expect([...shelf.got.values()]).toEqual(["hello"]);
    expect(waits).toHaveLength(4);
  });

  test("an answer that was lost does not make a second message", async () => {
    shelf.script.push("lost answer");
    const box = outbox();
    box.add("hello");
    await box.flush();
    expect(shelf.attempts).toBe(2);
    expect(shelf.got.size).toBe(1);
  });

  test("a reload between sending and the answer does not make a second message", async () => {
    shelf.script.push("lost answer");
    const first = outbox();
    first.add("hello");
    // The page goes away here: only the storage is left.
    const kept = new Map(storage);
    await first.flush();
    storage = kept;
    const second = outbox();
    await second.flush();
    expect(shelf.got.size).toBe(1);
    expect(storage.size).toBe(0);
  });

  test("waits as long as the hub asks", async () => {
    shelf.script.push(new WidgetError(429, "rate_limited", "", 7));
    const box = outbox();
    box.add("hello");
    await box.flush();
    expect(waits).toEqual([7000]);
    expect(shelf.got.size).toBe(1);
  });

  test("an expired session is renewed once and the message goes out once", async () => {
    shelf.script.push(new WidgetError(401, "session_expired", ""));
    const box = outbox();
    box.add("hello");
    await box.flush();
    expect(renew).toHaveBeenCalledTimes(1);
    expect([...shelf.got.values()]).toEqual(["hello"]);
  });

  test("a session that stays refused becomes a failure that can be retried, not a loop", async () => {
    shelf.script.push(new WidgetError(401, "session_expired", ""), new WidgetError(401, "session_expired", ""));
    const box = outbox();
    const { client_id } = box.add("hello");
    await box.flush();
    expect(box.list().map((i) => i.state)).toEqual(["failed"]);
    box.retry(client_id);
    await box.flush();
    expect(shelf.got.size).toBe(1);
  });

  test("a refusal fails one message, says why after a reload too, and lets the next one through", async () => {
    shelf.script.push(new WidgetError(413, "too_large", ""));
    const box = outbox();
    box.add("huge");
    box.add("small");
    await box.flush();
    expect([...shelf.got.values()]).toEqual(["small"]);
    const again = outbox();
    expect(again.list().map((i) => [i.text, i.state, i.reason])).toEqual([["huge", "failed", "too_large"]]);
    await again.flush();
    expect(shelf.got.size).toBe(1);
  });

  test("an echo by the stream settles a message whose answer is still out", async () => {
    const box = outbox();
    let answer: (e: WidgetError) => void = () => undefined;
    shelf.send = () => new Promise((_, reject) => (answer = reject));
    const slow = new Outbox({
      keep: (n, v) => (v === null ? storage.delete(n) : storage.set(n, v)),
      send: shelf.send,
      renew,
      changed: () => undefined,
      delay: async () => undefined,
    });
    const { client_id } = slow.add("hello");
    slow.settle(client_id);
    answer(down());
    await slow.flush();
    expect(slow.list()).toEqual([]);
    expect(storage.size).toBe(0);
    expect(box.list()).toEqual([]);
  });

  test("rubbish in the storage is left alone", () => {
    storage.set("out:x", "{");
    storage.set("out:y", JSON.stringify({ client_id: "z", text: 1 }));
    expect(outbox().list()).toEqual([]);
  });
});

test("pauses grow from one second to thirty, half of them by chance", () => {
  expect([0, 1, 2, 3, 4, 5, 6, 60].map((n) => backoff(n, () => 1))).toEqual([
    1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000,
  ]);
  expect(backoff(5, () => 0)).toBe(15000);
});

test("client ids are UUIDs of version 7 that sort as they were made", () => {
  const ids = Array.from({ length: 5000 }, () => uuidv7(1_790_000_000_000));
  expect(ids).toEqual([...ids].sort());
  expect(new Set(ids).size).toBe(5000);
  expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
