import { expect, it } from "vitest";
import { snoozeChoices, toField } from "./snooze";

const on = (year: number, month: number, day: number, hour: number, minute = 0) =>
  new Date(year, month - 1, day, hour, minute).getTime();
const offered = (now: number) =>
  snoozeChoices(now).map(({ id, until }) => `${id} ${until === null ? "" : toField(until)}`.trim());

it("offers the next morning, the next Monday and the rest of the day", () => {
  // A Friday.
  expect(offered(on(2026, 11, 20, 9, 12))).toEqual([
    "reply",
    "later 2026-11-20T12:00",
    "tomorrow 2026-11-21T08:00",
    "week 2026-11-23T08:00",
  ]);
});

it("offers no evening that is over, and Monday once", () => {
  // A Sunday: tomorrow is Monday.
  expect(offered(on(2026, 11, 22, 21))).toEqual(["reply", "tomorrow 2026-11-23T08:00"]);
  expect(offered(on(2026, 11, 23, 16))).toEqual([
    "reply",
    "later 2026-11-23T18:00",
    "tomorrow 2026-11-24T08:00",
    "week 2026-11-30T08:00",
  ]);
});
