import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, call } from "../../bridge";
import { Button } from "../../components/Button";
import { EmptyState } from "../../components/EmptyState";
import { useAgentName } from "../../hooks/useAgentName";
import { useContactName } from "../../hooks/useContactName";
import { useKey } from "../../keys/KeysProvider";
import { conversation } from "../../queries/conversations";
import { usePending } from "../../queries/pending";
import { sentence } from "../../words/error";
import { Composer, type ComposerHandle } from "./Composer";
import styles from "./Conversation.module.css";
import { ConversationHead } from "./ConversationHead";
import { Flow } from "./Flow";
import { HandBack } from "./HandBack";
import { TakeBar } from "./TakeBar";
import { useConversationActions } from "./useConversationActions";

type Props = { id: string; panelShown: boolean; onPanel: () => void; onBack: () => void; onNext: () => void };

/** One conversation: who holds it, what was said, and a place to answer. */
export function Conversation({ id, panelShown, onPanel, onBack, onNext }: Props) {
  const { t } = useTranslation();
  const nameOf = useAgentName();
  const called = useContactName();
  const row = useQuery(conversation(id));
  const shown = row.data;
  const actions = useConversationActions(id, shown);
  const { held, take, giveBack, setStatus } = actions;
  const pending = usePending(id);
  const composer = useRef<ComposerHandle>(null);
  const [handingBack, setHandingBack] = useState(false);
  const [announced, setAnnounced] = useState("");

  const takeOver = () =>
    take.mutate(undefined, {
      onSuccess: () => {
        setAnnounced(t("inbox.took_over_said"));
        composer.current?.write("reply");
      },
    });
  const toggleOwner = () => {
    if (shown === undefined || take.isPending) return;
    if (held) setHandingBack(true);
    else takeOver();
  };
  const resolved = shown?.status === "resolved";
  const resolve = () => setStatus.mutate({ status: resolved ? "open" : "resolved" });
  useKey("take", toggleOwner);
  useKey("reply", () => composer.current?.write("reply"));
  useKey("note", () => composer.current?.write("note"));
  useKey("resolve", resolve);
  useKey("resolve_next", () => {
    if (!resolved) setStatus.mutate({ status: "resolved" });
    onNext();
  });

  const chooseTemplate = useCallback(() => composer.current?.template(), []);
  const edit = useCallback((words: string) => composer.current?.write("reply", words), []);

  const unread = shown?.unread ?? 0;
  useEffect(() => {
    if (unread > 0 && document.visibilityState === "visible") {
      // Not read is no harm: the count stays, and the next opening tries again.
      call("mark_read", { conversation: id }).catch(() => {});
    }
  }, [id, unread]);

  if (row.isError) {
    const gone = row.error instanceof ApiError && row.error.code === "not_found";
    return (
      <section className={styles.talk} data-pane tabIndex={-1} aria-label={t("inbox.conversation")}>
        <EmptyState
          title={t(gone ? "inbox.gone" : "inbox.unreadable")}
          text={gone ? undefined : sentence(row.error, t)}
        >
          {gone ? null : <Button onClick={() => void row.refetch()}>{t("common.try_again")}</Button>}
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
  return (
    <section
      className={styles.talk}
      data-pane
      tabIndex={-1}
      aria-label={t("inbox.conversation_with", { name: called(shown.contact) })}
    >
      <ConversationHead
        row={shown}
        agentName={agentName}
        actions={actions}
        panelShown={panelShown}
        onPanel={onPanel}
        onBack={onBack}
        onToggleOwner={toggleOwner}
        onResolve={resolve}
      />
      <div className="sr-only" role="status">
        {announced}
      </div>
      {actions.failed ? (
        <p className={styles.failed} role="alert">
          {sentence(actions.failed, t)}
        </p>
      ) : null}
      <Flow
        row={shown}
        pending={pending.pending}
        onTemplate={chooseTemplate}
        onEdit={edit}
        onAgain={pending.again}
        onGiveUp={pending.giveUp}
      />
      <div className={styles.foot}>
        {held ? null : <TakeBar row={shown} agentName={agentName} busy={take.isPending} onTake={takeOver} />}
        <Composer
          ref={composer}
          row={shown}
          agentName={agentName}
          mustTake={!held}
          onSend={async (content, note, done) => {
            if (!note && !held) await take.mutateAsync();
            pending.send(content, note);
            if (done && !resolved) setStatus.mutate({ status: "resolved" });
          }}
        />
      </div>
      <HandBack
        open={handingBack}
        onOpen={setHandingBack}
        busy={giveBack.isPending}
        error={giveBack.error ? sentence(giveBack.error, t) : undefined}
        onHandBack={(note) => giveBack.mutate(note, { onSuccess: () => setHandingBack(false) })}
      />
    </section>
  );
}
