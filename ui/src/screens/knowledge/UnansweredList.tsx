import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { unanswered } from "../../queries/knowledge";
import { sentence } from "../../words/error";
import { ago } from "../../words/time";
import styles from "./Panel.module.css";

/** Questions of customers that nothing in the files answers. Writing the answer makes it part of the knowledge. */
export function UnansweredList({ now, onWrite }: { now: number; onWrite: (question: string) => void }) {
  const { t, i18n } = useTranslation();
  const list = useQuery(unanswered());
  const items = list.data?.items ?? [];
  return (
    <section className={styles.panel}>
      <h2>{t("knowledge.unanswered")}</h2>
      {list.isError ? (
        <p className={styles.error}>{sentence(list.error, t)}</p>
      ) : list.data && items.length === 0 ? (
        <p className={styles.small}>{t("knowledge.unanswered_none")}</p>
      ) : (
        <ul className={styles.questions}>
          {items.slice(0, 12).map((one) => (
            <li key={`${one.at}${one.question}`}>
              <p dir="auto">“{one.question}”</p>
              <small>{ago(one.at, now, i18n.language)}</small>
              <button type="button" className="link" onClick={() => onWrite(one.question)}>
                {t("knowledge.write_answer")}
              </button>
              {one.conversation ? (
                <Link to="/inbox/$conversation" params={{ conversation: one.conversation }} className="link">
                  {t("activity.open_conversation")}
                </Link>
              ) : null}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
