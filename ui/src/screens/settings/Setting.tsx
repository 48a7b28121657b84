import type { ReactNode } from "react";
import styles from "./Setting.module.css";

/** A group of settings, with what they are for. */
export function Group({ title, text, children }: { title: string; text?: ReactNode; children: ReactNode }) {
  return (
    <section className={styles.group}>
      <div>
        <h2>{title}</h2>
        {text ? <p>{text}</p> : null}
      </div>
      <div className={styles.body}>{children}</div>
    </section>
  );
}

/** A fact that cannot be changed here. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={styles.fact}>
      <span>{name}</span>
      <div>{children}</div>
    </div>
  );
}
