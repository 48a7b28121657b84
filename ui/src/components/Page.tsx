import type { ReactNode } from "react";
import styles from "./Page.module.css";

/** A page beside the rail: a title, one line of what it is, its actions, and a body that scrolls by itself. */
export function Page({
  title,
  lead,
  actions,
  children,
}: {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <main className={styles.page} id="main" tabIndex={-1}>
      <header className={styles.head}>
        <div className="grow">
          <h1>{title}</h1>
          {lead ? <p>{lead}</p> : null}
        </div>
        {actions}
      </header>
      <div className={styles.body}>{children}</div>
    </main>
  );
}
