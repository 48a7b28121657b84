import { useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { Check, ChevronDown, Lock, Paperclip, TriangleAlert } from "lucide-react";
import { type KeyboardEvent, type Ref, useId, useImperativeHandle, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ConversationRow, Part } from "../../bindings";
import { Button } from "../../components/Button";
import { DropVeil } from "../../components/DropVeil";
import { KeyHint } from "../../components/Kbd";
import { Menu, MenuItem } from "../../components/Menu";
import segStyles from "../../components/Segmented.module.css";
import { useContactName } from "../../hooks/useContactName";
import { useDropAnywhere } from "../../hooks/useDropAnywhere";
import { useKept } from "../../hooks/useKept";
import { useNow } from "../../hooks/useNow";
import { connectors } from "../../queries/connections";
import { sentence } from "../../words/error";
import { counted } from "../../words/length";
import { AttachedFiles } from "./AttachedFiles";
import { limitWords, within } from "./attachments";
import styles from "./Composer.module.css";
import { ReplyWindow } from "./ReplyWindow";
import { TemplateButton } from "./TemplateButton";
import { useAttachments } from "./useAttachments";

type Tab = "reply" | "note";
export type ComposerHandle = {
  /** Begins to write; a reply with `words`, if there are any, to be changed. */
  write: (tab: Tab, words?: string) => void;
  /** Opens the templates, where the channel has some. */
  template: () => void;
};
type Props = {
  row: ConversationRow;
  agentName: string;
  /** No person holds the conversation: a reply takes it over first. */
  mustTake: boolean;
  /** `resolve`: and be done with the conversation. */
  onSend: (content: Part[], note: boolean, resolve: boolean) => Promise<void>;
  ref?: Ref<ComposerHandle>;
};

/** Reply or private note. Drafts are kept per conversation, through a restart. */
export function Composer({ row, agentName, mustTake, onSend, ref }: Props) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const name = useContactName()(row.contact);
  const id = useId();
  const byAgent = row.owner.type === "agent";
  const [tab, setTab] = useState<Tab>(byAgent ? "note" : "reply");
  const [held, setHeld] = useState(byAgent);
  if (held !== byAgent) {
    setHeld(byAgent);
    if (!byAgent) setTab("reply");
  }
  const note = tab === "note";
  const [reply, keepReply] = useKept(`draft.${row.id}.reply`, "");
  const [noted, keepNoted] = useKept(`draft.${row.id}.note`, "");
  const [draft, keepDraft] = note ? [noted, keepNoted] : [reply, keepReply];
  const kinds = useQuery(connectors());
  const channel = kinds.data?.items.find((one) => one.kind === row.connection.connector)?.channel;
  const given = channel?.media_limits;
  const limits = given && within(given);
  const takesFiles = limits === undefined || Object.keys(limits).length > 0;
  const files = useAttachments(limits);
  const [templates, setTemplates] = useState(false);
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  // A person may answer longer than an agent on some channels.
  const until = row.person_window_ends_at ?? row.reply_window_ends_at;
  const closed = !note && until != null && until <= now;
  const empty = draft.trim() === "" && (note || files.parts.length === 0);
  const waits = !note && (files.busy || files.stuck);
  const length = note || !channel ? undefined : counted(draft.trim(), channel.text_limit);

  useImperativeHandle(ref, () => ({
    write(next, words) {
      setTab(next);
      if (words !== undefined) keepReply(reply.trim() === "" ? words : `${reply}\n${words}`);
      requestAnimationFrame(() => field.current?.focus());
    },
    template() {
      setTab("reply");
      setTemplates(true);
    },
  }));
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text.
  useLayoutEffect(() => {
    const area = field.current;
    if (area === null) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(220, area.scrollHeight)}px`;
  }, [draft, tab]);

  const attach = (chosen: File[]) => {
    if (!takesFiles || chosen.length === 0) return;
    // Files go to the customer; a note stays here.
    setTab("reply");
    files.add(chosen);
  };
  const over = useDropAnywhere(attach);

  const send = async (resolve = false) => {
    if (empty || busy || closed || waits) return;
    const words = draft.trim();
    const content: Part[] = [
      ...(words === "" ? [] : [{ type: "text" as const, text: words }]),
      ...(note ? [] : files.parts),
    ];
    setBusy(true);
    try {
      await onSend(content, note, resolve);
      keepDraft("");
      if (!note) files.clear();
      setTrouble("");
    } catch (cause) {
      setTrouble(sentence(cause, t));
    }
    setBusy(false);
    field.current?.focus();
  };

  const keys = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void send();
    }
    if (event.key === "Escape") field.current?.blur();
  };
  const tabKeys = (event: KeyboardEvent) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const next = note ? "reply" : "note";
    setTab(next);
    document.getElementById(`${id}-${next}`)?.focus();
  };

  return (
    <div className={`${styles.composer} ${note ? styles.isNote : ""}`} data-under={mustTake || undefined}>
      <div className={styles.top}>
        <div
          className={`${segStyles.seg} ${note ? styles.onNote : ""}`}
          role="tablist"
          aria-label={t("composer.what")}
          onKeyDown={tabKeys}
        >
          {(["reply", "note"] as const).map((one) => (
            <button
              key={one}
              id={`${id}-${one}`}
              type="button"
              role="tab"
              aria-selected={tab === one}
              aria-controls={`${id}-text`}
              tabIndex={tab === one ? 0 : -1}
              onClick={() => {
                setTab(one);
                field.current?.focus();
              }}
            >
              {one === "note" ? <Lock size={13} strokeWidth={1.8} aria-hidden /> : null}
              {t(`composer.${one}`)}
            </button>
          ))}
        </div>
        <span className="grow" />
        {!note && until != null ? <ReplyWindow endsAt={until} now={now} /> : null}
      </div>
      <textarea
        ref={field}
        id={`${id}-text`}
        className={styles.text}
        rows={1}
        value={draft}
        dir="auto"
        aria-label={t(note ? "composer.note_label" : "composer.reply_label", { name })}
        aria-describedby={trouble || closed ? `${id}-trouble` : undefined}
        placeholder={t(note ? "composer.note_hint" : "composer.reply_hint", { name })}
        onChange={(event) => keepDraft(event.target.value)}
        onKeyDown={keys}
        onPaste={(event) => {
          if (event.clipboardData.files.length === 0) return;
          event.preventDefault();
          attach([...event.clipboardData.files]);
        }}
      />
      {note ? null : <AttachedFiles files={files} limits={limits} channel={row.connection.name} />}
      {trouble || closed ? (
        <p className={styles.trouble} id={`${id}-trouble`} role="alert">
          <TriangleAlert size={15} strokeWidth={1.8} aria-hidden />
          {trouble || t("composer.closed", { channel: row.connection.name })}
        </p>
      ) : null}
      <div className={styles.foot}>
        {note ? null : (
          <>
            {takesFiles ? (
              <>
                <input
                  ref={picker}
                  type="file"
                  multiple
                  hidden
                  onChange={(event) => {
                    attach([...(event.target.files ?? [])]);
                    event.target.value = "";
                  }}
                />
                <Button
                  look="quiet"
                  icon
                  aria-label={t("composer.attach")}
                  aria-describedby={`${id}-limits`}
                  title={limits ? limitWords(limits, t, i18n.language) : undefined}
                  onClick={() => picker.current?.click()}
                >
                  <Paperclip size={18} strokeWidth={1.8} aria-hidden />
                </Button>
              </>
            ) : null}
            <TemplateButton
              row={row}
              closed={closed}
              open={templates}
              onOpen={setTemplates}
              onSend={(content) => onSend(content, false, false)}
            />
          </>
        )}
        <span className={`grow ${styles.hint}`} id={`${id}-limits`}>
          {length ? (
            <span className="num" data-over={length.messages > 1 || undefined}>
              {lengthWords(length, channel?.text_limit.max ?? 0, t, i18n.language)}
            </span>
          ) : note ? (
            t("composer.only_team")
          ) : byAgent ? (
            t("composer.takes_over", { name: agentName })
          ) : limits ? (
            limitWords(limits, t, i18n.language)
          ) : null}
        </span>
        <span className={styles.sending}>
          <Button
            look={note ? "plain" : mustTake ? "ring" : "primary"}
            busy={busy}
            disabled={empty || closed || waits}
            className={note ? undefined : styles.send}
            onClick={() => void send()}
          >
            {t(note ? "composer.save_note" : mustTake ? "composer.take_and_send" : "composer.send")}{" "}
            <KeyHint id="send" />
          </Button>
          {note ? null : (
            <Menu
              trigger={
                <Button
                  look={mustTake ? "ring" : "primary"}
                  icon
                  className={styles.ways}
                  disabled={empty || closed || waits || busy}
                  aria-label={t("composer.more_ways")}
                >
                  <ChevronDown size={16} strokeWidth={2} aria-hidden />
                </Button>
              }
            >
              <MenuItem icon={<Check size={16} strokeWidth={1.8} />} onSelect={() => void send(true)}>
                {t("composer.send_resolve")}
              </MenuItem>
            </Menu>
          )}
        </span>
      </div>
      {over && takesFiles ? (
        <DropVeil text={t("composer.drop")} more={limits && limitWords(limits, t, i18n.language)} />
      ) : null}
    </div>
  );
}

function lengthWords(
  { letters, messages }: { letters: number; messages: number },
  most: number,
  t: TFunction,
  language: string,
): string {
  const number = new Intl.NumberFormat(language);
  if (messages > 1) return t("composer.split", { letters: number.format(letters), messages });
  return t("composer.letters", { letters: number.format(letters), most: number.format(most) });
}
