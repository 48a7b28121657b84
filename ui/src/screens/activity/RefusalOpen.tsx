import { useTranslation } from "react-i18next";
import type { Refusal } from "../../bindings";
import { size } from "../../words/size";
import { fullTime } from "../../words/time";
import styles from "./Open.module.css";

/** A request that was refused: what is known of it, and why there is nothing to replay. */
export function RefusalOpen({ refusal, name }: { refusal: Refusal; name: string }) {
  const { t, i18n } = useTranslation();
  const facts: [string, string][] = [
    [t("activity.fact.when"), fullTime(refusal.at, i18n.language)],
    [t("activity.fact.for"), name],
    [t("activity.fact.from"), refusal.address],
    [t("activity.fact.size"), size(refusal.bytes, i18n.language)],
  ];
  return (
    <>
      <h2 className={styles.title}>{t("activity.refused_title")}</h2>
      <p className={styles.reason}>{refusal.reason}</p>
      <Facts facts={facts} />
      <p className={styles.small}>{t("activity.refused_text")}</p>
    </>
  );
}

/** Pairs of a name and a value. */
export function Facts({ facts }: { facts: [string, string][] }) {
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="num" dir="auto">
            {value}
          </dd>
        </div>
      ))}
    </dl>
  );
}
