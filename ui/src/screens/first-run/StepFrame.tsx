import { ArrowLeft, ArrowRight } from "lucide-react";
import { type FormEvent, type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/Button";
import styles from "./StepFrame.module.css";

type Props = {
  title: string;
  lead: string;
  children: ReactNode;
  onBack?: (() => void) | undefined;
  onNext: () => void;
  next?: string;
  busy?: boolean;
  error?: string | undefined;
  /** Beside the main button: another way on. */
  beside?: ReactNode;
};

/** One question per screen, one main button. Enter goes on, Esc goes back. */
export function StepFrame({ title, lead, children, onBack, onNext, next, busy, error, beside }: Props) {
  const { t } = useTranslation();
  const heading = useRef<HTMLHeadingElement>(null);
  const form = useRef<HTMLFormElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another title is another step.
  useEffect(() => heading.current?.focus(), [title]);
  useEffect(() => {
    const keys = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || document.querySelector("[role=dialog]") !== null) return;
      const target = event.target as HTMLElement;
      if (event.key === "Escape" && onBack) onBack();
      if (event.key === "Enter" && target.closest("button, a, input, textarea, select") === null)
        form.current?.requestSubmit();
    };
    window.addEventListener("keydown", keys);
    return () => window.removeEventListener("keydown", keys);
  }, [onBack]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!busy) onNext();
  };

  return (
    <form ref={form} className={styles.step} onSubmit={submit} noValidate>
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      <p className={styles.lead}>{lead}</p>
      <div className={styles.body}>{children}</div>
      {error ? (
        <p className={styles.error} role="alert">
          {error}
        </p>
      ) : null}
      <div className={styles.foot}>
        {onBack ? (
          <Button look="quiet" size="lg" onClick={onBack} className={styles.back}>
            <ArrowLeft size={18} strokeWidth={1.8} aria-hidden />
            {t("common.back")}
          </Button>
        ) : null}
        <span className="grow" />
        {beside}
        <Button look="primary" size="lg" type="submit" busy={busy}>
          {next ?? t("common.continue")}
          <ArrowRight size={18} strokeWidth={1.8} aria-hidden />
        </Button>
      </div>
    </form>
  );
}
