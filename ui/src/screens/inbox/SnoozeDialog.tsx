import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { snoozeChoices, toField } from "../../words/snooze";

const year = 365 * 86_400_000;

/** Any moment of the next year. */
export function SnoozeDialog({
  open,
  onOpen,
  onSnooze,
}: {
  open: boolean;
  onOpen: (open: boolean) => void;
  onSnooze: (until: number) => void;
}) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState<string>();
  const [wrong, setWrong] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const tomorrow = snoozeChoices(Date.now()).find((one) => one.id === "tomorrow")?.until ?? Date.now();
  const value = typed ?? toField(tomorrow);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const until = new Date(value).getTime();
    const fits = until > Date.now() && until < Date.now() + year;
    setWrong(!fits);
    if (!fits) return field.current?.focus();
    onSnooze(until);
    setTyped(undefined);
    onOpen(false);
  };
  return (
    <Dialog open={open} onOpen={onOpen} title={t("inbox.snooze_title")} text={t("inbox.snooze_text")} focus={field}>
      <form onSubmit={submit} noValidate style={{ display: "grid", gap: "var(--s-4)" }}>
        <Field
          ref={field}
          type="datetime-local"
          label={t("panel.snoozed")}
          value={value}
          min={toField(Date.now())}
          max={toField(Date.now() + year)}
          error={wrong ? t("inbox.snooze_past") : undefined}
          onChange={(event) => {
            setTyped(event.target.value);
            setWrong(false);
          }}
        />
        <div className="row" style={{ justifyContent: "flex-end" }}>
          <Button look="quiet" onClick={() => onOpen(false)}>
            {t("common.cancel")}
          </Button>
          <Button look="primary" type="submit">
            {t("inbox.snooze")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
