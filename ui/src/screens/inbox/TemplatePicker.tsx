import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Part, Template, TemplateGap } from "../../bindings";
import { Button } from "../../components/Button";
import { Chip } from "../../components/Chip";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Skeleton } from "../../components/Skeleton";
import { templates } from "../../queries/connections";
import { sentence } from "../../words/error";
import { kindOf, upload } from "./attachments";
import styles from "./TemplatePicker.module.css";
import { blanks, filled, matches } from "./template";

type Props = {
  connection: string;
  open: boolean;
  onOpen: (open: boolean) => void;
  onSend: (content: Part[]) => Promise<void>;
};

/** Chooses an approved template, fills its gaps, shows how it will read, sends it. */
export function TemplatePicker({ connection, open, onOpen, onSend }: Props) {
  const { t } = useTranslation();
  const known = useQuery({ ...templates(connection), enabled: open });
  const [words, setWords] = useState("");
  const [chosen, setChosen] = useState<Template>();
  const [values, setValues] = useState<Record<string, string>>({});
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState(false);
  const begin = (template: Template | undefined) => {
    setChosen(template);
    setValues({});
    setTrouble("");
  };
  const send = async () => {
    if (chosen === undefined) return;
    setBusy(true);
    try {
      const { id, name, language } = chosen;
      await onSend([{ type: "template", id, name, language, values, text: filled(chosen, values) }]);
      begin(undefined);
      onOpen(false);
    } catch (cause) {
      setTrouble(sentence(cause, t));
    }
    setBusy(false);
  };
  const found = (known.data?.items ?? []).filter((one) => matches(one, words));
  const missing = chosen === undefined ? [] : blanks(chosen, values);

  return (
    <Dialog
      open={open}
      onOpen={onOpen}
      wide
      title={t("template.title")}
      text={chosen ? undefined : t("template.text")}
      actions={
        chosen ? (
          <>
            <Button onClick={() => begin(undefined)}>{t("template.another")}</Button>
            <Button look="primary" disabled={busy || missing.length > 0} onClick={() => void send()}>
              {t("template.send")}
            </Button>
          </>
        ) : undefined
      }
    >
      {chosen ? (
        <div className={styles.fill}>
          <div className={styles.gaps}>
            {chosen.gaps.map((gap) => (
              <GapField
                key={gap.key}
                gap={gap}
                value={values[gap.key] ?? ""}
                onValue={(value) => setValues((all) => ({ ...all, [gap.key]: value }))}
              />
            ))}
            {trouble ? (
              <p role="alert" className={styles.trouble}>
                {trouble}
              </p>
            ) : null}
          </div>
          <figure className={styles.preview}>
            <figcaption>{t("template.reads")}</figcaption>
            <p dir="auto">{filled(chosen, values)}</p>
            {chosen.buttons.map((label) => (
              <span key={label}>{label}</span>
            ))}
          </figure>
        </div>
      ) : (
        <>
          <Field
            label={t("template.search")}
            type="search"
            value={words}
            onChange={(event) => setWords(event.target.value)}
          />
          {known.isPending ? <Skeleton rows={4} height={64} /> : null}
          {known.isError ? (
            <p role="alert" className={styles.trouble}>
              {sentence(known.error, t)}
            </p>
          ) : null}
          {known.isSuccess && found.length === 0 ? (
            <p className={styles.none}>{t(words.trim() === "" ? "template.none" : "template.not_found")}</p>
          ) : null}
          <ul className={styles.list}>
            {found.map((one) => (
              <li key={one.id}>
                <button type="button" disabled={one.status !== "approved"} onClick={() => begin(one)}>
                  <span className={styles.name}>
                    <b>{one.name}</b> <small>{one.language}</small>
                    {one.status === "approved" ? null : <Chip>{t(`template.${one.status}`)}</Chip>}
                  </span>
                  <span className={styles.body} dir="auto">
                    {one.body}
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </Dialog>
  );
}

function GapField({ gap, value, onValue }: { gap: TemplateGap; value: string; onValue: (value: string) => void }) {
  const { t } = useTranslation();
  const place = gap.key.split(".")[0] ?? "";
  const label =
    place === "header"
      ? t("template.gap_header", { name: gap.label })
      : place === "button"
        ? t("template.gap_button", { name: gap.label })
        : t("template.gap_body", { name: gap.label });
  if (gap.kind !== "text") return <FileGap gap={gap} value={value} onValue={onValue} />;
  return (
    <Field
      label={label}
      help={gap.example ? t("template.example", { example: gap.example }) : undefined}
      value={value}
      onChange={(event) => onValue(event.target.value)}
    />
  );
}

/** A gap that takes a file; its value is the stored file's id. */
function FileGap({ gap, value, onValue }: { gap: TemplateGap; value: string; onValue: (value: string) => void }) {
  const { t } = useTranslation();
  const [trouble, setTrouble] = useState<string>();
  const choose = async (file: File | undefined) => {
    if (file === undefined) return;
    try {
      onValue((await upload(file, kindOf(file.type), {})).media);
      setTrouble(undefined);
    } catch (cause) {
      setTrouble(t("composer.not_attached", { name: file.name, reason: sentence(cause, t) }));
    }
  };
  const types = { image: "image/*", video: "video/*", document: undefined, text: undefined }[gap.kind];
  return (
    <Field
      label={t("template.file")}
      type="file"
      accept={types}
      error={trouble}
      help={value ? t("template.uploaded") : undefined}
      onChange={(event) => void choose(event.target.files?.[0])}
    />
  );
}
