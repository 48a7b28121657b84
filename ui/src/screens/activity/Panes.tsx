import { ChevronLeft } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/Button";
import styles from "./Panes.module.css";

type Props = {
  list: ReactNode;
  /** What is opened; nothing on a wide window leaves a hint, on a narrow one the list. */
  opened: ReactNode;
  label: string;
  onBack: () => void;
};

/** The list and, beside it or over it, what is opened. */
export function Panes({ list, opened, label, onBack }: Props) {
  const { t } = useTranslation();
  return (
    <div className={styles.panes} data-open={opened ? true : undefined}>
      <div className={styles.list}>{list}</div>
      <section className={styles.open} id="opened" aria-label={label} tabIndex={-1} data-pane>
        {opened ? (
          <>
            <div className={styles.back}>
              <Button look="quiet" onClick={onBack}>
                <ChevronLeft size={17} strokeWidth={1.8} aria-hidden />
                {t("common.back")}
              </Button>
            </div>
            {opened}
          </>
        ) : (
          <p className={styles.hint}>{t("activity.open_one")}</p>
        )}
      </section>
    </div>
  );
}
