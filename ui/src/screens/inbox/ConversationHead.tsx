import { Bot, Check, ChevronLeft, Ellipsis, PanelRight, RotateCcw, Tag } from "lucide-react";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ConversationRow } from "../../bindings";
import { Button } from "../../components/Button";
import { KeyHint } from "../../components/Kbd";
import { Menu, MenuItem } from "../../components/Menu";
import { useContactName } from "../../hooks/useContactName";
import { useServiceName } from "../../hooks/useServiceName";
import { useKey } from "../../keys/KeysProvider";
import { dayAndClock } from "../../words/time";
import styles from "./Conversation.module.css";
import { LabelPicker } from "./LabelPicker";
import { OwnerMenu } from "./OwnerMenu";
import { SnoozeMenu } from "./SnoozeMenu";
import type { ConversationActions } from "./useConversationActions";

type Props = {
  row: ConversationRow;
  agentName: string;
  actions: ConversationActions;
  panelShown: boolean;
  onPanel: () => void;
  onBack: () => void;
  /** Take over, or hand back with a line of context. */
  onToggleOwner: () => void;
  onResolve: () => void;
};

/** With whom, who answers, and what can be done with the conversation. */
export function ConversationHead(props: Props) {
  const { row, agentName, actions, panelShown, onPanel, onBack, onToggleOwner, onResolve } = props;
  const { t, i18n } = useTranslation();
  const called = useContactName();
  const serviceOf = useServiceName();
  const [open, setOpen] = useState<"owner" | "snooze" | "label">();
  const more = useRef<HTMLButtonElement>(null);
  const opens = (which: typeof open) => (next: boolean) => setOpen(next ? which : undefined);
  useKey("assign", () => setOpen("owner"));
  useKey("snooze", () => setOpen("snooze"));
  useKey("label", () => setOpen("label"));
  const { held } = actions;
  const resolved = row.status === "resolved";
  const state =
    row.status === "snoozed"
      ? row.snoozed_until
        ? t("inbox.snoozed_said", { when: dayAndClock(row.snoozed_until, i18n.language) })
        : t("inbox.snoozed_reply_said")
      : resolved
        ? t("inbox.status_resolved")
        : undefined;
  const resolveWord = t(resolved ? "inbox.reopen" : "inbox.resolve");
  const ResolveIcon = resolved ? RotateCcw : Check;

  return (
    <header className={styles.head} data-held={held || undefined}>
      <Button look="quiet" icon className="narrow-only" aria-label={t("inbox.back_to_list")} onClick={onBack}>
        <ChevronLeft size={18} strokeWidth={1.8} aria-hidden />
      </Button>
      <div className={styles.who}>
        <div className="row">
          <h2 className="cut" dir="auto">
            {called(row.contact)}
          </h2>
          <OwnerMenu
            row={row}
            agentName={agentName}
            open={open === "owner"}
            onOpen={opens("owner")}
            onToggle={onToggleOwner}
            onAssign={(owner) => actions.assign.mutate({ owner })}
          />
        </div>
        <p className="cut">
          {/* Most people leave a connection the name of its service. */}
          {[...new Set([serviceOf(row.connection.connector), row.connection.name, state])].filter(Boolean).join(" · ")}
        </p>
      </div>
      {held ? (
        <Button className="wide-only" onClick={onToggleOwner}>
          <Bot size={16} strokeWidth={1.8} aria-hidden />
          {t("inbox.hand_back")} <KeyHint id="take" />
        </Button>
      ) : null}
      <SnoozeMenu
        snoozed={row.status === "snoozed"}
        open={open === "snooze"}
        onOpen={opens("snooze")}
        onSnooze={(until) => actions.snooze.mutate({ until })}
        onWake={() => actions.setStatus.mutate({ status: "open" })}
      />
      <Menu
        trigger={
          <Button ref={more} look="quiet" icon aria-label={t("inbox.more_actions")}>
            <Ellipsis size={18} strokeWidth={1.8} aria-hidden />
          </Button>
        }
      >
        <MenuItem icon={<Bot size={16} strokeWidth={1.8} />} hint={<KeyHint id="take" />} onSelect={onToggleOwner}>
          {t(held ? "inbox.hand_back" : "inbox.take_over")}
        </MenuItem>
        <MenuItem
          icon={<ResolveIcon size={16} strokeWidth={1.8} />}
          hint={<KeyHint id="resolve" />}
          onSelect={onResolve}
        >
          {resolveWord}
        </MenuItem>
        <MenuItem
          icon={<Tag size={16} strokeWidth={1.8} />}
          hint={<KeyHint id="label" />}
          // After the menu has given the focus back.
          onSelect={() => setTimeout(() => setOpen("label"))}
        >
          {t("label.title")}
        </MenuItem>
        <MenuItem icon={<PanelRight size={16} strokeWidth={1.8} />} hint={<KeyHint id="panel" />} onSelect={onPanel}>
          {t(panelShown ? "inbox.hide_panel" : "inbox.show_panel")}
        </MenuItem>
      </Menu>
      <LabelPicker
        on={row.labels}
        open={open === "label"}
        onOpen={opens("label")}
        onLabel={(name, on) => actions.label.mutate({ name, on })}
        anchor={more}
      />
      <Button
        className={`wide-only ${styles.resolve}`}
        onClick={onResolve}
        busy={actions.setStatus.isPending}
        aria-label={resolveWord}
        title={resolveWord}
      >
        <ResolveIcon size={16} strokeWidth={1.8} aria-hidden />
        <span className={styles.word}>{resolveWord}</span> <KeyHint id="resolve" />
      </Button>
    </header>
  );
}
