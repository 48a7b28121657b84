/** Each setting saves itself, and says so; one that is refused says why and stays as it was. */
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { UpdateSettings } from "../../bindings";
import { ApiError, call } from "../../bridge";
import { useToast } from "../../components/Toast";
import { queryClient } from "../../queries/client";
import { settings } from "../../queries/hub";
import { sentence } from "../../words/error";

export function useSaving() {
  const { t } = useTranslation();
  const say = useToast();
  const saving = useMutation({
    mutationFn: (change: UpdateSettings) => call("update_settings", change),
    onSuccess: (now) => {
      queryClient.setQueryData(settings().queryKey, now);
      say(t("common.saved"));
    },
  });
  const fields = saving.error instanceof ApiError ? saving.error.fields : {};
  return {
    save: saving.mutate,
    saving: saving.isPending,
    /** One sentence per field that was refused. */
    fields,
    /** What was refused as a whole. */
    error: saving.isError && Object.keys(fields).length === 0 ? sentence(saving.error, t) : undefined,
  };
}
