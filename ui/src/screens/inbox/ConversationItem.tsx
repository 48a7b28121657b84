import { Clock } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { ConversationRow } from "../../bindings";
import { Avatar } from "../../components/Avatar";
import { LabelDot } from "../../components/LabelDot";
import { OwnerWord, ownerWord } from "../../components/OwnerChip";
import { Tick } from "../../components/Tick";
import { useAgentName } from "../../hooks/useAgentName";
import { useContactName } from "../../hooks/useContactName";
import { useTyping } from "../../queries/typing";
import { ago, dayAndClock, shortTime } from "../../words/time";
import styles from "./ConversationItem.module.css";

type Props = { row: ConversationRow; now: number; open: boolean; tabStop: boolean; onOpen: (id: string) => void };

/** One row of the list: who, the last line, who holds it. 72 px, always. */
export function ConversationItem({ row, now, open, tabStop, onOpen }: Props) {
  const { t, i18n } = useTranslation();
  const nameOf = useAgentName();
  const typing = useTyping(row.id);
  const name = useContactName()(row.contact);
  const { owner, connection } = row;
  const agentName = owner.type === "agent" ? nameOf(owner.id, owner.name) : "";
  const unread = row.unread > 0;
  const failed = row.preview_delivery?.status === "failed" || row.preview_delivery?.parked === true;
  const spoken = [
    name,
    connection.name,
    ownerWord(row, agentName, t),
    unread ? t("inbox.unread", { count: row.unread }) : "",
    row.preview,
    ago(row.last_message_at, now, i18n.language),
  ];

  return (
    <button
      type="button"
      data-row={row.id}
      tabIndex={tabStop ? 0 : -1}
      className={`${styles.thread} ${unread ? styles.unread : ""}`}
      aria-current={open || undefined}
      aria-label={spoken.filter(Boolean).join(", ")}
      onClick={() => onOpen(row.id)}
    >
      <Avatar name={name} channel={connection.connector} />
      <span className={styles.words}>
        <span className={styles.top}>
          <span className={`${styles.name} cut grow`} dir="auto">
            {name}
          </span>
          <span className={`${styles.when} num`}>{shortTime(row.last_message_at, now, i18n.language)}</span>
        </span>
        <span className={styles.say}>
          {typing === undefined ? (
            <>
              {row.preview_by !== "contact" && row.preview_delivery ? <Tick delivery={row.preview_delivery} /> : null}
              <span className="cut grow" dir="auto">
                {failed ? t("inbox.not_sent", { text: row.preview }) : row.preview || t("inbox.no_words")}
              </span>
            </>
          ) : (
            <span className="cut grow">
              {t("inbox.is_writing", { name: typing === "agent" ? agentName || t("common.agent") : name })}
            </span>
          )}
          {unread ? <span className={styles.count}>{row.unread > 99 ? "99+" : row.unread}</span> : null}
        </span>
        <span className={styles.meta}>
          {row.status === "snoozed" ? (
            <span className={styles.state}>
              <Clock size={13} strokeWidth={1.8} />
              {row.snoozed_until ? dayAndClock(row.snoozed_until, i18n.language) : t("inbox.status_snoozed")}
            </span>
          ) : (
            <OwnerWord row={row} agentName={agentName} />
          )}
          {row.status === "resolved" ? <span className={styles.state}>{t("inbox.status_resolved")}</span> : null}
          {row.labels.map((label) => (
            <LabelDot key={label} label={label} />
          ))}
        </span>
      </span>
    </button>
  );
}
