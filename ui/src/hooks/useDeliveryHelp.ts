import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Delivery } from "../bindings";
import { call } from "../bridge";
import { queryClient } from "../queries/client";
import { connectors } from "../queries/connections";
import { refreshMessages } from "../queries/messages";
import { deliveryReason } from "../words/delivery";

/** Where the delivery stands, and what can be done about it from there. */
type Place = {
  conversation: string;
  connection: string;
  /** The kind of the connection. */
  connector: string;
  /** Opens the templates; without it the conversation is opened for them. */
  onTemplate?: (() => void) | undefined;
  /** Puts the words into the composer, to be changed; without it the conversation is opened for them. */
  onEdit?: (() => void) | undefined;
};
export type Way = {
  id: "sign_in" | "connection" | "template" | "edit" | "again" | "anyway" | "twice";
  label: string;
  go: () => void;
};

/** Does a delivery want a person's look: refused, given up, or nobody knows? */
export const inTrouble = (delivery: Pick<Delivery, "status" | "parked"> | null | undefined): boolean =>
  delivery != null && (delivery.parked || delivery.status === "failed" || delivery.status === "unconfirmed");

/** Why a message did not arrive, and the ways on from there, the best first. */
export function useDeliveryHelp(delivery: Delivery, place: Place) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const kinds = useQuery(connectors());
  const channel = kinds.data?.items.find((one) => one.kind === place.connector)?.channel;
  const retry = useMutation({
    mutationFn: () => call("retry_delivery", { id: delivery.id }),
    onSuccess: async () => {
      await Promise.all([
        refreshMessages(place.conversation, [delivery.id]),
        queryClient.invalidateQueries({ queryKey: ["deliveries"] }),
      ]);
    },
  });
  const open = () => void navigate({ to: "/inbox/$conversation", params: { conversation: place.conversation } });
  const again = (id: "again" | "anyway" | "twice", label: string): Way => ({ id, label, go: () => retry.mutate() });
  const see = (id: "sign_in" | "connection"): Way => ({
    id,
    label: t(`help.${id}`),
    go: () => void navigate({ to: "/connections/$connection", params: { connection: place.connection } }),
  });
  const template: Way[] =
    channel?.templates === true ? [{ id: "template", label: t("help.template"), go: place.onTemplate ?? open }] : [];
  const tryAgain = again("again", t("common.try_again"));

  const ways = (): Way[] => {
    if (delivery.status === "unconfirmed" && !delivery.parked) return [again("twice", t("inbox.send_twice"))];
    switch (delivery.action) {
      case "reauthorise":
        return [see("sign_in"), tryAgain];
      case "grant_permission":
      case "pay":
      case "fix_account":
        return [see("connection"), tryAgain];
      case "use_template":
        return template.length > 0 ? template : [tryAgain];
      case "fix_template":
        return [...template, tryAgain];
      case "fix_content":
        return [{ id: "edit", label: t("help.edit"), go: place.onEdit ?? open }];
      case "unreachable":
      case "blocked":
      case "not_today":
        return [again("anyway", t("help.anyway"))];
      case "slow_down":
      case null:
      case undefined:
        return [tryAgain];
    }
  };
  const sure = delivery.status !== "unconfirmed" || delivery.parked;
  return {
    reason: sure ? deliveryReason(delivery.reason, t) || t("inbox.no_reason") : t("inbox.unconfirmed"),
    ways: inTrouble(delivery) ? ways() : [],
    busy: retry.isPending,
    retried: retry.isSuccess,
    error: retry.error,
  };
}
