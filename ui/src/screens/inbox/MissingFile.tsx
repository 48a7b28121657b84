import { useMutation } from "@tanstack/react-query";
import { FileX, Hourglass } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { FileMark, MediaPart } from "../../bindings";
import { call } from "../../bridge";
import { refreshMessages } from "../../queries/messages";
import { sentence } from "../../words/error";
import styles from "./MissingFile.module.css";

/** A file that is not here: on its way, or given up, and then it can be asked for again. */
export function MissingFile({ part, mark, conversation }: { part: MediaPart; mark: FileMark; conversation: string }) {
  const { t } = useTranslation();
  const again = useMutation({
    mutationFn: () => call("retry_media", { id: mark.media }),
    onSuccess: () => refreshMessages(conversation, [mark.media]),
  });
  const Icon = mark.failed ? FileX : Hourglass;
  return (
    <span className={styles.missing}>
      <Icon size={16} strokeWidth={1.8} aria-hidden />
      <span className="grow">
        <b className="cut">{part.filename || t("media.file")}</b>
        <small>
          {mark.failed ? t("media.failed") : t("media.waiting")}
          {mark.reason ? ` ${mark.reason}` : ""}{" "}
          {mark.failed ? (
            <button type="button" className="link" disabled={again.isPending} onClick={() => again.mutate()}>
              {t("common.try_again")}
            </button>
          ) : null}
        </small>
        {again.isError ? <small role="alert">{sentence(again.error, t)}</small> : null}
        {part.caption ? <span>{part.caption}</span> : null}
      </span>
    </span>
  );
}
