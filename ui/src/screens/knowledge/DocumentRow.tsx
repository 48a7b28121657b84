import { FileSpreadsheet, FileText, Trash2, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { KnowledgeDocument } from "../../bindings";
import { Button } from "../../components/Button";
import { Progress } from "../../components/Progress";
import { size } from "../../words/size";
import { ago, fullTime } from "../../words/time";
import styles from "./DocumentRow.module.css";
import type { Upload } from "./useUploads";

/** A document that agents may quote: how much of it there is, and how often it answered. */
export function DocumentRow(props: { document: KnowledgeDocument; now: number; onDelete: () => void }) {
  const { document, now, onDelete } = props;
  const { t, i18n } = useTranslation();
  const { language } = i18n;
  return (
    <li
      className={styles.row}
      tabIndex={0}
      aria-label={document.name}
      onKeyDown={(event) => {
        if (event.key !== "Delete" || event.target !== event.currentTarget) return;
        event.preventDefault();
        const next = event.currentTarget.nextElementSibling ?? event.currentTarget.previousElementSibling;
        if (next instanceof HTMLElement) next.focus();
        onDelete();
      }}
    >
      <span className={styles.sheet}>{sheet(document.name)}</span>
      <div className="grow">
        <b className="cut" dir="auto">
          {document.name}
        </b>
        <small title={fullTime(document.added_at, language)}>
          {[
            t("knowledge.passages", { count: document.passages }),
            size(document.bytes, language),
            t("knowledge.read", { ago: ago(document.added_at, now, language) }),
          ].join(" · ")}
        </small>
      </div>
      <span className={`${styles.used} num`}>
        {document.used === 0 ? t("knowledge.unused") : t("knowledge.used", { count: document.used })}
      </span>
      <Button
        look="quiet"
        size="sm"
        icon
        aria-label={t("knowledge.delete", { name: document.name })}
        onClick={onDelete}
      >
        <Trash2 size={16} strokeWidth={1.8} aria-hidden />
      </Button>
    </li>
  );
}

/** A file on its way in, or one that was not taken and why. */
export function UploadRow(props: { upload: Upload; onAgain: () => void; onDrop: () => void }) {
  const { upload, onAgain, onDrop } = props;
  const { t } = useTranslation();
  const refused = upload.state === "refused";
  return (
    <li className={styles.row}>
      <span className={styles.sheet} data-bad={refused || undefined}>
        {refused ? <TriangleAlert size={18} strokeWidth={1.8} aria-hidden /> : sheet(upload.name)}
      </span>
      <div className="grow">
        <b className="cut" dir="auto">
          {upload.name}
        </b>
        {refused ? (
          <small className={styles.error} role="alert">
            {upload.error}
          </small>
        ) : upload.state === "waiting" ? (
          <small>{t("knowledge.waiting")}</small>
        ) : (
          <Progress label={t("knowledge.reading", { name: upload.name })} />
        )}
      </div>
      {refused ? (
        <>
          {upload.hopeless ? null : (
            <Button size="sm" onClick={onAgain}>
              {t("common.try_again")}
            </Button>
          )}
          <Button look="quiet" size="sm" onClick={onDrop}>
            {t("common.dismiss")}
          </Button>
        </>
      ) : null}
    </li>
  );
}

const sheet = (name: string) =>
  /\.[ct]sv$/i.test(name) ? (
    <FileSpreadsheet size={18} strokeWidth={1.8} aria-hidden />
  ) : (
    <FileText size={18} strokeWidth={1.8} aria-hidden />
  );
