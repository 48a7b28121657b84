import type { ReactNode } from "react";
import styles from "./Segmented.module.css";

type Choice<V extends string> = { value: V; label: ReactNode; count?: number | undefined; hot?: boolean };
type Props<V extends string> = {
  label: string;
  value: V;
  choices: Choice<V>[];
  onValue: (value: V) => void;
  /** Fills the width of its place. */
  fill?: boolean;
};

/** One of a few, all in sight. */
export function Segmented<V extends string>({ label, value, choices, onValue, fill }: Props<V>) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a row of pressed buttons, not a form.
    <div className={`${styles.seg} ${fill ? styles.fill : ""}`} role="group" aria-label={label}>
      {choices.map((choice) => (
        <button
          key={choice.value}
          type="button"
          aria-pressed={choice.value === value}
          onClick={() => onValue(choice.value)}
        >
          {choice.label}
          {choice.count !== undefined && (choice.count > 0 || !choice.hot) ? (
            <b className={choice.hot ? styles.hot : undefined}>{choice.count > 999 ? "999+" : choice.count}</b>
          ) : null}
        </button>
      ))}
    </div>
  );
}
