/**
 * Messages that were written here and are not yet in the hub's list: shown at once, sent under a key of their own, so that
 * trying again never sends twice.
 */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { Message, Part } from "../bindings";
import { call } from "../bridge";
import { sentence } from "../words/error";
import { isListed, refreshMessages } from "./messages";

/** `refused`: the hub did not take it; the reason in words. */
export type Pending = Message & { client_key: string; refused?: string };

const none: Pending[] = [];
const keyOf = (conversation: string) => ["pending", conversation];

/** The pending messages of a conversation, and ways to send, try again and give up. */
export function usePending(conversation: string) {
  const client = useQueryClient();
  const { t } = useTranslation();
  const { data: pending = none } = useQuery<Pending[]>({
    queryKey: keyOf(conversation),
    queryFn: () => client.getQueryData<Pending[]>(keyOf(conversation)) ?? none,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  });

  const change = useCallback(
    (edit: (all: Pending[]) => Pending[]) =>
      client.setQueryData<Pending[]>(keyOf(conversation), (all) => edit(all ?? none)),
    [client, conversation],
  );

  const attempt = useCallback(
    async (one: Pending) => {
      try {
        const made = await call("send_reply", {
          conversation,
          content: one.content,
          note: one.direction === "note",
          client_key: one.client_key,
        });
        change((all) =>
          all.map((each) => (each.client_key === one.client_key ? { ...made, client_key: one.client_key } : each)),
        );
        await refreshMessages(conversation);
        // Until the list has it, it stands here; what stands in both is shown once.
        if (isListed(conversation, made.id, one.client_key))
          change((all) => all.filter((each) => each.client_key !== one.client_key));
      } catch (cause) {
        const refused = sentence(cause, t);
        change((all) => all.map((each) => (each.client_key === one.client_key ? { ...each, refused } : each)));
      }
    },
    [conversation, change, t],
  );

  const send = useCallback(
    (content: Part[], note: boolean) => {
      const client_key = freshKey();
      const one: Pending = {
        id: `pending_${client_key}`,
        conversation,
        author: { type: "person", id: null, name: null },
        direction: note ? "note" : "out",
        content,
        sent_at: Date.now(),
        client_key,
        late: false,
        sources: [],
        forwarded: false,
        caught_up: false,
        delivery: note ? null : { id: "", status: "queued", parked: false, attempts: 0 },
      };
      change((all) => [...all, one]);
      void attempt(one);
    },
    [attempt, change, conversation],
  );

  const again = useCallback(
    (client_key: string) => {
      const one = client.getQueryData<Pending[]>(keyOf(conversation))?.find((each) => each.client_key === client_key);
      if (one === undefined) return;
      const { refused: _, ...clean } = one;
      change((all) => all.map((each) => (each.client_key === client_key ? clean : each)));
      void attempt(clean);
    },
    [attempt, change, client, conversation],
  );

  const giveUp = useCallback(
    (client_key: string) => change((all) => all.filter((each) => each.client_key !== client_key)),
    [change],
  );

  return { pending, send, again, giveUp };
}

/** 128 random bits; `crypto.randomUUID` is missing where a page is not a secure context. */
function freshKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
