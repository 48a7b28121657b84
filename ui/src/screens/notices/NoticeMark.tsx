import { useTranslation } from "react-i18next";
import type { Notice } from "../../bindings";
import { unseen } from "./gravest";
import { LevelIcon } from "./LevelIcon";
import styles from "./Notices.module.css";

/** The gravest notice of a connection that nobody has seen, in one line, and how many more there are. */
export function NoticeMark({ list }: { list: Notice[] }) {
  const { t } = useTranslation();
  const [first, ...more] = unseen(list);
  if (first === undefined) return null;
  return (
    <p className={styles.mark} data-level={first.level}>
      <LevelIcon level={first.level} size={16} />
      <span className={styles.line} title={first.text} dir="auto">
        <span className="sr-only">{t(`notice.level.${first.level}`)} </span>
        {first.text}
      </span>
      {more.length > 0 ? <b>{t("notice.more", { count: more.length })}</b> : null}
    </p>
  );
}
