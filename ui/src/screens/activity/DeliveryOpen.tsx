import { Link } from "@tanstack/react-router";
import { RotateCcw } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import type { DeliveryRow } from "../../bindings";
import { Button } from "../../components/Button";
import { useToast } from "../../components/Toast";
import { inTrouble, useDeliveryHelp } from "../../hooks/useDeliveryHelp";
import { deliveryReason } from "../../words/delivery";
import { sentence } from "../../words/error";
import { fullTime } from "../../words/time";
import { tickWord } from "./arrivalWords";
import styles from "./Open.module.css";
import { Facts } from "./RefusalOpen";

type Props = {
  delivery: DeliveryRow;
  /** The connection's name and kind. */
  name: string;
  connector: string;
};

/** One message on its way out: why it stands where it stands, and the ways on from there. */
export function DeliveryOpen({ delivery, name, connector }: Props) {
  const { t, i18n } = useTranslation();
  const say = useToast();
  const { conversation, connection, parked } = delivery;
  const { reason, ways, busy, retried, error } = useDeliveryHelp(delivery, { conversation, connection, connector });
  const unsure = delivery.status === "unconfirmed" && !parked;
  useEffect(() => {
    if (retried) say(t("activity.retried"));
  }, [retried, say, t]);
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
        {ways.map((way, index) => (
          <Button key={way.id} look={index === 0 ? "primary" : "plain"} busy={busy} onClick={way.go}>
            {way.id === "again" || way.id === "twice" || way.id === "anyway" ? (
              <RotateCcw size={16} strokeWidth={1.8} aria-hidden />
            ) : null}
            {way.label}
          </Button>
        ))}
      </header>
      {inTrouble(delivery) ? (
        <p className={`${styles.reason} ${unsure ? styles.unsure : ""}`} dir="auto">
          {reason}
        </p>
      ) : delivery.reason ? (
        <p className={styles.small} dir="auto">
          {deliveryReason(delivery.reason, t)}
        </p>
      ) : null}
      {error ? (
        <p className={styles.reason} role="alert">
          {sentence(error, t)}
        </p>
      ) : null}
      {ways.length > 0 && !unsure ? (
        <p className={styles.small}>{t(parked ? "activity.retry_text.parked" : "activity.retry_text.failed")}</p>
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
