import { LoaderCircle } from "lucide-react";
import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import styles from "./Button.module.css";

export type ButtonLook = "primary" | "ring" | "plain" | "quiet" | "danger";

type Props = ButtonHTMLAttributes<HTMLButtonElement> & {
  /** `primary`: one per view. `ring`: brass, only where a person steps in. */
  look?: ButtonLook;
  size?: "sm" | "md" | "lg";
  /** Only an icon: then `aria-label` is needed. */
  icon?: boolean;
  /** Keeps its width, takes no click, and says `busyWord` if there is one. */
  busy?: boolean;
  busyWord?: string;
  ref?: Ref<HTMLButtonElement>;
  children?: ReactNode;
};

/** Every button of Shopbell. */
export function Button({
  look = "plain",
  size = "md",
  icon,
  busy,
  busyWord,
  className,
  children,
  onClick,
  ...rest
}: Props) {
  const classes = [styles.btn, styles[look], size !== "md" && styles[size], icon && styles.icon, className];
  return (
    <button
      type="button"
      {...rest}
      className={classes.filter(Boolean).join(" ")}
      aria-busy={busy || undefined}
      onClick={busy ? undefined : onClick}
    >
      {busy ? (
        <>
          <LoaderCircle size={16} strokeWidth={1.8} className={styles.turn} aria-hidden />
          {busyWord ?? children}
        </>
      ) : (
        children
      )}
    </button>
  );
}
