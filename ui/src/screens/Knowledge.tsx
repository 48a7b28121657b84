import { useQuery } from "@tanstack/react-query";
import { PencilLine, Plus, Upload } from "lucide-react";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../components/Button";
import { DropVeil } from "../components/DropVeil";
import { EmptyState } from "../components/EmptyState";
import { Page } from "../components/Page";
import { Skeleton } from "../components/Skeleton";
import { useDropAnywhere } from "../hooks/useDropAnywhere";
import { useKey } from "../keys/KeysProvider";
import { knowledge } from "../queries/knowledge";
import { sentence } from "../words/error";
import styles from "./Knowledge.module.css";
import { Coverage } from "./knowledge/Coverage";
import { DocumentRow, UploadRow } from "./knowledge/DocumentRow";
import { TrySearch } from "./knowledge/TrySearch";
import { UnansweredList } from "./knowledge/UnansweredList";
import { useDelete } from "./knowledge/useDelete";
import { readable, useUploads } from "./knowledge/useUploads";
import { WriteDialog } from "./knowledge/WriteDialog";
import { useNow } from "./useNow";

/** What agents may quote: the files, what they answer, and what nobody could answer. */
export function Knowledge() {
  const { t } = useTranslation();
  const list = useQuery(knowledge());
  const files = useUploads();
  const deleting = useDelete();
  const over = useDropAnywhere(files.add);
  const picker = useRef<HTMLInputElement>(null);
  const find = useRef<HTMLInputElement>(null);
  /** The question to answer; empty for a note of any kind. */
  const [writing, setWriting] = useState<string>();
  const now = useNow();
  useKey("find_document", () => find.current?.focus());

  const documents = (list.data?.items ?? []).filter((one) => !deleting.gone.has(one.id));
  const empty = list.data !== undefined && list.data.items.length === 0 && files.uploads.length === 0;
  const choose = () => picker.current?.click();

  return (
    <Page
      title={t("knowledge.title")}
      lead={t("knowledge.lead")}
      actions={
        empty ? null : (
          <>
            <Button onClick={() => setWriting("")}>
              <PencilLine size={16} strokeWidth={1.8} aria-hidden />
              {t("knowledge.write")}
            </Button>
            <Button look="primary" onClick={choose}>
              <Plus size={16} strokeWidth={1.8} aria-hidden />
              {t("knowledge.add")}
            </Button>
          </>
        )
      }
    >
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        accept={readable}
        aria-label={t("knowledge.add")}
        onChange={(event) => {
          files.add([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
      {list.isError ? (
        <EmptyState title={t("knowledge.unread")} text={sentence(list.error, t)}>
          <Button onClick={() => void list.refetch()}>{t("common.try_again")}</Button>
        </EmptyState>
      ) : list.data === undefined ? (
        <Skeleton rows={6} height={56} />
      ) : empty ? (
        <div className={styles.drop} data-over={over || undefined}>
          <EmptyState
            icon={<Upload size={30} strokeWidth={1.8} aria-hidden />}
            title={t("knowledge.empty")}
            text={t("knowledge.empty_text")}
          >
            <div className="row">
              <Button look="primary" onClick={choose}>
                {t("knowledge.add")}
              </Button>
              <Button onClick={() => setWriting("")}>{t("knowledge.write")}</Button>
            </div>
            <p className={styles.kinds}>{t("knowledge.kinds")}</p>
          </EmptyState>
        </div>
      ) : (
        <div className={styles.columns}>
          <section aria-label={t("knowledge.files")}>
            {deleting.error ? (
              <p className={styles.error} role="alert">
                {deleting.error}
              </p>
            ) : null}
            <ul className={`card ${styles.files}`}>
              {files.uploads.map((one) => (
                <UploadRow
                  key={one.key}
                  upload={one}
                  onAgain={() => files.again(one)}
                  onDrop={() => files.drop(one.key)}
                />
              ))}
              {documents.map((one) => (
                <DocumentRow key={one.id} document={one} now={now} onDelete={() => deleting.remove(one)} />
              ))}
            </ul>
            <p className={styles.kinds}>{t("knowledge.anywhere")}</p>
          </section>
          <div className={styles.side}>
            <Coverage />
            <TrySearch ref={find} />
            <UnansweredList now={now} onWrite={setWriting} />
          </div>
        </div>
      )}
      {over && !empty ? <DropVeil text={t("knowledge.let_go")} /> : null}
      {writing === undefined ? null : (
        <WriteDialog question={writing} onClose={() => setWriting(undefined)} onText={(file) => files.add([file])} />
      )}
    </Page>
  );
}
