import { Bot } from "lucide-react";
import { useTranslation } from "react-i18next";
import styles from "./MessageView.module.css";

/** Somebody is writing just now. */
export function TypingBubble({ agent, name }: { agent: boolean; name: string }) {
  const { t } = useTranslation();
  const words = t("inbox.is_writing_now", { name });
  return (
    <div className={`${styles.msg} ${agent ? `${styles.out} ${styles.agent}` : styles.in} ${styles.first}`}>
      <span className={styles.who}>
        {agent ? <Bot size={13} strokeWidth={1.8} aria-hidden /> : null}
        {words}
      </span>
      <div className={styles.bubble}>
        <span className={styles.typing} role="img" aria-label={words}>
          <i />
          <i />
          <i />
        </span>
      </div>
    </div>
  );
}
