import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Bot, Check, ChevronLeft, Ellipsis, PanelRight, RotateCcw } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ConversationRow } from "../../bindings";
import { call } from "../../bridge";
import { Button } from "../../components/Button";
import { EmptyState } from "../../components/EmptyState";
import { Menu, MenuItem } from "../../components/Menu";
import { heldByPerson, OwnerChip } from "../../components/OwnerChip";
import { useToast } from "../../components/Toast";
import { useAgentName } from "../../hooks/useAgentName";
import { useContactName } from "../../hooks/useContactName";
import { useServiceName } from "../../hooks/useServiceName";
import { useKey } from "../../keys/KeysProvider";
import { conversation } from "../../queries/conversations";
import { refreshMessages } from "../../queries/messages";
import { usePending } from "../../queries/pending";
import { sentence } from "../../words/error";
import { Composer, type ComposerHandle } from "./Composer";
import styles from "./Conversation.module.css";
import { Flow } from "./Flow";
import { HandBack } from "./HandBack";
import { TakeBar } from "./TakeBar";

type Props = { id: string; panelShown: boolean; onPanel: () => void; onBack: () => void; onNext: () => void };

/** One conversation: who holds it, what was said, and a place to answer. */
export function Conversation({ id, panelShown, onPanel, onBack, onNext }: Props) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const say = useToast();
  const nameOf = useAgentName();
  const called = useContactName();
  const serviceOf = useServiceName();
  const row = useQuery(conversation(id));
  const pending = usePending(id);
  const composer = useRef<ComposerHandle>(null);
  const [handingBack, setHandingBack] = useState(false);
  const [announced, setAnnounced] = useState("");

  const put = (changed: ConversationRow) => {
    client.setQueryData(conversation(id).queryKey, changed);
    void client.invalidateQueries({ queryKey: ["conversations"] });
    void client.invalidateQueries({ queryKey: ["counts"] });
    void refreshMessages(id);
  };
  const take = useMutation({
    mutationFn: () => call("take_over", { conversation: id }),
    onSuccess: (changed) => {
      put(changed);
      setAnnounced(t("inbox.took_over_said"));
      composer.current?.write("reply");
    },
  });
  const giveBack = useMutation({
    mutationFn: (note: string) =>
      call("hand_back", { conversation: id, note: note.trim() === "" ? null : note.trim() }),
    onSuccess: (changed) => {
      put(changed);
      setHandingBack(false);
      const name = changed.owner.type === "agent" ? nameOf(changed.owner.id, changed.owner.name) : t("common.agent");
      say(t("inbox.handed_back_said", { name }), {
        icon: <Bot size={17} strokeWidth={1.8} aria-hidden />,
        action: { label: t("inbox.take_again"), onAction: () => take.mutate() },
      });
    },
  });
  const setStatus = useMutation({
    mutationFn: (status: "open" | "resolved") => call("set_conversation_status", { conversation: id, status }),
    onSuccess: (changed) => {
      put(changed);
      if (changed.status !== "resolved") return;
      say(t("inbox.resolved_said"), { action: { label: t("common.undo"), onAction: () => setStatus.mutate("open") } });
    },
  });

  const shown = row.data;
  const held = shown !== undefined && heldByPerson(shown);
  const resolved = shown?.status === "resolved";
  const toggleOwner = () => {
    if (shown === undefined || take.isPending) return;
    if (held) setHandingBack(true);
    else take.mutate();
  };
  const resolve = () => setStatus.mutate(resolved ? "open" : "resolved");
  useKey("take", toggleOwner);
  useKey("reply", () => composer.current?.write("reply"));
  useKey("note", () => composer.current?.write("note"));
  useKey("resolve", resolve);
  useKey("resolve_next", () => {
    if (!resolved) setStatus.mutate("resolved");
    onNext();
  });

  const unread = shown?.unread ?? 0;
  useEffect(() => {
    if (unread > 0 && document.visibilityState === "visible") {
      // Not read is no harm: the count stays, and the next opening tries again.
      call("mark_read", { conversation: id }).catch(() => {});
    }
  }, [id, unread]);

  if (row.isError) {
    return (
      <section className={styles.talk} data-pane tabIndex={-1} aria-label={t("inbox.conversation")}>
        <EmptyState title={t("inbox.unreadable")} text={sentence(row.error, t)}>
          <Button onClick={() => void row.refetch()}>{t("common.try_again")}</Button>
          <Button look="quiet" onClick={onBack}>
            {t("inbox.back_to_list")}
          </Button>
        </EmptyState>
      </section>
    );
  }
  if (shown === undefined)
    return <section className={styles.talk} aria-busy="true" aria-label={t("inbox.conversation")} />;

  const agentName = shown.owner.type === "agent" ? nameOf(shown.owner.id, shown.owner.name) : t("common.the_agent");
  const failed = take.error ?? giveBack.error ?? setStatus.error;
  return (
    <section
      className={styles.talk}
      data-pane
      tabIndex={-1}
      aria-label={t("inbox.conversation_with", { name: called(shown.contact) })}
    >
      <header className={styles.head}>
        <Button look="quiet" icon className="narrow-only" aria-label={t("inbox.back_to_list")} onClick={onBack}>
          <ChevronLeft size={18} strokeWidth={1.8} aria-hidden />
        </Button>
        <div className="grow">
          <div className="row">
            <h2 className="cut" dir="auto">
              {called(shown.contact)}
            </h2>
            <button
              type="button"
              className={styles.owner}
              onClick={toggleOwner}
              title={t(held ? "inbox.hand_back" : "inbox.take_over")}
            >
              <OwnerChip row={shown} agentName={agentName} />
            </button>
          </div>
          <p className="cut">
            {[
              // Most people leave a connection the name of its service.
              ...new Set([serviceOf(shown.connection.connector), shown.connection.name]),
              ...(resolved ? [t("inbox.status_resolved")] : []),
            ].join(" · ")}
          </p>
        </div>
        {held ? (
          <Button className="wide-only" onClick={() => setHandingBack(true)}>
            <Bot size={16} strokeWidth={1.8} aria-hidden />
            {t("inbox.hand_back")} <kbd>T</kbd>
          </Button>
        ) : null}
        <Menu
          trigger={
            <Button look="quiet" icon aria-label={t("inbox.more_actions")}>
              <Ellipsis size={18} strokeWidth={1.8} aria-hidden />
            </Button>
          }
        >
          <MenuItem icon={<Bot size={16} strokeWidth={1.8} />} hint={<kbd>T</kbd>} onSelect={toggleOwner}>
            {t(held ? "inbox.hand_back" : "inbox.take_over")}
          </MenuItem>
          <MenuItem
            icon={resolved ? <RotateCcw size={16} strokeWidth={1.8} /> : <Check size={16} strokeWidth={1.8} />}
            hint={<kbd>E</kbd>}
            onSelect={resolve}
          >
            {t(resolved ? "inbox.reopen" : "inbox.resolve")}
          </MenuItem>
          <MenuItem icon={<PanelRight size={16} strokeWidth={1.8} />} hint={<kbd>I</kbd>} onSelect={onPanel}>
            {t(panelShown ? "inbox.hide_panel" : "inbox.show_panel")}
          </MenuItem>
        </Menu>
        <Button className="wide-only" onClick={resolve} busy={setStatus.isPending}>
          {resolved ? (
            <RotateCcw size={16} strokeWidth={1.8} aria-hidden />
          ) : (
            <Check size={16} strokeWidth={1.8} aria-hidden />
          )}
          {t(resolved ? "inbox.reopen" : "inbox.resolve")} <kbd>E</kbd>
        </Button>
      </header>
      <div className="sr-only" role="status">
        {announced}
      </div>
      {failed ? (
        <p className={styles.failed} role="alert">
          {sentence(failed, t)}
        </p>
      ) : null}
      <Flow row={shown} pending={pending.pending} onAgain={pending.again} onGiveUp={pending.giveUp} />
      <div className={styles.foot}>
        {held ? null : <TakeBar row={shown} agentName={agentName} busy={take.isPending} onTake={() => take.mutate()} />}
        <Composer
          ref={composer}
          row={shown}
          agentName={agentName}
          mustTake={!held}
          onSend={async (content, note) => {
            if (!note && !held) await take.mutateAsync();
            pending.send(content, note);
          }}
        />
      </div>
      <HandBack
        open={handingBack}
        onOpen={setHandingBack}
        busy={giveBack.isPending}
        error={giveBack.error ? sentence(giveBack.error, t) : undefined}
        onHandBack={(note) => giveBack.mutate(note)}
      />
    </section>
  );
}
