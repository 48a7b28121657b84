import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Link, type LinkState } from "../app/link";
import { Pause } from "../app/pause";
import { SseParser } from "../app/sse";
import { Transcript } from "../app/transcript";
import { type Session, WidgetError } from "../shared/wire";
import { FakeHub, message, sse } from "./fakes";

let hub: FakeHub;
let transcript: Transcript;
let states: LinkState[];
let link: Link;
let sessions: number;
let pause: Pause;

beforeEach(() => {
  vi.useFakeTimers();
  hub = new FakeHub();
  transcript = new Transcript();
  states = [];
  sessions = 0;
  pause = new Pause();
  link = new Link({
    api: hub,
    pause,
    session: async (fresh) => {
      if (!hub.up) throw new WidgetError(0, "unreachable", "");
      if (fresh || sessions === 0) sessions++;
      return {
        session: `s${sessions}`,
        visitor_id: "vis_1",
        conversation_id: null,
        config: {},
        cursor: null,
      } satisfies Session;
    },
    welcomed: () => undefined,
    page: (page) => transcript.merge(page.messages),
    event: (event) => {
      if (event.type === "message") transcript.merge([event.data]);
      if (event.type === "delta") transcript.delta(event.data.id, event.data.seq, event.data.text, null);
    },
    state: (state) => states.push(state),
    forget: () => transcript.clear(),
    ready: () => transcript.dropGrowing(),
    now: () => Date.now(),
  });
});

afterEach(async () => {
  link.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  vi.useRealTimers();
});

const shown = () => transcript.entries([]).map((e) => e.id);
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("the line to the hub", () => {
  test("reads what there was, then follows", async () => {
    for (let n = 1; n <= 120; n++) hub.stored.push(message(n));
    void link.run();
    await pass(10);
    hub.say(message(121));
    await pass(10);
    expect(shown()).toEqual(Array.from({ length: 121 }, (_, i) => `msg_${i + 1}`));
    expect(hub.calls.filter((c) => c.startsWith("stream"))).toEqual(["stream m_120"]);
  });

  test("misses nothing that was said while the line was cut", async () => {
    void link.run();
    await pass(10);
    hub.say(message(1));
    await pass(10);
    hub.cut();
    hub.stored.push(message(2));
    await pass(2000);
    hub.say(message(3));
    await pass(10);
    expect(shown()).toEqual(["msg_1", "msg_2", "msg_3"]);
    expect(states).toEqual(["live"]);
  });

  test("outlives a restart of the hub and says so meanwhile", async () => {
    void link.run();
    await pass(10);
    hub.up = false;
    hub.cut();
    await pass(90_000);
    expect(states).toEqual(["live", "waiting"]);
    hub.up = true;
    hub.stored.push(message(1));
    await pass(31_000);
    expect(states).toEqual(["live", "waiting", "live"]);
    expect(shown()).toEqual(["msg_1"]);
  });

  test("tries ever more seldom, and at once when the network is back", async () => {
    hub.up = false;
    sessions = 1;
    void link.run();
    await pass(300_000);
    const tries = states.length;
    expect(tries).toBe(1);
    hub.up = true;
    link.poke();
    await pass(5);
    expect(states.at(-1)).toBe("live");
  });

  test("a cursor that is too old makes it read everything again", async () => {
    hub.stored.push(message(1), message(2));
    void link.run();
    await pass(10);
    hub.oldest = 50;
    hub.stored = [message(60), message(61)];
    hub.cut();
    await pass(3000);
    expect(shown()).toEqual(["msg_60", "msg_61"]);
  });

  test("an expired session is replaced without a word", async () => {
    void link.run();
    await pass(10);
    hub.expired.add("s1");
    hub.cut();
    hub.stored.push(message(1));
    await pass(3000);
    expect(sessions).toBe(2);
    expect(shown()).toEqual(["msg_1"]);
    expect(states).toEqual(["live"]);
  });

  test("asks with long polls where streams do not pass, and tries the stream again later", async () => {
    hub.streamMode = "refused";
    void link.run();
    await pass(5000);
    hub.stored.push(message(1));
    await pass(1000);
    expect(shown()).toEqual(["msg_1"]);
    expect(hub.calls).toContain("poll");
    hub.streamMode = "open";
    await pass(330_000);
    hub.calls.length = 0;
    hub.say(message(2));
    await pass(10);
    expect(shown()).toEqual(["msg_1", "msg_2"]);
    expect(hub.calls).not.toContain("poll");
  });

  test("a stream that falls silent is given up", async () => {
    void link.run();
    await pass(10);
    const before = hub.calls.filter((c) => c.startsWith("stream")).length;
    await pass(50_000);
    expect(hub.calls.filter((c) => c.startsWith("stream")).length).toBeGreaterThan(before);
  });

  test("one loop runs, however often it is started and stopped", async () => {
    for (let i = 0; i < 5; i++) {
      void link.run();
      await pass(1);
      link.stop();
      void link.run();
    }
    await pass(50);
    hub.calls.length = 0;
    hub.cut();
    await pass(3000);
    expect(hub.calls.filter((c) => c.startsWith("stream")).length).toBe(1);
  });

  test("half an answer is dropped when the line is cut, and the whole one follows", async () => {
    void link.run();
    await pass(10);
    hub.push(sse("delta", { id: "msg_1", seq: 0, text: "Hel" }) + sse("delta", { id: "msg_1", seq: 1, text: "lo" }));
    await pass(5);
    expect(transcript.beingWritten.map((g) => g.text)).toEqual(["Hello"]);
    hub.cut();
    hub.stored.push(message(1, { parts: [{ type: "markdown", text: "Hello there" }] }));
    await pass(3000);
    expect(transcript.beingWritten).toEqual([]);
    expect(shown()).toEqual(["msg_1"]);
  });
});

describe("the transcript", () => {
  test("shows a message once, whichever way it comes", () => {
    transcript.merge([message(1), message(1)]);
    transcript.merge([message(1), message(2, { role: "visitor", client_id: "c1" })]);
    const pending = { client_id: "c1", text: "text 2", at: 2, state: "sending" as const };
    expect(transcript.entries([pending]).map((e) => e.key)).toEqual(["msg_1", "c1"]);
  });

  test("keeps the place of what is on its way: after all that is confirmed, under the same key", () => {
    const item = { client_id: "c1", text: "hi", at: 5, state: "waiting" as const };
    transcript.merge([message(1)]);
    expect(transcript.entries([item]).map((e) => [e.key, e.state])).toEqual([
      ["msg_1", "done"],
      ["c1", "waiting"],
    ]);
    transcript.merge([message(2, { role: "visitor", client_id: "c1" })]);
    expect(transcript.entries([item]).map((e) => [e.key, e.state])).toEqual([
      ["msg_1", "done"],
      ["c1", "done"],
    ]);
  });

  test("buttons may be pressed until the visitor has answered, and show what was chosen", () => {
    const options = [
      { id: "a", label: "Apples" },
      { id: "b", label: "Bread" },
    ];
    transcript.merge([message(1, { parts: [{ type: "buttons", options }] })]);
    expect(transcript.entries([])[0]).toMatchObject({ open: true, chosen: null });
    const item = {
      client_id: "c1",
      text: "Bread",
      at: 5,
      state: "waiting" as const,
      choice: { message_id: "msg_1", option_id: "b" },
    };
    expect(transcript.entries([item])[0]).toMatchObject({ open: false, chosen: "b" });
    transcript.merge([message(2, { role: "visitor", parts: [{ type: "markdown", text: "Bread" }] })]);
    expect(transcript.entries([])[0]).toMatchObject({ open: false, chosen: "b" });
  });

  test("a gap in the pieces of an answer waits for the whole", () => {
    transcript.delta("m", 0, "a", null);
    transcript.delta("m", 2, "c", null);
    expect(transcript.beingWritten).toEqual([]);
  });

  test("what is not a message is left out", () => {
    expect(transcript.merge([null, {}, { id: 1 }, message(1)] as never)).toHaveLength(1);
  });
});

test("events are read whatever the pieces they come in", () => {
  const text = ': hi\r\nid: 1\r\nevent: message\r\ndata: {"a":\r\ndata: 1}\r\n\r\ndata: x\n\nretry: 3000\n\n';
  const expected = [
    { type: "message", data: '{"a":\n1}', id: "1" },
    { type: "message", data: "x", id: null },
  ];
  for (let size = 1; size < text.length; size++) {
    const parser = new SseParser();
    const events = [];
    for (let i = 0; i < text.length; i += size) events.push(...parser.push(text.slice(i, i + size)));
    expect(events).toEqual(expected);
  }
});
