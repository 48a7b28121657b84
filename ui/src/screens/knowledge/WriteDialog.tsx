import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Field, TextField } from "../../components/Field";

type Props = {
  /** The question that is being answered; an empty one is a note of any kind. */
  question: string | undefined;
  onClose: () => void;
  onText: (file: File) => void;
};

/** Writes a piece of knowledge by hand: a question and its answer, or a note. */
export function WriteDialog({ question, onClose, onText }: Props) {
  const { t } = useTranslation();
  const [title, setTitle] = useState(question ?? "");
  const [text, setText] = useState("");
  const first = useRef<HTMLInputElement>(null);
  const second = useRef<HTMLTextAreaElement>(null);
  const ready = title.trim() !== "" && text.trim() !== "";
  return (
    <Dialog
      open
      onOpen={(open) => !open && onClose()}
      wide
      focus={question ? second : first}
      title={t(question ? "knowledge.write_answer" : "knowledge.write")}
      text={t("knowledge.write_text")}
      actions={
        <>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button
            look="primary"
            disabled={!ready}
            onClick={() => {
              const name = `${
                title
                  .trim()
                  .replace(/[\\/:*?"<>|]+/g, " ")
                  .trim()
                  .slice(0, 60) || "note"
              }.md`;
              onText(new File([`# ${title.trim()}\n\n${text.trim()}\n`], name, { type: "text/markdown" }));
              onClose();
            }}
          >
            {t("knowledge.write_keep")}
          </Button>
        </>
      }
    >
      <Field
        ref={first}
        label={t("knowledge.write_title")}
        value={title}
        dir="auto"
        onChange={(event) => setTitle(event.target.value)}
      />
      <TextField
        ref={second}
        label={t("knowledge.write_body")}
        rows={8}
        value={text}
        dir="auto"
        onChange={(event) => setText(event.target.value)}
      />
    </Dialog>
  );
}
