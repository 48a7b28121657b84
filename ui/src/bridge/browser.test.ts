import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { browserHost } from "./browser";
import type { ChangeEvent } from "./host";

/** A stand-in for the browser's EventSource: what was opened, and a way to make it speak. */
class Source extends EventTarget {
  static CLOSED = 2;
  static all: Source[] = [];
  readyState = 1;
  onopen: (() => void) | null = null;
  onmessage: ((event: MessageEvent<string>) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly url: string;
  constructor(url: string) {
    super();
    this.url = url;
    Source.all.push(this);
  }
  says(type: string, data: unknown, id = "") {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data), lastEventId: id }));
  }
  breaks() {
    this.readyState = Source.CLOSED;
    this.onerror?.();
  }
  close() {
    this.readyState = Source.CLOSED;
  }
}

const last = () => Source.all.at(-1) as Source;
const change = (seq: number) => ({ seq, kind: "message", id: `msg_${seq}`, conversation: "cnv_1" });
const answer = (status: number, body: unknown) =>
  vi.stubGlobal(
    "fetch",
    vi.fn(async () => new Response(body === undefined ? "" : JSON.stringify(body), { status })),
  );

beforeEach(() => {
  vi.useFakeTimers();
  Source.all = [];
  vi.stubGlobal("EventSource", Source);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("connects again after a break, from the last change it saw, and drops what it saw already", () => {
  const heard: ChangeEvent[] = [];
  const stop = browserHost.onChanges((event) => heard.push(event));
  expect(last().url).toBe("/api/v1/changes");
  last().says("change", change(41));
  last().breaks();
  vi.advanceTimersByTime(20_000);
  expect(last().url).toBe("/api/v1/changes?last_event_id=41");
  last().says("change", change(41));
  last().says("change", change(42));
  stop();
  expect(heard.flatMap((event) => (event.type === "change" ? [event.change.seq] : []))).toEqual([41, 42]);
  expect(Source.all).toHaveLength(2);
});

it("reads everything again on a reset, and goes on from the number it brings", () => {
  const heard: string[] = [];
  const stop = browserHost.onChanges((event) => heard.push(event.type));
  last().says("reset", {}, "900");
  last().breaks();
  vi.advanceTimersByTime(20_000);
  stop();
  expect(heard).toContain("reset");
  expect(last().url).toBe("/api/v1/changes?last_event_id=900");
});

it("does not connect again once nobody listens", () => {
  browserHost.onChanges(() => {})();
  vi.advanceTimersByTime(60_000);
  expect(Source.all).toHaveLength(1);
});

it("tells signed out, refused fields and an unreachable hub apart", async () => {
  answer(401, { error: { code: "unauthorized", message: "Sign in first." } });
  await expect(browserHost.call("get_settings", {})).rejects.toMatchObject({ code: "signed_out" });
  answer(422, { error: { code: "invalid", message: "Look again.", fields: { shop_name: "Too long." } } });
  await expect(browserHost.call("get_settings", {})).rejects.toMatchObject({ fields: { shop_name: "Too long." } });
  answer(502, undefined);
  await expect(browserHost.call("get_settings", {})).rejects.toMatchObject({ code: "http_502" });
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("refused")));
  await expect(browserHost.call("get_settings", {})).rejects.toMatchObject({ code: "unreachable" });
});
