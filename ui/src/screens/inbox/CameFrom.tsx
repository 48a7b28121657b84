import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Megaphone } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ConversationRow, ConversionReport, Referral } from "../../bindings";
import { ApiError, call } from "../../bridge";
import { Button } from "../../components/Button";
import { Field } from "../../components/Field";
import { conversions } from "../../queries/conversations";
import { sentence } from "../../words/error";
import { dayAndClock } from "../../words/time";
import styles from "./CameFrom.module.css";

type Props = { row: ConversationRow; referral: Referral };

/** The advertisement that brought the customer, and what was told to it of them. */
export function CameFrom({ row, referral }: Props) {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const key = conversions(row.id).queryKey;
  const told = useQuery({ ...conversions(row.id), enabled: Boolean(referral.click_id) }).data;
  const [buying, setBuying] = useState(false);
  const section = useRef<HTMLElement>(null);
  const report = useMutation({
    mutationFn: (what: { event: "qualified_lead" | "purchase"; currency?: string; amount?: number }) =>
      call("report_conversion", { conversation: row.id, ...what }),
    onSuccess: (now) => {
      client.setQueryData(key, now);
      setBuying(false);
      section.current?.focus();
    },
  });
  const was = (event: ConversionReport["event"]) => told?.items.some((one) => one.event === event);
  const fieldError = (name: string) => (report.error instanceof ApiError ? report.error.fields?.[name] : undefined);
  const open = told?.possible_until != null;
  const name = referral.headline?.trim() || referral.body?.trim() || t(`came_from.${kindOf(referral)}`);

  const buy = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const amount = Number(String(data.get("amount")).trim().replace(",", "."));
    report.mutate({
      event: "purchase",
      currency: String(data.get("currency")).trim().toUpperCase(),
      // A missing amount is told by the hub, like every other wrong field.
      ...(String(data.get("amount")).trim() === "" || Number.isNaN(amount) ? {} : { amount }),
    });
  };

  return (
    <section ref={section} className={styles.from} aria-label={t("came_from.label")} tabIndex={-1}>
      <h3>{t("came_from.label")}</h3>
      <div className={styles.ad}>
        <Megaphone size={16} strokeWidth={1.8} aria-hidden />
        <span dir="auto">
          {referral.url && /^https?:\/\//i.test(referral.url) ? (
            <a className="link" href={referral.url} target="_blank" rel="noreferrer noopener">
              {name}
            </a>
          ) : (
            name
          )}
        </span>
        {referral.at ? <small className="num">{dayAndClock(referral.at, i18n.language)}</small> : null}
      </div>
      {told && told.items.length > 0 ? (
        <ul className={styles.told}>
          {told.items.map((one) => (
            <li key={one.id}>
              <b>{t(`came_from.event.${one.event}`)}</b>
              {one.amount != null && one.currency ? (
                <span className="num">
                  {new Intl.NumberFormat(i18n.language, { style: "currency", currency: one.currency }).format(
                    one.amount,
                  )}
                </span>
              ) : null}
              <small className={one.status === "failed" ? styles.failed : ""}>
                {one.status === "failed" && one.reason ? one.reason : t(`came_from.status.${statusOf(one)}`)}
              </small>
            </li>
          ))}
        </ul>
      ) : null}
      {open && !buying ? (
        <div className={styles.buttons}>
          {was("qualified_lead") || was("purchase") ? null : (
            <Button
              size="sm"
              busy={report.isPending}
              onClick={() => report.mutate({ event: "qualified_lead" })}
              title={t("came_from.tell_help")}
            >
              {t("came_from.likely")}
            </Button>
          )}
          {was("purchase") ? null : (
            <Button size="sm" onClick={() => setBuying(true)} title={t("came_from.tell_help")}>
              {t("came_from.bought")}
            </Button>
          )}
        </div>
      ) : null}
      {open && buying ? (
        <form className={styles.form} onSubmit={buy} noValidate>
          <Field
            label={t("came_from.amount")}
            name="amount"
            inputMode="decimal"
            autoFocus
            error={fieldError("amount")}
          />
          <Field
            label={t("came_from.currency")}
            name="currency"
            maxLength={3}
            defaultValue={i18n.language === "pt-BR" ? "BRL" : ""}
            error={fieldError("currency")}
          />
          <div className={styles.buttons}>
            <Button size="sm" look="primary" type="submit" busy={report.isPending}>
              {t("came_from.tell")}
            </Button>
            <Button size="sm" look="quiet" onClick={() => setBuying(false)}>
              {t("common.cancel")}
            </Button>
          </div>
        </form>
      ) : null}
      {report.error && !fieldError("amount") && !fieldError("currency") ? (
        <p role="alert" className={styles.failed}>
          {sentence(report.error, t)}
        </p>
      ) : null}
    </section>
  );
}

const kindOf = ({ kind }: Referral) => (kind === "ad" || kind === "post" ? kind : "link");

function statusOf({ status }: ConversionReport) {
  switch (status) {
    case "sent":
    case "failed":
    case "unconfirmed":
      return status;
    default:
      return "waits";
  }
}
