import { useQuery } from "@tanstack/react-query";
import { Bot, ChevronDown, Hand, User } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { ConversationRow } from "../../bindings";
import { KeyHint } from "../../components/Kbd";
import { Menu, MenuCheck, MenuGroup, MenuItem, MenuLine } from "../../components/Menu";
import { heldByPerson, OwnerChip, ownerWord } from "../../components/OwnerChip";
import { agents } from "../../queries/agents";
import styles from "./Conversation.module.css";
import type { NextOwner } from "./useConversationActions";

type Props = {
  row: ConversationRow;
  agentName: string;
  open: boolean;
  onOpen: (open: boolean) => void;
  /** Take over, or hand back with a line of context. */
  onToggle: () => void;
  onAssign: (owner: NextOwner) => void;
};

/** Who has the next word. Pressed: take over, hand back, or give it to one of the agents. */
export function OwnerMenu({ row, agentName, open, onOpen, onToggle, onAssign }: Props) {
  const { t } = useTranslation();
  const list = useQuery(agents());
  const held = heldByPerson(row);
  return (
    <Menu
      open={open}
      onOpen={onOpen}
      align="start"
      trigger={
        <button
          type="button"
          className={styles.owner}
          aria-label={t("owner.menu", { who: ownerWord(row, agentName, t) })}
        >
          <OwnerChip row={row} agentName={agentName}>
            <ChevronDown size={13} strokeWidth={2} aria-hidden />
          </OwnerChip>
        </button>
      }
    >
      <MenuItem
        icon={held ? <Bot size={16} strokeWidth={1.8} /> : <Hand size={16} strokeWidth={1.8} />}
        hint={<KeyHint id="take" />}
        onSelect={onToggle}
      >
        {t(held ? "inbox.hand_back" : "inbox.take_over")}
      </MenuItem>
      <MenuLine />
      <MenuGroup label={t("inbox.give_to")}>
        <MenuCheck
          icon={<User size={16} strokeWidth={1.8} />}
          checked={held}
          onChecked={() => held || onAssign({ type: "person" })}
        >
          {t("common.you")}
        </MenuCheck>
        {list.data?.items.map((one) => {
          const here = row.owner.type === "agent" && row.owner.id === one.id;
          return (
            <MenuCheck
              key={one.id}
              icon={<Bot size={16} strokeWidth={1.8} />}
              checked={here}
              onChecked={() => here || onAssign({ type: "agent", id: one.id })}
            >
              {one.name}
            </MenuCheck>
          );
        })}
      </MenuGroup>
    </Menu>
  );
}
