import { Info } from "lucide-react";
import { useTranslation } from "react-i18next";
import { worksHereOnly } from "../words/reach";
import styles from "./LocalOnly.module.css";

/** Says of the line for a website that it works on this computer only, for as long as that is so, and what to do about it. */
export function LocalOnly({ line, leave }: { line: string; leave?: boolean }) {
  const { t } = useTranslation();
  if (!worksHereOnly(line)) return null;
  return (
    <p className={styles.note} role="note">
      <Info size={16} strokeWidth={1.8} aria-hidden />
      <span>
        {t("connections.local_only")}{" "}
        {leave ? (
          <a href="#/settings" className="link">
            {t("connections.local_only_go")}
          </a>
        ) : null}
      </span>
    </p>
  );
}
