import type { LucideIcon } from "lucide-react";
import { useTranslation } from "react-i18next";
import styles from "./Path.module.css";

export type Station = {
  name: string;
  below: string;
  icon: LucideIcon;
  /** `idle`: not reached, and nothing wrong with that. */
  state: "done" | "now" | "bad" | "idle";
};

/** The five stations of an arrival. The one where it stopped is red and says why. */
export function Path({ stations }: { stations: Station[] }) {
  const { t } = useTranslation();
  return (
    <ol className={styles.path} aria-label={t("activity.path")}>
      {stations.map(({ name, below, icon: Icon, state }) => (
        <li key={name} className={styles[state]}>
          <span className={styles.dot}>
            <Icon size={14} strokeWidth={1.9} aria-hidden />
          </span>
          <b>{name}</b>
          <span>{below}</span>
        </li>
      ))}
    </ol>
  );
}
