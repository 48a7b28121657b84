import { useMutation, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Connection } from "../../bindings";
import { call } from "../../bridge";
import { Button } from "../../components/Button";
import { CopyBox } from "../../components/CopyBox";
import { queryClient } from "../../queries/client";
import { webhookState } from "../../queries/connections";
import { sentence } from "../../words/error";
import { ago } from "../../words/time";
import { useNow } from "../useNow";
import styles from "./WebhookCard.module.css";

/** Where the service shall ring, where it says that it rings, and the button that tells it. */
export function WebhookCard({ connection, name }: { connection: Connection; name: string }) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const state = useQuery(webhookState(connection.id));
  const register = useMutation({
    mutationFn: () => call("register_webhook", { id: connection.id }),
    onSuccess: (answer) => queryClient.setQueryData(webhookState(connection.id).queryKey, answer),
  });
  const url = connection.webhook_url ?? state.data?.desired_url;
  if (!url) return null;

  const confirmed = state.data?.confirmed_url;
  const rings = confirmed === url;
  const facts: [string, string][] = [];
  if (state.data) {
    facts.push([
      t("setup.hook.rings"),
      rings
        ? t("setup.hook.here")
        : confirmed
          ? t("setup.hook.elsewhere", { url: confirmed })
          : t("setup.hook.nowhere"),
    ]);
    if (state.data.pending !== undefined && state.data.pending !== null)
      facts.push([t("setup.hook.pending"), String(state.data.pending)]);
    if (state.data.last_proven_at)
      facts.push([t("setup.hook.proven"), ago(state.data.last_proven_at, now, i18n.language)]);
    if (state.data.last_error) {
      const at = state.data.last_error_at ? ` (${ago(state.data.last_error_at, now, i18n.language)})` : "";
      facts.push([t("setup.hook.last_error"), `${state.data.last_error}${at}`]);
    }
  }
  const failed = register.error ?? state.error;
  return (
    <section className={styles.card}>
      <h2>{t("setup.hook.title", { name })}</h2>
      <CopyBox text={url} label={t("setup.hook.label")} />
      {facts.length > 0 ? (
        <dl>
          {facts.map(([what, value]) => (
            <div key={what}>
              <dt>{what}</dt>
              <dd className="num">{value}</dd>
            </div>
          ))}
        </dl>
      ) : null}
      {failed ? <p className={styles.error}>{sentence(failed, t)}</p> : null}
      <div className={styles.actions}>
        <Button
          size="sm"
          busy={register.isPending}
          busyWord={t("setup.hook.registering")}
          onClick={() => register.mutate()}
        >
          {t(rings ? "setup.hook.register_again" : "setup.hook.register", { name })}
        </Button>
        <Button look="quiet" size="sm" busy={state.isFetching} onClick={() => void state.refetch()}>
          {t("setup.hook.ask")}
        </Button>
      </div>
    </section>
  );
}
