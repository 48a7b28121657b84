/** Times as people say them: "now", "4 min", "09:12", "Thu", "3 Nov". */

const minute = 60_000;
const hour = 60 * minute;

/** The short stamp of a row: now, minutes, the hour of today, the weekday of this week, else the date. */
export function shortTime(at: number, now: number, language: string): string {
  const ago = now - at;
  if (ago < minute) return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(0, "second");
  if (ago < hour && sameDay(at, now)) {
    return new Intl.NumberFormat(language, { style: "unit", unit: "minute", unitDisplay: "short" }).format(
      Math.floor(ago / minute),
    );
  }
  if (sameDay(at, now)) return clock(at, language);
  if (ago < 6 * 24 * hour) return format(at, language, { weekday: "short" });
  return format(at, language, { day: "numeric", month: "short", ...(sameYear(at, now) ? {} : { year: "numeric" }) });
}

/** "2 minutes ago", "3 hours ago", "yesterday": for sentences. */
export function ago(at: number, now: number, language: string): string {
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const seconds = Math.round((at - now) / 1000);
  if (Math.abs(seconds) < 60) return relative.format(0, "second");
  if (Math.abs(seconds) < 3600) return relative.format(Math.trunc(seconds / 60), "minute");
  if (Math.abs(seconds) < 86_400) return relative.format(Math.trunc(seconds / 3600), "hour");
  return relative.format(Math.trunc(seconds / 86_400), "day");
}

/** 09:12 */
export const clock = (at: number, language: string): string =>
  format(at, language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** The whole truth, for a hover: "Friday 20 November 2026, 09:12:31". */
export const fullTime = (at: number, language: string): string =>
  format(at, language, { dateStyle: "full", timeStyle: "medium" });

/** "Sat 21 Nov, 09:15": when a reply window ends. */
export const dayAndClock = (at: number, language: string): string =>
  `${format(at, language, { weekday: "short", day: "numeric", month: "short" })}, ${clock(at, language)}`;

/** "Friday 20 November", and the year where it is not this one. */
export const dayName = (at: number, now: number, language: string): string =>
  format(at, language, {
    weekday: "long",
    day: "numeric",
    month: "long",
    ...(sameYear(at, now) ? {} : { year: "numeric" }),
  });

/** Today, yesterday or neither. */
export function nearDay(at: number, now: number): "today" | "yesterday" | "other" {
  if (sameDay(at, now)) return "today";
  const before = new Date(now);
  before.setDate(before.getDate() - 1);
  return sameDay(at, before.getTime()) ? "yesterday" : "other";
}

/** "20 h 12 min", "38 min": time left, never negative. */
export function span(milliseconds: number, language: string): string {
  const minutes = Math.max(0, Math.floor(milliseconds / minute));
  const unit = (value: number, name: "hour" | "minute") =>
    new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "short" }).format(value);
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? unit(minutes, "minute") : `${unit(hours, "hour")} ${unit(minutes % 60, "minute")}`;
}

/** 0:14 */
export const seconds = (value: number): string =>
  `${Math.floor(value / 60)}:${String(Math.round(value) % 60).padStart(2, "0")}`;

/** Are both on the same day of this machine's calendar? */
export function sameDay(one: number, other: number): boolean {
  const a = new Date(one);
  const b = new Date(other);
  return a.getFullYear() === b.getFullYear() && a.getMonth() === b.getMonth() && a.getDate() === b.getDate();
}

const sameYear = (one: number, other: number) => new Date(one).getFullYear() === new Date(other).getFullYear();
const format = (at: number, language: string, options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat(language, options).format(at);
