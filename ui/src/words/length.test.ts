import { expect, it } from "vitest";
import { counted, lengthOf } from "./length";

it("counts as the channel counts", () => {
  const text = "pão 🍞";
  expect((["utf16", "chars", "bytes"] as const).map((unit) => lengthOf(text, { max: 10, unit }))).toEqual([6, 5, 9]);
});

it("says nothing of short texts, and into how many messages a long one is cut", () => {
  const limit = { max: 100, unit: "chars" as const };
  expect(counted("x".repeat(79), limit)).toBeUndefined();
  expect(counted("x".repeat(80), limit)).toEqual({ letters: 80, messages: 1 });
  expect(counted("x".repeat(201), limit)).toEqual({ letters: 201, messages: 3 });
});
