/** The moments that one snoozes to, as a calendar on a wall has them: on this machine's clock, in the shop's morning. */

export type SnoozeChoice = "reply" | "later" | "tomorrow" | "week";

/** The shop's morning and evening. */
const morning = 8;
const evening = 18;

/** What can be chosen at `now`, and until when each is; `null` = until the customer writes. */
export function snoozeChoices(now: number): { id: SnoozeChoice; until: number | null }[] {
  const later = laterToday(now);
  const monday = at(now, (8 - new Date(now).getDay()) % 7 || 7, morning);
  const tomorrow = at(now, 1, morning);
  return [
    { id: "reply", until: null },
    ...(later === undefined ? [] : [{ id: "later" as const, until: later }]),
    { id: "tomorrow", until: tomorrow },
    ...(monday === tomorrow ? [] : [{ id: "week" as const, until: monday }]),
  ];
}

/** In about three hours, on a full hour, and not after the evening. */
function laterToday(now: number): number | undefined {
  const date = new Date(now);
  const hour = Math.min(evening, date.getHours() + 3);
  const until = at(now, 0, hour);
  return until - now >= 30 * 60_000 ? until : undefined;
}

function at(now: number, days: number, hour: number): number {
  const date = new Date(now);
  date.setDate(date.getDate() + days);
  date.setHours(hour, 0, 0, 0);
  return date.getTime();
}

/** `2026-11-20T09:30`, as a field for date and time wants it, on this machine's clock. */
export function toField(moment: number): string {
  const date = new Date(moment);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}
