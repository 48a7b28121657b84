import { useMutation, useQuery } from "@tanstack/react-query";
import { Check, X } from "lucide-react";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Notice } from "../../bindings";
import { call } from "../../bridge";
import { Button } from "../../components/Button";
import { queryClient } from "../../queries/client";
import { notices } from "../../queries/notices";
import { sentence } from "../../words/error";
import { ago, fullTime } from "../../words/time";
import { seen, unseen } from "./gravest";
import { LevelIcon } from "./LevelIcon";
import styles from "./Notices.module.css";

/** So many are in sight before one asks for the rest. */
const few = 3;

/** What the service told of this account: what nobody has seen yet, the gravest first; below it, closed, what was seen. */
export function Notices({ connection, now }: { connection: string; now: number }) {
  const { t } = useTranslation();
  const told = useQuery(notices(connection));
  const [all, setAll] = useState(false);
  const section = useRef<HTMLElement>(null);
  const dismiss = useMutation({
    mutationFn: async (list: Notice[]) => {
      for (const one of list) await call("dismiss_notice", { connection, key: one.key });
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["notices"] }),
    // The pressed button goes with its notice.
    onSuccess: () => section.current?.focus(),
  });
  const open = unseen(told.data?.items ?? []);
  const before = seen(told.data?.items ?? []);
  const shown = all ? open : open.slice(0, few);
  // What cannot be read is said; that there is nothing is not worth a line.
  if (told.isError)
    return (
      <p className={styles.error} role="alert">
        {t("notice.unread")} {sentence(told.error, t)}{" "}
        <button type="button" className="link" onClick={() => void told.refetch()}>
          {t("common.try_again")}
        </button>
      </p>
    );
  if (open.length === 0 && before.length === 0) return null;

  return (
    <section ref={section} className={styles.notices} aria-label={t("notice.label")} tabIndex={-1}>
      {open.length > 0 ? (
        <ul className={styles.list}>
          {shown.map((one) => (
            <li key={one.key} className={styles.notice} data-level={one.level}>
              <LevelIcon level={one.level} size={17} />
              <Told notice={one} now={now} />
              <Button
                look="quiet"
                size="sm"
                icon
                aria-label={t("notice.dismiss", { text: one.text })}
                disabled={dismiss.isPending}
                onClick={() => dismiss.mutate([one])}
              >
                <X size={16} strokeWidth={1.8} aria-hidden />
              </Button>
            </li>
          ))}
        </ul>
      ) : null}
      {open.length > 1 ? (
        <p className={styles.tools}>
          {open.length > few ? (
            <Button look="quiet" size="sm" aria-expanded={all} onClick={() => setAll(!all)}>
              {all ? t("notice.fewer") : t("notice.show_more", { count: open.length - few })}
            </Button>
          ) : null}
          <Button look="quiet" size="sm" busy={dismiss.isPending} onClick={() => dismiss.mutate(open)}>
            <Check size={14} strokeWidth={1.8} aria-hidden />
            {t("notice.dismiss_all")}
          </Button>
        </p>
      ) : null}
      {dismiss.isError ? (
        <p role="alert" className={styles.error}>
          {sentence(dismiss.error, t)}
        </p>
      ) : null}
      {before.length > 0 ? (
        <details className={styles.before}>
          <summary>{t("notice.before", { count: before.length })}</summary>
          <ul>
            {before.map((one) => (
              <li key={one.key}>
                <LevelIcon level={one.level} size={15} />
                <Told notice={one} now={now} />
              </li>
            ))}
          </ul>
        </details>
      ) : null}
    </section>
  );
}

function Told({ notice, now }: { notice: Notice; now: number }) {
  const { t, i18n } = useTranslation();
  return (
    <p className={styles.told}>
      <span className="sr-only">{t(`notice.level.${notice.level}`)} </span>
      <span dir="auto">{notice.text}</span>{" "}
      <time dateTime={new Date(notice.at).toISOString()} title={fullTime(notice.at, i18n.language)}>
        {ago(notice.at, now, i18n.language)}
      </time>
    </p>
  );
}
