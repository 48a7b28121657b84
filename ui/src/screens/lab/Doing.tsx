import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import {
  ArrowDownLeft,
  Bot,
  Check,
  CircleHelp,
  Copy,
  type LucideIcon,
  RotateCcw,
  TriangleAlert,
  X,
} from "lucide-react";
import { useTranslation } from "react-i18next";
import type { LabChannel, LabDeed } from "../../bindings";
import { labCounts, labThread } from "../../queries/lab";
import { clock } from "../../words/time";
import styles from "./Doing.module.css";

const icons: Record<LabDeed, LucideIcon> = {
  arrived: ArrowDownLeft,
  repeat: Copy,
  not_understood: CircleHelp,
  thinking: Bot,
  answered: Bot,
  given_up: X,
  failed: TriangleAlert,
  tried_again: RotateCcw,
  unsure: CircleHelp,
  sent: Check,
};
const loud = new Set<LabDeed>(["not_understood", "failed", "tried_again", "unsure"]);

/** What the hub did with this customer, and whether anything was lost or doubled on any channel. */
export function Doing({ channel, thread }: { channel: LabChannel; thread: string }) {
  const { t, i18n } = useTranslation();
  const phone = useQuery(labThread(channel.connection, thread));
  const counts = useQuery(labCounts());
  const events = phone.data?.events ?? [];
  const both = counts.data ? [counts.data.customers, counts.data.shop] : [];
  const sum = (of: "written" | "arrived" | "lost" | "doubled") => both.reduce((all, side) => all + side[of], 0);

  return (
    <section className={styles.doing} aria-label={t("lab.happened")}>
      <h2>{t("lab.doing")}</h2>
      {events.length === 0 ? <p className={styles.none}>{t("lab.doing_nothing")}</p> : null}
      <ol className={styles.events}>
        {events.map((event, index) => {
          const Icon = icons[event.deed];
          const tries = event.deed === "sent" && (event.attempts ?? 1) > 1;
          return (
            <li key={index}>
              <span className={styles.dot} data-loud={loud.has(event.deed) || undefined} aria-hidden="true">
                <Icon size={13} strokeWidth={1.8} />
              </span>
              <span>
                {t(`lab.deed.${event.deed}`)}
                {tries ? <small>{t("lab.after_tries", { count: event.attempts ?? 0 })}</small> : null}
              </span>
              <span className={styles.when}>
                {event.took_ms ? t("lab.milliseconds", { count: event.took_ms }) : clock(event.at, i18n.language)}
              </span>
            </li>
          );
        })}
      </ol>
      {phone.data?.conversation ? (
        <Link className={styles.link} to="/inbox/$conversation" params={{ conversation: phone.data.conversation }}>
          {t("lab.open_inbox")}
        </Link>
      ) : null}
      <dl className={styles.score}>
        {(["written", "arrived", "lost", "doubled"] as const).map((of) => (
          <div key={of} data-good={(of === "lost" || of === "doubled") && sum(of) === 0 ? true : undefined}>
            <dt>{t(`lab.count.${of}`)}</dt>
            <dd>{sum(of)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
