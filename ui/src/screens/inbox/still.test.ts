import { expect, it } from "vitest";
import type { ConversationRow } from "../../bindings";
import { still } from "./useStillRows";

const rows = (names: string) => [...names].map((id) => ({ id }) as ConversationRow);
const seen = (now: string, before: string) => {
  const { rows: shown, waiting } = still(rows(now), [...before]);
  return [shown.map((row) => row.id).join(""), waiting];
};

it("keeps the order while held, and counts what waits", () => {
  expect(seen("abc", "abc")).toEqual(["abc", 0]);
  expect(seen("xabc", "abc")).toEqual(["abc", 1]);
  expect(seen("cab", "abc")).toEqual(["abc", 1]);
  expect(seen("xcab", "abc")).toEqual(["abc", 2]);
});

it("lets go of rows that are gone, and shows more rows that were read at the end", () => {
  expect(seen("ac", "abc")).toEqual(["ac", 0]);
  expect(seen("abcde", "abc")).toEqual(["abcde", 0]);
});
