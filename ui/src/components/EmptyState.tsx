import type { ReactNode } from "react";
import { BellMark } from "./BellMark";
import styles from "./EmptyState.module.css";

/** What this place is, what to do, one button. Never only "no data". Without an icon it shows the bell. */
export function EmptyState({
  icon,
  title,
  text,
  alone,
  children,
}: {
  icon?: ReactNode;
  title: string;
  text?: string | undefined;
  /** Nothing else is on the page: the title is the page's. */
  alone?: boolean;
  children?: ReactNode;
}) {
  const Title = alone ? "h1" : "h2";
  return (
    <div className={styles.empty}>
      {icon ? <span className={styles.badge}>{icon}</span> : <BellMark size={84} />}
      <Title>{title}</Title>
      {text ? <p>{text}</p> : null}
      {children}
    </div>
  );
}
