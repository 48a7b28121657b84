import { Link } from "@tanstack/react-router";
import { Check, ChevronLeft } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Connector } from "../../bindings";
import { openExternal } from "../../bridge";
import { ChannelMark } from "../../components/ChannelMark";
import styles from "./Steps.module.css";

type Props = {
  connector: Connector;
  /** The step in work; those before it lie behind. */
  step: number;
  /** What proves every step, in a sentence; without it a tick is only its owner's word. */
  proven: string | undefined;
  onStep: (step: number) => void;
};

/** What to do at the service, in order. Any step can be opened again. */
export function Steps({ connector, step, proven, onStep }: Props) {
  const { t } = useTranslation();
  return (
    <section className={styles.steps} aria-label={t("setup.steps")}>
      <Link to="/connections" className={styles.back}>
        <ChevronLeft size={16} strokeWidth={1.8} aria-hidden />
        {t("connections.title")}
      </Link>
      <div className={styles.what}>
        <ChannelMark connector={connector.kind} size={40} />
        <div className="grow">
          <b className={styles.kind}>{connector.name}</b>
          {connector.summary ? <p className={styles.small}>{connector.summary}</p> : null}
        </div>
      </div>
      {connector.prerequisites.length > 0 ? (
        <div className={styles.need}>
          <h2 className={styles.label}>{t("setup.need")}</h2>
          <ul>
            {connector.prerequisites.map((one) => (
              <li key={one.text}>{one.text}</li>
            ))}
          </ul>
        </div>
      ) : null}
      {connector.steps.length > 0 ? (
        <ol className={styles.stepper}>
          {connector.steps.map((one, n) => {
            const state = proven ? "done" : n < step ? "passed" : n === step ? "now" : "later";
            return (
              <li key={one.title} className={styles[state]} aria-current={state === "now" ? "step" : undefined}>
                <button type="button" className={styles.step} onClick={() => onStep(n)}>
                  <span className={styles.n}>
                    {state === "done" || state === "passed" ? (
                      <>
                        <Check size={15} strokeWidth={2.2} aria-hidden />
                        <span className="sr-only">
                          {t(state === "done" ? "setup.step_proven" : "setup.step_passed")}
                        </span>
                      </>
                    ) : (
                      n + 1
                    )}
                  </span>
                  <b>{one.title}</b>
                </button>
                {state === "now" ? (
                  <div className={styles.how}>
                    {one.text ? <p>{one.text}</p> : null}
                    <p className="row">
                      <button type="button" className="link" onClick={() => onStep(n + 1)}>
                        {t("setup.step_did")}
                      </button>
                    </p>
                  </div>
                ) : null}
              </li>
            );
          })}
        </ol>
      ) : null}
      {proven && connector.steps.length > 0 ? (
        <p className={styles.proven} role="status">
          <Check size={16} strokeWidth={1.8} aria-hidden />
          {proven}
        </p>
      ) : null}
      {connector.links && connector.links.length > 0 ? (
        <ul className={styles.links}>
          {connector.links.map((one) => (
            <li key={one.url}>
              <Outside url={one.url} text={one.text} />
            </li>
          ))}
        </ul>
      ) : null}
      <p className={styles.foot}>{t("setup.kept")}</p>
    </section>
  );
}

function Outside({ url, text }: { url: string; text: string }) {
  return (
    <a
      className="link"
      href={url}
      target="_blank"
      rel="noreferrer"
      onClick={(event) => {
        event.preventDefault();
        void openExternal(url);
      }}
    >
      {text}
    </a>
  );
}
