import type { ReactNode } from "react";
import styles from "./Chip.module.css";

export type ChipLook = "plain" | "agent" | "good" | "wait" | "you" | "bad" | "info" | "line";

/** A small round word with its icon. Meaning is never in the colour alone: give it an icon or a word. */
export function Chip({
  look = "plain",
  small,
  title,
  children,
}: {
  look?: ChipLook;
  small?: boolean;
  title?: string;
  children: ReactNode;
}) {
  return (
    <span className={`${styles.chip} ${styles[look]} ${small ? styles.small : ""}`} title={title}>
      {children}
    </span>
  );
}
