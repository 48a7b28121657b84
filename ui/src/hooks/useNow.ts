import { useEffect, useState } from "react";

/** The time, anew every `every` milliseconds: so that "4 min" becomes "5 min" without anything else happening. */
export function useNow(every = 30_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
