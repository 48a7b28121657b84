import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link2, Unlink2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Contact } from "../../bindings";
import { call } from "../../bridge";
import { useToast } from "../../components/Toast";
import { useContactName } from "../../hooks/useContactName";
import { contact as contactQuery } from "../../queries/conversations";

const icon = { size: 17, strokeWidth: 1.8, "aria-hidden": true } as const;

/** Makes one person of two, and two of one again. `onDone` gives the focus a place: the pressed button is gone by then. */
export function useJoining(contact: Contact, onDone: () => void) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const say = useToast();
  const called = useContactName();

  const put = (changed: Contact) => {
    client.setQueryData(contactQuery(contact.id).queryKey, changed);
    for (const noun of ["contact", "conversations", "conversation"])
      void client.invalidateQueries({ queryKey: [noun] });
    onDone();
  };
  const undo = useMutation({
    mutationFn: ({ merge }: { merge: string; name: string }) => call("undo_merge", { merge }),
    onSuccess: (changed, { name }) => {
      put(changed);
      say(t("same.parted_said", { name }), { icon: <Unlink2 {...icon} /> });
    },
  });
  const join = useMutation({
    mutationFn: ({ id }: { id: string; name: string }) => call("merge_contacts", { contact: contact.id, other: id }),
    onSuccess: (changed, { name }) => {
      const known = new Set(contact.merged.map((one) => one.merge));
      const made = changed.merged.find((one) => !known.has(one.merge));
      put(changed);
      say(t("same.joined_said", { name, other: called(changed) }), {
        icon: <Link2 {...icon} />,
        ...(made
          ? { action: { label: t("common.undo"), onAction: () => undo.mutate({ merge: made.merge, name }) } }
          : {}),
      });
    },
  });
  return { join, undo, failed: join.error ?? undo.error };
}
