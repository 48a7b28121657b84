import { useQuery } from "@tanstack/react-query";
import { Check, CircleDashed } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Chip } from "../../components/Chip";
import { coverage } from "../../queries/knowledge";
import { sentence } from "../../words/error";
import styles from "./Panel.module.css";

/** What every shop is asked, and whether the files speak of it. */
export function Coverage() {
  const { t } = useTranslation();
  const covered = useQuery(coverage());
  return (
    <section className={styles.panel}>
      <h2>{t("first_run.covered")}</h2>
      {covered.isError ? (
        <p className={styles.error}>{sentence(covered.error, t)}</p>
      ) : (
        <ul className={styles.chips}>
          {(covered.data?.items ?? []).map(({ topic, found }) => (
            <li key={topic}>
              <Chip look={found ? "good" : "line"}>
                {found ? (
                  <Check size={14} strokeWidth={2} aria-hidden />
                ) : (
                  <CircleDashed size={14} strokeWidth={1.8} aria-hidden />
                )}
                {found ? t(`topic.${topic}`) : t("first_run.nothing_yet", { topic: t(`topic.${topic}`) })}
              </Chip>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
