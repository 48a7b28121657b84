import { Bot, CircleQuestionMark, CircleX, FileText, Forward, History, Lock } from "lucide-react";
import { Fragment, memo } from "react";
import { useTranslation } from "react-i18next";
import type { Delivery, Message } from "../../bindings";
import { Tick } from "../../components/Tick";
import { useAgentName } from "../../hooks/useAgentName";
import { inTrouble, useDeliveryHelp } from "../../hooks/useDeliveryHelp";
import type { Pending } from "../../queries/pending";
import { sentence } from "../../words/error";
import { clock, fullTime } from "../../words/time";
import { EventLine } from "./EventLine";
import styles from "./MessageView.module.css";
import { MissingFile } from "./MissingFile";
import { PartView } from "./PartView";

type Props = {
  message: Message;
  /** The first of a run: then its author stands above. */
  first: boolean;
  contactName: string;
  /** What is known of the conversation for the way out of trouble. It stays the same object while that does. */
  help: Help;
  onAgain: (clientKey: string) => void;
  onGiveUp: (clientKey: string) => void;
};
export type Help = { connection: string; connector: string; onTemplate: () => void; onEdit: (words: string) => void };

/** One message. Whose word it is shows by side, shape, colour and name. */
export const MessageView = memo(function MessageView({ message, first, contactName, help, onAgain, onGiveUp }: Props) {
  const { t, i18n } = useTranslation();
  const nameOf = useAgentName();
  const { author, direction, content, delivery } = message;
  const event = content.find((part) => part.type === "event");
  if (event?.type === "event") return <EventLine event={event} at={message.sent_at} />;
  if (direction === "note") return <PrivateNote message={message} />;

  const refused = (message as Pending).refused;
  const failed = refused !== undefined || delivery?.status === "failed" || delivery?.parked === true;
  const side =
    direction === "in"
      ? styles.in
      : author.type === "agent"
        ? `${styles.out} ${styles.agent}`
        : `${styles.out} ${styles.person}`;
  const name =
    author.type === "agent" ? nameOf(author.id, author.name) : author.type === "person" ? (author.name ?? null) : null;
  const wide = content.length === 1 && content[0]?.type === "media" && content[0].kind === "image";
  const file =
    content.length === 1 && content[0]?.type === "media" && content[0].kind === "document" && !content[0].caption;
  const spoken = direction === "in" ? contactName : (name ?? t("common.you"));

  return (
    <article
      className={`${styles.msg} ${side} ${first ? styles.first : ""} ${failed ? styles.failed : ""}`}
      aria-label={t("inbox.message_by", { name: spoken, time: clock(message.sent_at, i18n.language) })}
    >
      {first && name ? (
        <span className={styles.who}>
          {author.type === "agent" ? <Bot size={13} strokeWidth={1.8} aria-hidden /> : null}
          {name}
        </span>
      ) : null}
      <div className={`${styles.bubble} ${wide ? styles.picture : ""} ${file ? styles.file : ""}`}>
        {message.forwarded && !message.deleted_at ? (
          <span className={styles.forwarded}>
            <Forward size={13} strokeWidth={1.8} aria-hidden />
            {t("inbox.forwarded")}
          </span>
        ) : null}
        {message.caught_up ? (
          <span className={styles.forwarded} title={t("inbox.caught_up_why")}>
            <History size={13} strokeWidth={1.8} aria-hidden />
            {t("inbox.caught_up")}
          </span>
        ) : null}
        {message.deleted_at ? (
          <i className={styles.gone}>{t("inbox.deleted")}</i>
        ) : (
          content.map((part, index) => {
            const missing = part.type === "media" && message.files?.find((one) => one.media === part.media);
            return missing ? (
              <MissingFile key={index} part={part} mark={missing} conversation={message.conversation} />
            ) : (
              <PartView
                key={index}
                part={part}
                markdown={author.type === "agent"}
                contactName={contactName}
                at={message.sent_at}
              />
            );
          })
        )}{" "}
        <span className={styles.stamp} title={fullTime(message.sent_at, i18n.language)}>
          {message.edited_at && !message.deleted_at ? (
            <span title={fullTime(message.edited_at, i18n.language)}>{t("inbox.edited")}</span>
          ) : null}
          <span className="num">{clock(message.sent_at, i18n.language)}</span>
          {delivery && !failed ? <Tick delivery={delivery} id={message.external_id} /> : null}
        </span>
      </div>
      {message.sources.map((source) => (
        <span
          className={styles.source}
          key={`${source.title}${source.location ?? ""}`}
          title={source.quote ?? undefined}
        >
          <FileText size={13} strokeWidth={1.8} aria-hidden />
          {source.location
            ? t("inbox.source_at", { title: source.title, location: source.location })
            : t("inbox.source", { title: source.title })}
        </span>
      ))}
      {message.late ? <span className={styles.who}>{t("inbox.late")}</span> : null}
      {refused !== undefined ? (
        <Refused
          reason={refused}
          onAgain={() => onAgain(message.client_key ?? "")}
          onGiveUp={() => onGiveUp(message.client_key ?? "")}
        />
      ) : delivery && inTrouble(delivery) ? (
        <Trouble message={message} delivery={delivery} help={help} />
      ) : null}
    </article>
  );
});

/** The hub did not take it: why, and what can be done about it. */
function Refused({ reason, onAgain, onGiveUp }: { reason: string; onAgain: () => void; onGiveUp: () => void }) {
  const { t } = useTranslation();
  return (
    <span className={styles.trouble}>
      <CircleX size={14} strokeWidth={1.8} aria-hidden />
      <span>
        {t("inbox.not_sent_why", { reason })}{" "}
        <button type="button" className="link" onClick={onAgain}>
          {t("common.try_again")}
        </button>{" "}
        <button type="button" className="link" onClick={onGiveUp}>
          {t("inbox.discard")}
        </button>
      </span>
    </span>
  );
}

/** What went wrong on the way, in words, and the ways on from there. */
function Trouble({ message, delivery, help }: { message: Message; delivery: Delivery; help: Help }) {
  const { t } = useTranslation();
  const words = message.content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
  const { reason, ways, busy, error } = useDeliveryHelp(delivery, {
    ...help,
    conversation: message.conversation,
    onEdit: () => help.onEdit(words),
  });
  const unsure = delivery.status === "unconfirmed" && !delivery.parked;
  return (
    <span className={unsure ? styles.doubt : styles.trouble}>
      {unsure ? (
        <CircleQuestionMark size={14} strokeWidth={1.8} aria-hidden />
      ) : (
        <CircleX size={14} strokeWidth={1.8} aria-hidden />
      )}
      <span>
        {unsure ? reason : t("inbox.not_sent_why", { reason })}{" "}
        {ways.map((way) => (
          <Fragment key={way.id}>
            <button type="button" className="link" disabled={busy} onClick={way.go}>
              {way.label}
            </button>{" "}
          </Fragment>
        ))}
        {error ? <span role="alert">{sentence(error, t)}</span> : null}
      </span>
    </span>
  );
}

/** A note of the team: dashed straw over the full width, never a bubble. */
function PrivateNote({ message }: { message: Message }) {
  const { t, i18n } = useTranslation();
  const nameOf = useAgentName();
  const { author } = message;
  const name =
    author.type === "agent"
      ? nameOf(author.id, author.name)
      : (author.type === "person" && author.name) || t("common.you");
  const refused = (message as Pending).refused;
  return (
    <article className={styles.note} aria-label={t("inbox.note_by", { name })}>
      <span className={styles.who}>
        <Lock size={13} strokeWidth={1.8} aria-hidden />
        {t("inbox.to_the_team", { name })}
        <span className="grow" />
        <span className="num" title={fullTime(message.sent_at, i18n.language)}>
          {clock(message.sent_at, i18n.language)}
        </span>
      </span>
      <div>
        {message.content.map((part, index) => (
          <PartView key={index} part={part} mentions contactName={name} at={message.sent_at} />
        ))}
      </div>
      {refused ? <span className={styles.trouble}>{refused}</span> : null}
    </article>
  );
}
