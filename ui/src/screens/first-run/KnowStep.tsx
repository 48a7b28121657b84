import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, CircleDashed, FileSpreadsheet, FileText, TriangleAlert, Upload } from "lucide-react";
import { type DragEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../../bridge";
import { Button } from "../../components/Button";
import { Chip } from "../../components/Chip";
import { Dialog } from "../../components/Dialog";
import { TextField } from "../../components/Field";
import { Progress } from "../../components/Progress";
import { coverage, knowledge } from "../../queries/knowledge";
import { sentence } from "../../words/error";
import { base64 } from "../inbox/attachments";
import { StepFrame } from "./StepFrame";
import styles from "./Steps.module.css";
import { sampleFile } from "./sample/sample";

/** A file on its way, or one that was not taken. */
type Waiting = { key: number; name: string; error?: string };
const most = 20_000_000;
let nextKey = 1;

/** Step 2: what the agent may know. Files are dropped or chosen, or the sample bakery stands in. */
export function KnowStep({ onBack, onNext }: { onBack: () => void; onNext: () => void }) {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const list = useQuery(knowledge());
  const covered = useQuery(coverage());
  const picker = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [waiting, setWaiting] = useState<Waiting[]>([]);
  const [pasting, setPasting] = useState(false);
  const documents = list.data?.items ?? [];

  const take = async (files: Iterable<File>) => {
    for (const file of files) {
      const key = nextKey++;
      const wrong = unreadable(file);
      setWaiting((all) => [...all, { key, name: file.name, ...(wrong ? { error: t(`first_run.${wrong}`) } : {}) }]);
      if (wrong) continue;
      try {
        await call("add_knowledge", { name: file.name, base64: base64(new Uint8Array(await file.arrayBuffer())) });
        setWaiting((all) => all.filter((one) => one.key !== key));
      } catch (cause) {
        const error = sentence(cause, t);
        setWaiting((all) => all.map((one) => (one.key === key ? { ...one, error } : one)));
      }
      await client.invalidateQueries({ queryKey: ["knowledge"] });
    }
  };
  const sample = useMutation({ mutationFn: () => take([sampleFile(i18n.language)]) });
  const reading = waiting.some((one) => one.error === undefined);

  // A file dropped beside the frame would otherwise replace the whole page.
  useEffect(() => {
    const stop = (event: globalThis.DragEvent) => event.preventDefault();
    window.addEventListener("dragover", stop);
    window.addEventListener("drop", stop);
    return () => {
      window.removeEventListener("dragover", stop);
      window.removeEventListener("drop", stop);
    };
  }, []);

  return (
    <StepFrame
      title={t("first_run.know_title")}
      lead={t("first_run.know_lead")}
      onBack={onBack}
      onNext={onNext}
      busy={reading}
      beside={
        documents.length === 0 && !reading ? (
          <button type="button" className="link" onClick={() => sample.mutate()} disabled={sample.isPending}>
            {t("first_run.use_sample")}
          </button>
        ) : null
      }
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: files may be dropped; the button inside does the same. */}
      <div
        className={styles.drop}
        data-over={over || undefined}
        onDragOver={() => setOver(true)}
        onDragLeave={() => setOver(false)}
        onDrop={(event: DragEvent) => {
          setOver(false);
          void take(event.dataTransfer.files);
        }}
      >
        <span className={styles.badge}>
          <Upload size={22} strokeWidth={1.8} aria-hidden />
        </span>
        <div className="grow">
          <b>{t("first_run.drop")}</b>
          <div className="muted">{t("first_run.drop_kinds")}</div>
        </div>
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          accept=".txt,.md,.markdown,.csv,.tsv,text/plain,text/markdown,text/csv"
          onChange={(event) => void take([...(event.target.files ?? [])])}
        />
        <Button size="lg" onClick={() => picker.current?.click()}>
          {t("first_run.choose_files")}
        </Button>
      </div>
      {documents.length + waiting.length > 0 ? (
        <ul className={styles.files} aria-live="polite">
          {documents.map((one) => (
            <li key={one.id}>
              <span className={styles.sheet}>{sheet(one.name)}</span>
              <div>
                <b className="cut">{one.name}</b>
                <small>{t("first_run.passages", { count: one.passages })}</small>
              </div>
              <Chip look="good">
                <Check size={14} strokeWidth={2} aria-hidden />
                {t("first_run.ready")}
              </Chip>
            </li>
          ))}
          {waiting.map((one) => (
            <li key={one.key}>
              <span className={styles.sheet}>
                {one.error ? <TriangleAlert size={18} strokeWidth={1.8} aria-hidden /> : sheet(one.name)}
              </span>
              <div>
                <b className="cut">{one.name}</b>
                {one.error ? (
                  <small className={styles.wrong}>{one.error}</small>
                ) : (
                  <Progress label={t("first_run.reading", { name: one.name })} />
                )}
              </div>
              {one.error ? (
                <Button
                  size="sm"
                  look="quiet"
                  onClick={() => setWaiting((all) => all.filter((each) => each.key !== one.key))}
                >
                  {t("common.dismiss")}
                </Button>
              ) : null}
            </li>
          ))}
        </ul>
      ) : (
        <p className="muted">
          {t("first_run.no_file")}{" "}
          <button type="button" className="link" onClick={() => setPasting(true)}>
            {t("first_run.paste")}
          </button>
        </p>
      )}
      {documents.length > 0 && covered.data ? (
        <div>
          <h2 className={styles.coverTitle}>{t("first_run.covered")}</h2>
          <ul className={styles.covers}>
            {covered.data.items.map(({ topic, found }) => (
              <li key={topic}>
                <Chip look={found ? "good" : "line"}>
                  {found ? (
                    <Check size={14} strokeWidth={2} aria-hidden />
                  ) : (
                    <CircleDashed size={14} strokeWidth={1.8} aria-hidden />
                  )}
                  {found ? t(`topic.${topic}`) : t("first_run.nothing_yet", { topic: t(`topic.${topic}`) })}
                </Chip>
              </li>
            ))}
          </ul>
        </div>
      ) : null}
      <Paste
        open={pasting}
        onOpen={setPasting}
        onText={(text) => take([new File([text], t("first_run.pasted_name"), { type: "text/plain" })])}
      />
    </StepFrame>
  );
}

function Paste({
  open,
  onOpen,
  onText,
}: {
  open: boolean;
  onOpen: (open: boolean) => void;
  onText: (text: string) => Promise<void>;
}) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  return (
    <Dialog
      open={open}
      onOpen={onOpen}
      wide
      focus={field}
      title={t("first_run.paste_title")}
      actions={
        <Button
          look="primary"
          disabled={text.trim() === ""}
          onClick={() => {
            onOpen(false);
            void onText(text);
            setText("");
          }}
        >
          {t("first_run.paste_keep")}
        </Button>
      }
    >
      <TextField
        ref={field}
        label={t("first_run.paste_label")}
        rows={10}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
    </Dialog>
  );
}

/** Why a file cannot be read, before it is sent. */
function unreadable(file: File): "too_big" | "not_text" | "empty_file" | undefined {
  if (file.size === 0) return "empty_file";
  if (file.size > most) return "too_big";
  if (!/\.(txt|md|markdown|csv|tsv)$/i.test(file.name)) return "not_text";
  return undefined;
}

const sheet = (name: string) =>
  /\.[ct]sv$/i.test(name) ? (
    <FileSpreadsheet size={18} strokeWidth={1.8} aria-hidden />
  ) : (
    <FileText size={18} strokeWidth={1.8} aria-hidden />
  );
