import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Bot, Clock, Tag, UserCheck } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { ConversationRow } from "../../bindings";
import { call } from "../../bridge";
import { heldByPerson } from "../../components/OwnerChip";
import { useToast } from "../../components/Toast";
import { useAgentName } from "../../hooks/useAgentName";
import { conversation } from "../../queries/conversations";
import { refreshMessages } from "../../queries/messages";
import { dayAndClock } from "../../words/time";

/** Who is to have the next word: you, or an agent by its id. */
export type NextOwner = { type: "person" } | { type: "agent"; id: string };
type Doing = { back?: boolean };

const icon = { size: 17, strokeWidth: 1.8, "aria-hidden": true } as const;

/** What a person can do with a conversation. Each is done at once and says so with a way back. */
export function useConversationActions(id: string, row: ConversationRow | undefined) {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const say = useToast();
  const nameOf = useAgentName();

  const put = (changed: ConversationRow) => {
    client.setQueryData(conversation(id).queryKey, changed);
    for (const noun of ["conversations", "counts"]) void client.invalidateQueries({ queryKey: [noun] });
    void refreshMessages(id);
  };
  const undo = (onAction: () => void) => ({ label: t("common.undo"), onAction });
  const until = (moment: number) => dayAndClock(moment, i18n.language);

  const take = useMutation({ mutationFn: () => call("take_over", { conversation: id }), onSuccess: put });
  const giveBack = useMutation({
    mutationFn: (note: string) =>
      call("hand_back", { conversation: id, note: note.trim() === "" ? null : note.trim() }),
    onSuccess: (changed) => {
      put(changed);
      const name = changed.owner.type === "agent" ? nameOf(changed.owner.id, changed.owner.name) : t("common.agent");
      say(t("inbox.handed_back_said", { name }), {
        icon: <Bot {...icon} />,
        action: { label: t("inbox.take_again"), onAction: () => take.mutate() },
      });
    },
  });
  const assign = useMutation({
    mutationFn: ({ owner }: Doing & { owner: NextOwner }) => call("assign", { conversation: id, owner }),
    onSuccess: (changed, { back }) => {
      const before: NextOwner = row?.owner.type === "agent" ? { type: "agent", id: row.owner.id } : { type: "person" };
      put(changed);
      if (back) return;
      const { owner } = changed;
      const words =
        owner.type === "agent" ? t("owner.agents_said", { name: nameOf(owner.id, owner.name) }) : t("owner.yours_said");
      say(words, {
        icon: owner.type === "agent" ? <Bot {...icon} /> : <UserCheck {...icon} />,
        action: undo(() => assign.mutate({ owner: before, back: true })),
      });
    },
  });
  /** Puts the status back that the conversation had. */
  const restore = (before: ConversationRow | undefined) => {
    if (before?.status === "snoozed") snooze.mutate({ until: before.snoozed_until ?? null, back: true });
    else setStatus.mutate({ status: before?.status === "resolved" ? "resolved" : "open", back: true });
  };
  const setStatus = useMutation({
    mutationFn: ({ status }: Doing & { status: "open" | "resolved" }) =>
      call("set_conversation_status", { conversation: id, status }),
    onSuccess: (changed, { back }) => {
      const before = row;
      put(changed);
      if (back) return;
      if (changed.status === "resolved") say(t("inbox.resolved_said"), { action: undo(() => restore(before)) });
      else if (before?.status === "snoozed") say(t("inbox.woken_said"), { action: undo(() => restore(before)) });
    },
  });
  const snooze = useMutation({
    mutationFn: ({ until }: Doing & { until: number | null }) => call("snooze", { conversation: id, until }),
    onSuccess: (changed, { back }) => {
      const before = row;
      put(changed);
      if (back) return;
      const words = changed.snoozed_until
        ? t("inbox.snoozed_said", { when: until(changed.snoozed_until) })
        : t("inbox.snoozed_reply_said");
      say(words, { icon: <Clock {...icon} />, action: undo(() => restore(before)) });
    },
  });
  const label = useMutation({
    mutationFn: ({ name, on }: Doing & { name: string; on: boolean }) =>
      call("label", { conversation: id, [on ? "add" : "remove"]: [name] }),
    onSuccess: (changed, { name, on, back }) => {
      put(changed);
      void client.invalidateQueries({ queryKey: ["labels"] });
      if (back) return;
      say(t(on ? "label.added" : "label.removed", { name }), {
        icon: <Tag {...icon} />,
        action: undo(() => label.mutate({ name, on: !on, back: true })),
      });
    },
  });

  const failed = [take, giveBack, assign, setStatus, snooze, label].find((one) => one.isError)?.error;
  const held = row !== undefined && heldByPerson(row);
  return { take, giveBack, assign, setStatus, snooze, label, failed, held };
}

export type ConversationActions = ReturnType<typeof useConversationActions>;
