import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleDashed } from "lucide-react";
import { useTranslation } from "react-i18next";
import { ago, dayAndClock } from "../../words/time";
import type { Evidence } from "./evidence";
import { asks } from "./evidence";
import styles from "./GoLive.module.css";
import type { Item } from "./list";

type Props = { item: Item; evidence: Evidence; now: number; ticked: boolean; onTick: (on: boolean) => void };

/** One thing of the list: proven, open, or a box that its owner ticks. */
export function Line({ item, evidence, now, ticked, onTick }: Props) {
  const { t, i18n } = useTranslation();
  const name = evidence.connector.name;
  const phone = asks(evidence, "phone_number");
  const titleId = item.id === "added" ? (phone ? "added_number" : "added_account") : item.id;
  const title = t(`live.item.${titleId}`, { name, what: item.what ?? "" });
  // What lies ahead is a day, what happened is so long ago.
  const when =
    item.at === undefined
      ? ""
      : item.at > now + 60_000
        ? dayAndClock(item.at, i18n.language)
        : ago(item.at, now, i18n.language);
  const note = t(`live.note.${item.note}`, { name, what: item.what ?? "", when });
  const words = (
    <>
      <b>{title}</b>
      <small dir="auto">
        {note}
        {item.note !== "own" && item.at !== undefined && !note.includes(when) ? ` ${when}` : ""}
        {item.said ? ` ${item.said}` : ""}
        {item.id === "logged" && evidence.conversation ? (
          <>
            {" "}
            <Link className="link" to="/inbox/$conversation" params={{ conversation: evidence.conversation.id }}>
              {t("live.open")}
            </Link>
          </>
        ) : null}
      </small>
    </>
  );
  if (item.state === "own")
    return (
      <li>
        <label className={styles.item}>
          <input type="checkbox" checked={ticked} onChange={(event) => onTick(event.target.checked)} />
          <span className={styles.words}>{words}</span>
        </label>
      </li>
    );
  const yes = item.state === "yes";
  return (
    <li className={styles.item}>
      {yes ? (
        <CircleCheck size={20} strokeWidth={1.8} className={styles.yes} aria-hidden />
      ) : (
        <CircleDashed size={20} strokeWidth={1.8} className={styles.no} aria-hidden />
      )}
      <span className={styles.words}>
        <span className="sr-only">{t(yes ? "setup.test.check_ok" : "setup.test.check_no")} </span>
        {words}
      </span>
    </li>
  );
}
