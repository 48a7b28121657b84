import { expect, it } from "vitest";
import type { Notice, NoticeLevel } from "../../bindings";
import { byConnection, seen, unseen } from "./gravest";

const notice = (key: string, level: NoticeLevel, at: number, more: Partial<Notice> = {}): Notice => ({
  connection: "con_1",
  key,
  level,
  text: key,
  at,
  ...more,
});
const all = [
  notice("limit", "info", 9),
  notice("quality", "warning", 3),
  notice("template", "problem", 1),
  notice("name", "problem", 2),
  notice("old", "problem", 8, { seen_at: 9 }),
];

it("puts what is gravest first, and the newest of it", () => {
  expect(unseen(all).map((one) => one.key)).toEqual(["name", "template", "quality", "limit"]);
});

it("keeps what was seen apart", () => {
  expect(seen(all).map((one) => one.key)).toEqual(["old"]);
});

it("tells whose notices they are", () => {
  const found = byConnection([...all, notice("limit", "info", 4, { connection: "con_2" })]);
  expect(found.get("con_1")).toHaveLength(5);
  expect(found.get("con_2")).toHaveLength(1);
});
