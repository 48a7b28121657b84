import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Plus, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Avatar } from "../../components/Avatar";
import { Button } from "../../components/Button";
import { ChannelMark } from "../../components/ChannelMark";
import { LabelDot } from "../../components/LabelDot";
import { OwnerWord } from "../../components/OwnerChip";
import { Skeleton } from "../../components/Skeleton";
import { useAgentName } from "../../hooks/useAgentName";
import { sayable, useContactName } from "../../hooks/useContactName";
import { useNow } from "../../hooks/useNow";
import { useServiceName } from "../../hooks/useServiceName";
import { contact, conversation } from "../../queries/conversations";
import { sentence } from "../../words/error";
import { dayAndClock, shortTime } from "../../words/time";
import { CameFrom } from "./CameFrom";
import styles from "./ContactPanel.module.css";
import { LabelPicker } from "./LabelPicker";
import { SamePerson } from "./SamePerson";
import { useConversationActions } from "./useConversationActions";

type Props = { id: string; drawer: boolean; onClose: () => void };

/** Who is at the other end: addresses, who holds it, what was before. */
export function ContactPanel({ id, drawer, onClose }: Props) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const nameOf = useAgentName();
  const called = useContactName();
  const serviceOf = useServiceName();
  const row = useQuery(conversation(id)).data;
  const who = useQuery({ ...contact(row?.contact.id ?? ""), enabled: row !== undefined });
  const actions = useConversationActions(id, row);
  const [labelling, setLabelling] = useState(false);
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    if (drawer) panel.current?.focus();
  }, [drawer]);
  if (row === undefined) return <aside className={styles.panel} aria-busy="true" aria-label={t("panel.label")} />;

  const agentName = row.owner.type === "agent" ? nameOf(row.owner.id, row.owner.name) : "";
  const since = who.data?.created_at;
  const earlier = (who.data?.conversations ?? []).filter((one) => one.id !== id);
  return (
    <aside
      ref={panel}
      className={`${styles.panel} ${drawer ? styles.drawer : ""}`}
      aria-label={t("panel.about", { name: called(row.contact) })}
      data-pane
      tabIndex={-1}
      onKeyDown={(event) => event.key === "Escape" && drawer && onClose()}
    >
      <div className={styles.hero}>
        <Avatar name={called(row.contact)} size={44} />
        <div className="grow">
          <b className={styles.name} dir="auto">
            {called(row.contact)}
          </b>
          {since ? (
            <div className={styles.since}>
              {t("panel.since", {
                when: new Intl.DateTimeFormat(i18n.language, { month: "long", year: "numeric" }).format(since),
              })}
            </div>
          ) : null}
        </div>
        {drawer ? (
          <Button look="quiet" icon size="sm" aria-label={t("inbox.hide_panel")} onClick={onClose}>
            <X size={17} strokeWidth={1.8} aria-hidden />
          </Button>
        ) : null}
      </div>
      {who.isPending ? <Skeleton rows={2} height={40} /> : null}
      {who.isError ? (
        <p className={styles.error}>
          {sentence(who.error, t)}{" "}
          <button type="button" className="link" onClick={() => void who.refetch()}>
            {t("common.try_again")}
          </button>
        </p>
      ) : null}
      {who.data && who.data.addresses.length > 0 ? (
        <ul className={styles.addresses}>
          {who.data.addresses.map((address) => (
            <li key={`${address.connector}${address.value}`}>
              <ChannelMark connector={address.connector} size={20} />
              <span className="cut num">
                {/* A number of the service says nothing to a person. */}
                {sayable(address) ?? serviceOf(address.connector)}
              </span>
            </li>
          ))}
        </ul>
      ) : null}
      {who.data ? <SamePerson key={who.data.id} contact={who.data} now={now} /> : null}
      {row.referral ? <CameFrom key={id} row={row} referral={row.referral} /> : null}
      <hr />
      <dl className={styles.facts}>
        <dt>{t("panel.owner")}</dt>
        <dd>
          <OwnerWord row={row} agentName={agentName} />
        </dd>
        <dt>{t("panel.channel")}</dt>
        <dd className="cut">{row.connection.name}</dd>
        <dt>{t("panel.labels")}</dt>
        <dd className={styles.labels}>
          {row.labels.map((label) => (
            <span key={label} className={styles.label}>
              <LabelDot label={label} />
              <Button
                look="quiet"
                icon
                size="sm"
                aria-label={t("label.remove", { name: label })}
                onClick={() => actions.label.mutate({ name: label, on: false })}
              >
                <X size={13} strokeWidth={2} aria-hidden />
              </Button>
            </span>
          ))}
          <LabelPicker
            on={row.labels}
            open={labelling}
            onOpen={setLabelling}
            onLabel={(name, on) => actions.label.mutate({ name, on })}
            trigger={
              <Button look="quiet" size="sm" className={styles.add} aria-label={t("label.change")}>
                <Plus size={14} strokeWidth={1.8} aria-hidden />
                {t("panel.add_label")}
              </Button>
            }
          />
        </dd>
        {row.status === "snoozed" ? (
          <>
            <dt>{t("panel.snoozed")}</dt>
            <dd>
              <span className="num">
                {row.snoozed_until ? dayAndClock(row.snoozed_until, i18n.language) : t("panel.they_write")}
              </span>{" "}
              <button type="button" className="link" onClick={() => actions.setStatus.mutate({ status: "open" })}>
                {t("inbox.wake")}
              </button>
            </dd>
          </>
        ) : null}
        {row.reply_window_ends_at ? (
          <>
            <dt>{t("panel.reply_until")}</dt>
            <dd className="num">{dayAndClock(row.reply_window_ends_at, i18n.language)}</dd>
          </>
        ) : null}
      </dl>
      {earlier.length > 0 ? (
        <>
          <hr />
          <section>
            <h3>{t("panel.earlier")}</h3>
            <ul className={styles.past}>
              {earlier.map((one) => (
                <li key={one.id}>
                  <Link to="/inbox/$conversation" params={{ conversation: one.id }}>
                    <b className="cut">{one.preview || t("inbox.no_words")}</b>
                    <span>{shortTime(one.last_message_at, now, i18n.language)}</span>
                    <span>{one.connection_name}</span>
                  </Link>
                </li>
              ))}
            </ul>
          </section>
        </>
      ) : null}
    </aside>
  );
}
