import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { TextField } from "../../components/Field";
import { Kbd } from "../../components/Kbd";

type Props = {
  open: boolean;
  onOpen: (open: boolean) => void;
  busy: boolean;
  error: string | undefined;
  onHandBack: (note: string) => void;
};

/** Handing back asks for one line of context, and takes none for an answer. */
export function HandBack({ open, onOpen, busy, error, onHandBack }: Props) {
  const { t } = useTranslation();
  const [note, setNote] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onHandBack(note);
    setNote("");
  };
  return (
    <Dialog
      open={open}
      onOpen={onOpen}
      title={t("inbox.hand_back_title")}
      text={t("inbox.hand_back_text")}
      focus={field}
    >
      <form onSubmit={submit} style={{ display: "grid", gap: "var(--s-4)" }}>
        <TextField
          ref={field}
          label={t("inbox.context")}
          optional
          rows={2}
          maxLength={500}
          value={note}
          placeholder={t("inbox.context_hint")}
          error={error}
          onChange={(event) => setNote(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit();
          }}
        />
        <div className="row" style={{ justifyContent: "flex-end" }}>
          <Button look="quiet" onClick={() => onOpen(false)}>
            {t("common.cancel")}
          </Button>
          <Button look="primary" type="submit" busy={busy}>
            {t("inbox.hand_back")} <Kbd keys="mod+enter" spoken />
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
