import { Lock, Paperclip, TriangleAlert, X } from "lucide-react";
import {
  type DragEvent,
  type KeyboardEvent,
  type Ref,
  useEffect,
  useId,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { useTranslation } from "react-i18next";
import type { ConversationRow, Part } from "../../bindings";
import { Button } from "../../components/Button";
import { Kbd } from "../../components/Kbd";
import segStyles from "../../components/Segmented.module.css";
import { useContactName } from "../../hooks/useContactName";
import { useKept } from "../../hooks/useKept";
import { useNow } from "../../hooks/useNow";
import { keyParts } from "../../keys/keymap";
import { sentence } from "../../words/error";
import { size } from "../../words/size";
import { type Attachment, refusal, upload } from "./attachments";
import styles from "./Composer.module.css";
import { ReplyWindow } from "./ReplyWindow";
import { TemplateButton } from "./TemplateButton";

type Tab = "reply" | "note";
export type ComposerHandle = { write: (tab: Tab) => void };
type Props = {
  row: ConversationRow;
  agentName: string;
  /** No person holds the conversation: a reply takes it over first. */
  mustTake: boolean;
  onSend: (content: Part[], note: boolean) => Promise<void>;
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
  const [draft, keepDraft] = useKept(`draft.${row.id}.${tab}`, "");
  const [files, setFiles] = useState<Attachment[]>([]);
  const [uploading, setUploading] = useState(0);
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const note = tab === "note";
  // A person may answer longer than an agent on some channels.
  const until = row.person_window_ends_at ?? row.reply_window_ends_at;
  const closed = !note && until != null && until <= now;
  const empty = draft.trim() === "" && (note || files.length === 0);

  useImperativeHandle(ref, () => ({
    write(next) {
      setTab(next);
      requestAnimationFrame(() => field.current?.focus());
    },
  }));
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text.
  useLayoutEffect(() => {
    const area = field.current;
    if (area === null) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(220, area.scrollHeight)}px`;
  }, [draft, tab]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another conversation begins without files.
  useEffect(() => setFiles([]), [row.id]);

  const add = async (chosen: Iterable<File>) => {
    for (const file of chosen) {
      const wrong = refusal(file);
      if (wrong !== undefined) {
        setTrouble(
          t(`composer.${wrong.type}`, {
            name: wrong.name,
            most: wrong.type === "too_big" ? size(wrong.most, i18n.language) : "",
          }),
        );
        continue;
      }
      setUploading((count) => count + 1);
      try {
        const part = await upload(file);
        setTrouble("");
        setFiles((all) => [...all, part]);
      } catch (cause) {
        setTrouble(t("composer.not_attached", { name: file.name, reason: sentence(cause, t) }));
      }
      setUploading((count) => count - 1);
    }
  };

  const send = async () => {
    if (empty || busy || closed || uploading > 0) return;
    const words = draft.trim();
    const content: Part[] = [...(words === "" ? [] : [{ type: "text" as const, text: words }]), ...(note ? [] : files)];
    setBusy(true);
    try {
      await onSend(content, note);
      keepDraft("");
      if (!note) setFiles([]);
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
  const drop = (event: DragEvent) => {
    if (note || event.dataTransfer.files.length === 0) return;
    event.preventDefault();
    void add(event.dataTransfer.files);
  };
  const tabKeys = (event: KeyboardEvent) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const next = note ? "reply" : "note";
    setTab(next);
    document.getElementById(`${id}-${next}`)?.focus();
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files may be dropped; the button beside does the same.
    <div
      className={`${styles.composer} ${note ? styles.isNote : ""}`}
      data-under={mustTake || undefined}
      onDragOver={(event) => event.preventDefault()}
      onDrop={drop}
    >
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
          if (!note && event.clipboardData.files.length > 0) {
            event.preventDefault();
            void add(event.clipboardData.files);
          }
        }}
      />
      {!note && (files.length > 0 || uploading > 0) ? (
        <ul className={styles.files} aria-label={t("composer.files")}>
          {files.map((file) => (
            <li key={file.media}>
              <Paperclip size={13} strokeWidth={1.8} aria-hidden />
              <span className="cut">{file.filename}</span>
              <small className="num">{size(file.bytes, i18n.language)}</small>
              <Button
                look="quiet"
                size="sm"
                icon
                aria-label={t("composer.remove", { name: file.filename ?? "" })}
                onClick={() => setFiles((all) => all.filter((one) => one !== file))}
              >
                <X size={14} strokeWidth={1.8} aria-hidden />
              </Button>
            </li>
          ))}
          {uploading > 0 ? <li>{t("composer.uploading", { count: uploading })}</li> : null}
        </ul>
      ) : null}
      {trouble || closed ? (
        <p className={styles.trouble} id={`${id}-trouble`} role="alert">
          <TriangleAlert size={15} strokeWidth={1.8} aria-hidden />
          {trouble || t("composer.closed", { channel: row.connection.name })}
        </p>
      ) : null}
      <div className={styles.foot}>
        {note ? null : (
          <>
            <input
              ref={picker}
              type="file"
              multiple
              hidden
              onChange={(event) =>
                void add([...(event.target.files ?? [])]).finally(() => {
                  if (picker.current) picker.current.value = "";
                })
              }
            />
            <Button look="quiet" icon aria-label={t("composer.attach")} onClick={() => picker.current?.click()}>
              <Paperclip size={18} strokeWidth={1.8} aria-hidden />
            </Button>
            <TemplateButton row={row} closed={closed} onSend={(content) => onSend(content, false)} />
          </>
        )}
        <span className={`grow ${styles.hint}`}>
          {note ? t("composer.only_team") : byAgent ? t("composer.takes_over", { name: agentName }) : ""}
        </span>
        <Button
          look={note ? "plain" : mustTake ? "ring" : "primary"}
          busy={busy}
          disabled={empty || closed || uploading > 0}
          onClick={() => void send()}
        >
          {t(note ? "composer.save_note" : mustTake ? "composer.take_and_send" : "composer.send")}{" "}
          <Kbd keys={keyParts("send")} />
        </Button>
      </div>
    </div>
  );
}
