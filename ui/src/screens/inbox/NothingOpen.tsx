import { useTranslation } from "react-i18next";
import { EmptyState } from "../../components/EmptyState";
import { KeyHint } from "../../components/Kbd";
import type { KeyId } from "../../keys/keymap";
import styles from "./NothingOpen.module.css";

const three: KeyId[] = ["next", "take", "palette"];

/** No conversation is open: three keys to know. */
export function NothingOpen() {
  const { t } = useTranslation();
  return (
    <section className={styles.nothing} data-pane tabIndex={-1} aria-label={t("inbox.conversation")}>
      <EmptyState title={t("inbox.nothing_open")} text={t("inbox.nothing_open_text")}>
        <dl className={styles.keys}>
          {three.map((id) => (
            <div key={id}>
              <dt>{t(`keys.${id}`)}</dt>
              <dd>
                <KeyHint id={id} spoken />
              </dd>
            </div>
          ))}
        </dl>
      </EmptyState>
    </section>
  );
}
