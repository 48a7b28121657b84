import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, CheckCheck, Clock, MapPin, Paperclip, Send, TriangleAlert } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { LabChannel, LabMessage, LabTick, Part } from "../../bindings";
import { call } from "../../bridge";
import { ChannelMark } from "../../components/ChannelMark";
import { labThread } from "../../queries/lab";
import { sentence } from "../../words/error";
import { clock } from "../../words/time";
import { base64 } from "../inbox/attachments";
import styles from "./Phone.module.css";

const ticks: Record<LabTick, typeof Check> = {
  on_the_way: Clock,
  arrived: Check,
  answered: CheckCheck,
  lost: TriangleAlert,
};

/** The customer's phone: what they wrote, what arrived, and a line to write more. */
export function Phone({ channel, name, thread }: { channel: LabChannel; name: string; thread: string }) {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const [text, setText] = useState("");
  const flow = useRef<HTMLDivElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const phone = useQuery(labThread(channel.connection, thread));
  const messages = phone.data?.messages ?? [];
  const say = useMutation({
    mutationFn: (content: Part[]) => call("lab_say", { connection: channel.connection, thread, name, content }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["lab", "thread", channel.connection, thread] }),
  });
  const sendFile = useMutation({
    mutationFn: async (file: File) => {
      const bytes = new Uint8Array(await file.arrayBuffer());
      const kept = await call("upload_media", { name: file.name, mime: file.type || null, base64: base64(bytes) });
      const part: Part = {
        type: "media",
        kind: kept.kind,
        media: kept.id,
        mime: kept.mime,
        bytes: kept.bytes,
        filename: kept.filename,
      };
      await say.mutateAsync([part]);
    },
  });
  const count = messages.length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new message is what moves it.
  useEffect(() => {
    flow.current?.scrollTo({ top: flow.current.scrollHeight });
  }, [count, phone.data?.writing]);

  const send = () => {
    const words = text.trim();
    if (words === "") return;
    setText("");
    say.mutate([{ type: "text", text: words }]);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.nativeEvent.isComposing) {
      event.preventDefault();
      send();
    }
    if (event.key === "ArrowUp" && text === "") {
      const last = messages.findLast((one) => one.side === "customer");
      const words = last ? wordsOf(last) : "";
      if (words !== "") {
        event.preventDefault();
        setText(words);
      }
    }
  };
  const error = sendFile.error ?? say.error ?? phone.error;

  return (
    <section className={styles.phone} aria-label={t("lab.phone", { name })}>
      <div className={styles.inside}>
        <header className={styles.bar}>
          <ChannelMark connector={channel.connector} size={32} />
          <b className="cut">{channel.name}</b>
        </header>
        <div className={styles.flow} ref={flow} role="log" aria-label={t("lab.chat")} tabIndex={0}>
          {messages.length === 0 ? <p className={styles.hint}>{t("lab.write_first")}</p> : null}
          {messages.map((one, index) => (
            <Bubble key={index} message={one} language={i18n.language} />
          ))}
          {phone.data?.writing ? <p className={styles.writing}>{t("lab.writing")}</p> : null}
        </div>
        {error ? <p className={styles.bad}>{sentence(error, t)}</p> : null}
        <div className={styles.type}>
          <input
            ref={picker}
            type="file"
            hidden
            onChange={(event) => {
              const file = event.target.files?.[0];
              event.target.value = "";
              if (file) sendFile.mutate(file);
            }}
          />
          <button
            type="button"
            className={styles.tool}
            aria-label={t("lab.file")}
            onClick={() => picker.current?.click()}
          >
            <Paperclip size={17} strokeWidth={1.8} aria-hidden />
          </button>
          <button
            type="button"
            className={styles.tool}
            aria-label={t("lab.place")}
            onClick={() => say.mutate([{ type: "location", latitude: -23.5505, longitude: -46.6333 }])}
          >
            <MapPin size={17} strokeWidth={1.8} aria-hidden />
          </button>
          <input
            className={styles.words}
            value={text}
            maxLength={4000}
            aria-label={t("lab.write")}
            placeholder={t("lab.write")}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={onKey}
          />
          <button type="button" className={styles.go} aria-label={t("lab.send")} onClick={send}>
            <Send size={16} strokeWidth={1.8} aria-hidden />
          </button>
        </div>
      </div>
    </section>
  );
}

/** The words of a message; empty for what has none. */
export const wordsOf = (message: LabMessage): string =>
  message.content.map((part) => (part.type === "text" ? part.text : "")).join("");

function Bubble({ message, language }: { message: LabMessage; language: string }) {
  const { t } = useTranslation();
  const Tick = message.tick ? ticks[message.tick] : undefined;
  const part = message.content[0];
  const words =
    wordsOf(message) ||
    (part?.type === "media"
      ? (part.filename ?? t("lab.a_file"))
      : part?.type === "location"
        ? t("lab.a_place")
        : t("lab.a_file"));
  return (
    <div className={styles.message} data-side={message.side}>
      <span className="sr-only">{t(`lab.side.${message.side}`)}</span>
      <span className={styles.text}>{words}</span>
      <span className={styles.stamp}>
        {message.copies > 1 ? <span title={t("lab.copies")}>×{message.copies}</span> : null}
        {clock(message.at, language)}
        {Tick && message.tick ? (
          <span className={styles.tick} data-tick={message.tick} role="img" aria-label={t(`lab.tick.${message.tick}`)}>
            <Tick size={13} strokeWidth={2} aria-hidden />
          </span>
        ) : null}
      </span>
    </div>
  );
}
