import { Check } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { fullTime, sameDay } from "../../words/time";
import styles from "./Row.module.css";

type Props = { at: number; now: number; mark: ReactNode; title: string; below: string; state: ReactNode };

/** What stands in one row: the time, whose it is, what it was, what became of it. */
export function Row({ at, now, mark, title, below, state }: Props) {
  const { i18n } = useTranslation();
  const day = new Intl.DateTimeFormat(i18n.language, { day: "numeric", month: "short" }).format(at);
  const time = new Intl.DateTimeFormat(i18n.language, { timeStyle: "medium", hourCycle: "h23" }).format(at);
  return (
    <>
      <time className={styles.time} dateTime={new Date(at).toISOString()} title={fullTime(at, i18n.language)}>
        {time}
        {sameDay(at, now) ? null : <small>{day}</small>}
      </time>
      {mark}
      <span className={styles.what}>
        <span className="cut" dir="auto">
          {title}
        </span>
        <small className="cut" dir="auto">
          {below}
        </small>
      </span>
      {state}
    </>
  );
}

/** The usual end of things, said quietly. */
export function Quiet({ children }: { children: ReactNode }) {
  return (
    <span className={styles.quiet}>
      <Check size={14} strokeWidth={1.8} aria-hidden />
      {children}
    </span>
  );
}
