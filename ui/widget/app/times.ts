/** Times as the visitor's own clock and language tell them. */
export class Times {
  private readonly clock: Intl.DateTimeFormat;
  private readonly date: Intl.DateTimeFormat;
  private readonly dateOfYear: Intl.DateTimeFormat;
  private readonly whole: Intl.DateTimeFormat;

  constructor(
    tag: string,
    private readonly today: string,
    private readonly yesterday: string,
  ) {
    this.clock = new Intl.DateTimeFormat(tag, { timeStyle: "short" });
    this.date = new Intl.DateTimeFormat(tag, { weekday: "long", day: "numeric", month: "long" });
    this.dateOfYear = new Intl.DateTimeFormat(tag, { day: "numeric", month: "long", year: "numeric" });
    this.whole = new Intl.DateTimeFormat(tag, { dateStyle: "long", timeStyle: "short" });
  }

  time(at: number): string {
    return this.clock.format(at);
  }

  full(at: number): string {
    return this.whole.format(at);
  }

  day(at: number, now = Date.now()): string {
    const days = Math.round((midnight(now) - midnight(at)) / 86_400_000);
    if (days === 0) return this.today;
    if (days === 1) return this.yesterday;
    return (Math.abs(days) < 300 ? this.date : this.dateOfYear).format(at);
  }
}

function midnight(at: number): number {
  const d = new Date(at);
  return new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
}

export const sameDay = (a: number, b: number): boolean => midnight(a) === midnight(b);
