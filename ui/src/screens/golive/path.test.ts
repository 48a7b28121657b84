import { expect, it } from "vitest";
import type { Evidence } from "./evidence";
import { arrival, connection, conversation, delivery, evidence, now, turn, whole } from "./evidence.fixture";
import { path, stopsAt } from "./path";

const stop = (more: Partial<Evidence>) => stopsAt(path(evidence({ ...whole, ...more })));

it("has the whole way when a call, an answer and a delivery were seen", () => {
  expect(path(evidence(whole)).map((one) => one.id)).toEqual([
    "reach",
    "hook",
    "verified",
    "understood",
    "answered",
    "delivered",
  ]);
  expect(stop({})).toBeUndefined();
});

it("names the tunnel when the hub does not receive", () => {
  const health = { receiving: false, receiving_reason: "The tunnel stopped." } as Evidence["health"];
  expect(stop({ health })).toMatchObject({ id: "reach", state: "broken", said: "The tunnel stopped." });
});

it("names the missing public address", () => {
  expect(stop({ arrivals: [] })).toMatchObject({ id: "reach", state: "broken", note: "no_address" });
});

it("names the address when the service calls another one", () => {
  const hook = { confirmed_url: "https://other.example/x", details: {} };
  expect(stop({ test: undefined, hook })).toMatchObject({ id: "hook", note: "elsewhere" });
});

it("forgets a trouble that a later call has outlived", () => {
  const trouble = (at: number) => ({
    hook: { confirmed_url: connection.webhook_url ?? null, last_error: "502", last_error_at: at, details: {} },
  });
  expect(stop(trouble(now - 3_600_000))).toBeUndefined();
  expect(stop(trouble(now))).toMatchObject({ id: "hook", state: "broken", said: "502" });
});

it("names the proof when the last call was refused", () => {
  const refusal = { at: now, connection: "con_1", reason: "The secret is wrong.", address: "", bytes: 1 };
  expect(stop({ refusal })).toMatchObject({ id: "verified", state: "broken", said: "The secret is wrong." });
  expect(stop({ refusal: { ...refusal, at: 1 } })).toBeUndefined();
});

it("names what could not be read, unless something was read since", () => {
  const unread = arrival({ verdict: "not_understood", effects: [{ effect: "not_understood", why: "poll" }] });
  expect(stop({ arrivals: [unread] })).toMatchObject({ id: "understood", state: "broken", said: "poll" });
  expect(stop({ arrivals: [arrival({}), unread] })).toBeUndefined();
});

it("names the agent that failed, and takes a person for an answer", () => {
  const failed = { ...turn, status: "failed" as const, error: "No credit." };
  expect(stop({ turn: failed })).toMatchObject({ id: "answered", state: "broken", said: "No credit." });
  const held = { ...conversation, owner: { type: "person" as const, id: null, name: null } };
  expect(stop({ turn: undefined, conversation: held })).toBeUndefined();
});

it("names the delivery that failed, and waits for one that is under way", () => {
  const last = (status: "failed" | "queued") => stop({ deliveries: [delivery({ status, reason: "Window closed." })] });
  expect(last("failed")).toMatchObject({ id: "delivered", state: "broken", said: "Window closed." });
  expect(last("queued")).toMatchObject({ id: "delivered", state: "waiting" });
});

it("has four hops where messages are fetched", () => {
  expect(path(evidence({ ...whole, called: false })).map((one) => one.id)).toEqual([
    "fetched",
    "understood",
    "answered",
    "delivered",
  ]);
});
