import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { RotateCcw } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { DeliveryRow } from "../../bindings";
import { call } from "../../bridge";
import { Button } from "../../components/Button";
import { useToast } from "../../components/Toast";
import { queryClient } from "../../queries/client";
import { sentence } from "../../words/error";
import { fullTime } from "../../words/time";
import { tickWord } from "./arrivalWords";
import styles from "./Open.module.css";
import { Facts } from "./RefusalOpen";

/** One message on its way out: why it stands where it stands, and the way to try again. */
export function DeliveryOpen({ delivery, name }: { delivery: DeliveryRow; name: string }) {
  const { t, i18n } = useTranslation();
  const say = useToast();
  const retry = useMutation({
    mutationFn: () => call("retry_delivery", { id: delivery.id }),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ["deliveries"] });
      say(t("activity.retried"));
    },
  });
  const parked = delivery.parked;
  const unsure = delivery.status === "unconfirmed";
  const again = parked || unsure || delivery.status === "failed";
  const facts: [string, string][] = [
    [t("activity.fact.status"), parked ? t("activity.verdict.parked") : tickWord(delivery.status, t)],
    [t("activity.fact.over"), name],
    [t("activity.fact.written"), fullTime(delivery.sent_at, i18n.language)],
    [t("activity.fact.attempts"), String(delivery.attempts)],
  ];
  if (delivery.due_at) facts.push([t("activity.fact.next"), fullTime(delivery.due_at, i18n.language)]);

  return (
    <>
      <header className={styles.head}>
        <h2 className={`${styles.title} grow`} dir="auto">
          {t("activity.to", { name: delivery.contact || t("activity.somebody") })}
        </h2>
        {again ? (
          <Button look="primary" busy={retry.isPending} onClick={() => retry.mutate()}>
            <RotateCcw size={16} strokeWidth={1.8} aria-hidden />
            {t("activity.retry")}
          </Button>
        ) : null}
      </header>
      {delivery.reason ? (
        <p className={`${styles.reason} ${unsure ? styles.unsure : ""}`} dir="auto">
          {delivery.reason}
        </p>
      ) : null}
      {retry.isError ? (
        <p className={styles.reason} role="alert">
          {sentence(retry.error, t)}
        </p>
      ) : null}
      {again ? (
        <p className={styles.small}>
          {t(
            unsure
              ? "activity.retry_text.unsure"
              : parked
                ? "activity.retry_text.parked"
                : "activity.retry_text.failed",
          )}
        </p>
      ) : null}
      <p className={styles.said} dir="auto">
        {delivery.preview || t("activity.no_words")}
      </p>
      <Facts facts={facts} />
      <p>
        <Link to="/inbox/$conversation" params={{ conversation: delivery.conversation }} className="link">
          {t("activity.open_conversation")}
        </Link>
      </p>
    </>
  );
}
