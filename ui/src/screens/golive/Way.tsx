import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleDashed, CircleX } from "lucide-react";
import { useTranslation } from "react-i18next";
import { ago } from "../../words/time";
import type { Evidence } from "./evidence";
import styles from "./GoLive.module.css";
import { type Hop, path, stopsAt } from "./path";

const icons = { ok: CircleCheck, broken: CircleX, waiting: CircleDashed };

/** The way of a message from the customer to the answer, and the sentence that names the hop where it stops. */
export function Way({ evidence, now }: { evidence: Evidence; now: number }) {
  const { t, i18n } = useTranslation();
  const name = evidence.connector.name;
  const hops = path(evidence);
  const stop = stopsAt(hops);
  const lead =
    stop === undefined
      ? t("live.way_whole")
      : stop.state === "broken"
        ? t("live.way_broken", { hop: t(`live.hop.${stop.id}`, { name }) })
        : t("live.way_waits", { hop: t(`live.hop.${stop.id}`, { name }) });
  return (
    <>
      <h2 id="live-way">{t("live.way")}</h2>
      <p className={styles.lead} data-state={stop?.state ?? "ok"} role="status">
        {lead}
      </p>
      <ol className={styles.way}>
        {hops.map((hop) => {
          const Icon = icons[hop.state];
          const when = hop.at === undefined ? "" : ago(hop.at, now, i18n.language);
          const note = t(`live.hop_note.${hop.note}`, { name, what: hop.what ?? "", when });
          return (
            <li key={hop.id} data-state={hop.state} aria-current={hop === stop ? "step" : undefined}>
              <Icon size={20} strokeWidth={1.8} aria-hidden />
              <span className={styles.words}>
                <span className="sr-only">{t(`live.state.${hop.state}`)} </span>
                <b>{t(`live.hop.${hop.id}`, { name })}</b>
                <small dir="auto">
                  {note}
                  {hop.at !== undefined && !note.includes(when) ? ` ${when}` : ""}
                  {hop.said ? ` ${hop.said}` : ""} <Mend hop={hop} connection={evidence.connection.id} />
                </small>
              </span>
            </li>
          );
        })}
      </ol>
    </>
  );
}

/** Where a broken hop is put right. */
function Mend({ hop, connection }: { hop: Hop; connection: string }) {
  const { t } = useTranslation();
  if (hop.state !== "broken") return null;
  switch (hop.id) {
    case "reach":
      return (
        <Link className="link" to="/settings">
          {t("live.mend.settings")}
        </Link>
      );
    case "understood":
      return (
        <Link className="link" to="/activity" search={{ on: connection }}>
          {t("live.mend.activity")}
        </Link>
      );
    case "answered":
      return (
        <Link
          className="link"
          to={hop.note === "no_agent" ? "/agents" : "/activity"}
          search={hop.note === "no_agent" ? {} : { show: "turns" }}
        >
          {t(hop.note === "no_agent" ? "live.mend.agents" : "live.mend.activity")}
        </Link>
      );
    case "delivered":
      return (
        <Link className="link" to="/activity" search={{ show: "outbox", on: connection }}>
          {t("live.mend.activity")}
        </Link>
      );
    case "hook":
    case "verified":
    case "fetched":
      return null;
  }
}
