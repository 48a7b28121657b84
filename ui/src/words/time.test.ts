import { describe, expect, it } from "vitest";
import { ago, dayName, nearDay, shortTime, span } from "./time";

const now = new Date(2026, 10, 20, 9, 30).getTime();
const earlier = (days: number, hours: number, minutes: number) =>
  new Date(2026, 10, 20 - days, 9 - hours, 30 - minutes).getTime();

describe("times as people say them", () => {
  it.each([
    [now - 5_000, "now", "agora", "ahora"],
    [earlier(0, 0, 4), "4 min", "4 min", "4 min"],
    [earlier(0, 1, 18), "08:12", "08:12", "08:12"],
    [earlier(1, 0, 0), "Thu", "qui.", "jue"],
    [earlier(17, 0, 0), "Nov 3", "3 de nov.", "3 nov"],
  ])("%s", (at, en, pt, es) => {
    expect([shortTime(at, now, "en"), shortTime(at, now, "pt-BR"), shortTime(at, now, "es")]).toEqual([en, pt, es]);
  });

  it("name the year only when it is another one", () => {
    expect(shortTime(new Date(2025, 2, 22).getTime(), now, "en")).toBe("Mar 22, 2025");
    expect(dayName(now, now, "pt-BR")).toBe("sexta-feira, 20 de novembro");
  });

  it("know today and yesterday by the calendar, not by 24 hours", () => {
    expect(nearDay(new Date(2026, 10, 20, 0, 5).getTime(), now)).toBe("today");
    expect(nearDay(new Date(2026, 10, 19, 23, 55).getTime(), now)).toBe("yesterday");
    expect(nearDay(new Date(2026, 10, 18, 12).getTime(), now)).toBe("other");
  });

  it("say how long ago in a sentence", () => {
    expect([ago(earlier(0, 0, 2), now, "en"), ago(earlier(0, 3, 0), now, "es")]).toEqual([
      "2 minutes ago",
      "hace 3 horas",
    ]);
  });

  it("say what is left, never less than nothing", () => {
    expect(span(20 * 3600_000 + 12 * 60_000, "en")).toBe("20 hr 12 min");
    expect(span(-5, "en")).toBe("0 min");
  });
});
