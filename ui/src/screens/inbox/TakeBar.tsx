import { Hand } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { ConversationRow } from "../../bindings";
import { Avatar } from "../../components/Avatar";
import { Button } from "../../components/Button";
import { KeyHint } from "../../components/Kbd";
import styles from "./TakeBar.module.css";

type Props = { row: ConversationRow; agentName: string; busy: boolean; onTake: () => void };

/** Above the composer while no person holds the conversation: who does, and the way in. */
export function TakeBar({ row, agentName, busy, onTake }: Props) {
  const { t } = useTranslation();
  const byAgent = row.owner.type === "agent";
  const wanted = row.needs_person;
  return (
    <div className={styles.bar} data-wanted={wanted || undefined}>
      {byAgent && !wanted ? (
        <Avatar name={agentName} bot size={26} />
      ) : (
        <Hand size={18} strokeWidth={1.8} aria-hidden />
      )}
      <span className="grow">
        <b>{wanted ? t("inbox.person_wanted") : t("inbox.agent_owns", { name: agentName })}</b>{" "}
        <span className={styles.more}>{t(byAgent ? "inbox.notes_stay" : "inbox.agent_quiet")}</span>
      </span>
      <Button look="ring" busy={busy} onClick={onTake}>
        {t("inbox.take_over")} <KeyHint id="take" />
      </Button>
    </div>
  );
}
