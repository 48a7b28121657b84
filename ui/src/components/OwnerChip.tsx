import type { TFunction } from "i18next";
import { Bot, Hand, User } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { ConversationRow } from "../bindings";
import { Chip } from "./Chip";
import styles from "./OwnerChip.module.css";

type Held = Pick<ConversationRow, "owner" | "needs_person">;

/** Does a person of the shop hold it, and not merely wait to be found? */
export const heldByPerson = ({ owner, needs_person }: Held): boolean => owner.type === "person" && !needs_person;

/** Who holds the conversation, as a chip at its head. */
export function OwnerChip({ row, agentName, children }: { row: Held; agentName: string; children?: ReactNode }) {
  const { t } = useTranslation();
  const { owner } = row;
  if (row.needs_person) {
    return (
      <Chip look="wait">
        <Hand size={14} strokeWidth={1.8} aria-hidden />
        {t("owner.needs_person")}
        {children}
      </Chip>
    );
  }
  if (owner.type === "agent") {
    return (
      <Chip look="agent">
        <Bot size={14} strokeWidth={1.8} aria-hidden />
        <span className={styles.words}>
          <span className={styles.long}>{t("owner.agent_answers", { name: agentName })}</span>
          <span className={styles.short}>{agentName}</span>
        </span>
        {children}
      </Chip>
    );
  }
  return (
    <Chip look="you">
      <User size={13} strokeWidth={1.8} aria-hidden />
      {owner.name || t("common.you")}
      {children}
    </Chip>
  );
}

/** Who holds it, in a word. */
export function ownerWord({ owner, needs_person }: Held, agentName: string, t: TFunction): string {
  if (needs_person) return t("owner.needs_person");
  return owner.type === "agent" ? agentName : owner.name || t("common.you");
}

/** The same in a row of the list: icon and word, no frame. */
export function OwnerWord({ row, agentName }: { row: Held; agentName: string }) {
  const { t } = useTranslation();
  const { owner, needs_person: wanted } = row;
  const look = wanted ? styles.wanted : owner.type === "agent" ? styles.agent : styles.person;
  const Icon = wanted ? Hand : owner.type === "agent" ? Bot : User;
  const word = ownerWord(row, agentName, t);
  return (
    <span className={`${styles.own} ${look}`}>
      <Icon size={13} strokeWidth={1.8} aria-hidden />
      {word}
    </span>
  );
}
