import { expect, it } from "vitest";
import type { Change } from "../bindings";
import type { ChangeEvent } from "./host";
import { Resume, waitBefore } from "./resume";

const change = (seq: number): Change => ({ seq, kind: "message", id: `msg_${seq}`, conversation: "cnv_1" });
function listening() {
  const heard: ChangeEvent[] = [];
  return { heard, resume: new Resume((event) => heard.push(event)) };
}

it("passes each change on once and remembers its place", () => {
  const { heard, resume } = listening();
  for (const seq of [4, 5, 5, 4, 6]) resume.accept(change(seq));
  expect(heard.map((event) => event.type === "change" && event.change.seq)).toEqual([4, 5, 6]);
  expect(resume.last).toBe(6);
});

it("reads everything again when the hub no longer knows the place, and goes on from the new one", () => {
  const { heard, resume } = listening();
  resume.accept(change(900));
  resume.reset(3);
  resume.accept(change(4));
  expect(heard.map((event) => event.type)).toEqual(["change", "reset", "change"]);
  expect(resume.last).toBe(4);
});

it("takes any number after a reset without a place", () => {
  const { heard, resume } = listening();
  resume.accept(change(900));
  resume.reset();
  resume.accept(change(1));
  expect(heard).toHaveLength(3);
});

it("waits longer after each failure, at most 15 seconds, never all at once", () => {
  expect([0, 1, 2, 9].map((attempt) => waitBefore(attempt, () => 1))).toEqual([500, 1000, 2000, 15_000]);
  expect(waitBefore(3, () => 0)).toBe(2000);
});

it("reads everything again when the line comes up and no place is known", () => {
  const { heard, resume } = listening();
  for (const up of [true, false, true]) resume.link(up);
  expect(heard.filter((event) => event.type === "reset")).toHaveLength(2);
  resume.accept(change(7));
  resume.link(false);
  resume.link(true);
  expect(heard.filter((event) => event.type === "reset")).toHaveLength(2);
});
