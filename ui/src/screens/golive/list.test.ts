import { expect, it } from "vitest";
import type { Evidence } from "./evidence";
import { arrival, connection, connector, delivery, evidence, now, test, whole } from "./evidence.fixture";
import { doneOf } from "./GoLive";
import { goLive, type ItemId } from "./list";

const states = (more: Partial<Evidence>) =>
  Object.fromEntries(goLive(evidence(more)).map((one) => [one.id, one.state])) as Record<ItemId, string>;
const item = (id: ItemId, more: Partial<Evidence>) => goLive(evidence(more)).find((one) => one.id === id);

it("has twelve things for a number with an app, and ticks only what was seen", () => {
  const items = goLive(evidence());
  expect(items.map((one) => one.id)).toEqual([
    "app",
    "number",
    "fields",
    "token",
    "id",
    "https",
    "hook",
    "verified",
    "added",
    "agent",
    "message",
    "logged",
  ]);
  expect(items.filter((one) => one.state === "yes").map((one) => one.id)).toEqual(["fields", "https", "added"]);
});

it("ticks all twelve by itself once everything was proven", () => {
  expect(Object.values(states(whole)).every((state) => state === "yes")).toBe(true);
});

it("leaves to its owner what the service does not tell", () => {
  const told = states({ test: test({}) });
  expect([told.app, told.number, told.token]).toEqual(["own", "own", "own"]);
  expect(doneOf(goLive(evidence({ test: test({}) })), new Set(["number"]))).toBe(
    doneOf(goLive(evidence({ test: test({}) })), new Set()) + 1,
  );
});

it("counts no owner's tick for what is known better", () => {
  const items = goLive(evidence({ test: test({ code_verification_status: "NOT_VERIFIED" }) }));
  expect(doneOf(items, new Set(["number"]))).toBe(doneOf(items, new Set()));
});

it("calls a token that ends no lasting one", () => {
  const ends = now + 3_600_000;
  expect(item("token", { test: test({ token_kind: "temporary", token_expires_at: ends }) })).toMatchObject({
    state: "no",
    note: "token_ends",
    at: ends,
  });
});

it("asks for no app, number or address where the service has none", () => {
  const plain = { ...connector, schema: { type: "object", properties: { bot_token: { type: "string" } } } };
  expect(goLive(evidence({ connector: plain, called: false })).map((one) => one.id)).toEqual([
    "account",
    "fields",
    "added",
    "agent",
    "message",
    "logged",
  ]);
});

it("names what is missing in the form", () => {
  const bare = { ...connection, config: { phone_number: "+55", access_token: { set: true } } };
  expect(item("fields", { connection: bare })).toMatchObject({ state: "no", what: "Phone number ID, App ID" });
});

it("says when the account behind an ID is another one", () => {
  expect(item("id", { test: test({ phone_number_id: "999" }) })).toMatchObject({ state: "no", said: "999" });
});

it("wants a message both ways", () => {
  expect(item("message", { arrivals: [arrival({})] })).toMatchObject({ state: "no", note: "only_in" });
  expect(item("message", { arrivals: [arrival({})], deliveries: [delivery({ status: "failed" })] })?.state).toBe("no");
  expect(item("message", { arrivals: [arrival({})], deliveries: [delivery({ status: "sent" })] })?.state).toBe("yes");
});
