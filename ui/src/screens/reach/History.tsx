import { useTranslation } from "react-i18next";
import type { TunnelAddress } from "../../bindings";
import { size } from "../../words/size";
import { dayAndClock } from "../../words/time";
import styles from "./Reach.module.css";

/** The addresses there were, and what came and went by them. */
export function History({ rows }: { rows: TunnelAddress[] }) {
  const { t, i18n } = useTranslation();
  if (rows.length === 0) return <p className="muted">{t("reach.no_history")}</p>;
  return (
    <ul className={styles.rows}>
      {rows.slice(0, 10).map((row) => (
        <li key={`${row.url} ${row.from_at}`} className={styles.row}>
          <div className="grow">
            <span className={`${styles.url} num`}>{row.url}</span>
            <p className="muted">
              {t(`reach.ways.${row.driver}.name`)} ·{" "}
              {t("reach.from_to", {
                from: dayAndClock(row.from_at, i18n.language),
                to: dayAndClock(row.last_at, i18n.language),
              })}
            </p>
            <p className="muted">
              {t("reach.traffic", {
                count: row.requests,
                in: size(row.bytes_in, i18n.language),
                out: size(row.bytes_out, i18n.language),
              })}
            </p>
          </div>
        </li>
      ))}
    </ul>
  );
}
