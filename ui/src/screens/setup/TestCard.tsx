import { CircleCheck, CircleDashed, LoaderCircle, ShieldAlert, ShieldCheck, TriangleAlert } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { TestResult } from "../../bindings";
import styles from "./TestCard.module.css";

type Props = {
  /** The service's name, for "Asking Telegram…". */
  name: string;
  testing: boolean;
  result: TestResult | undefined;
  /** The result is older than what stands in the form. */
  changed: boolean;
  /** The last proof that the hub knows of, in words; for a connection that was not tested here yet. */
  proven: string | undefined;
};

/** What a test proved, what not yet, and what went wrong. Nothing is ticked without evidence. */
export function TestCard({ name, testing, result, changed, proven }: Props) {
  const { t } = useTranslation();
  const waited = useSeconds(testing);
  const checks = result?.checks ?? [];
  const open = checks.some((check) => !check.ok);
  const state = testing
    ? "testing"
    : result === undefined
      ? "untested"
      : !result.ok
        ? "failed"
        : open
          ? "almost"
          : "ok";
  const Icon =
    state === "failed"
      ? TriangleAlert
      : state === "ok"
        ? ShieldCheck
        : state === "testing"
          ? LoaderCircle
          : ShieldAlert;
  const title = {
    untested: proven ? t("setup.test.known") : t("setup.test.untested"),
    testing: t("connections.trying", { name }),
    failed: t("setup.test.failed"),
    almost: t("setup.test.almost"),
    ok: t("setup.test.ok"),
  }[state];
  const below = testing
    ? waited > 4
      ? t("setup.test.waiting", { seconds: waited })
      : t("setup.test.asking")
    : result === undefined
      ? (proven ?? t("setup.test.before"))
      : changed
        ? t("setup.test.changed")
        : (result.account ?? "");
  const details = Object.entries(result?.details ?? {});

  return (
    <div className={`card ${styles.card}`} role="status">
      <div className={styles.head}>
        <span className={styles.badge} data-state={state}>
          <Icon size={19} strokeWidth={1.8} className={state === "testing" ? styles.turn : undefined} aria-hidden />
        </span>
        <div className="grow">
          <h2>{title}</h2>
          {below ? <p dir="auto">{below}</p> : null}
        </div>
      </div>
      {!testing && result && !result.ok ? (
        <p className={styles.error} dir="auto">
          {result.error ?? t("setup.test.no_reason")}
        </p>
      ) : null}
      {!testing && checks.length > 0 ? (
        <ul className={styles.checks}>
          {checks.map((check, n) => (
            <li key={check.text} style={{ animationDelay: `${n * 140}ms` }}>
              {check.ok ? (
                <CircleCheck size={18} strokeWidth={1.8} className={styles.ok} aria-hidden />
              ) : (
                <CircleDashed size={18} strokeWidth={1.8} className={styles.no} aria-hidden />
              )}
              <span dir="auto">
                <span className="sr-only">{t(check.ok ? "setup.test.check_ok" : "setup.test.check_no")} </span>
                {check.text}
              </span>
            </li>
          ))}
        </ul>
      ) : null}
      {!testing && details.length > 0 ? (
        <details className={styles.details}>
          <summary>{t("common.details")}</summary>
          <dl>
            {details.map(([key, value]) => (
              <div key={key}>
                <dt>{key}</dt>
                <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
              </div>
            ))}
          </dl>
        </details>
      ) : null}
    </div>
  );
}

/** Seconds since `on` became true. */
function useSeconds(on: boolean): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    setSeconds(0);
    if (!on) return;
    const timer = setInterval(() => setSeconds((one) => one + 1), 1000);
    return () => clearInterval(timer);
  }, [on]);
  return seconds;
}
