import type { ReactNode } from "react";
import { BellMark } from "./BellMark";
import styles from "./EmptyState.module.css";

/** What this place is, what to do, one button. Never only "no data". Without an icon it shows the bell. */
export function EmptyState({
  icon,
  title,
  text,
  children,
}: {
  icon?: ReactNode;
  title: string;
  text?: string;
  children?: ReactNode;
}) {
  return (
    <div className={styles.empty}>
      {icon ? <span className={styles.badge}>{icon}</span> : <BellMark size={84} />}
      <h2>{title}</h2>
      {text ? <p>{text}</p> : null}
      {children}
    </div>
  );
}
