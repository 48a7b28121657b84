import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, call } from "../../bridge";
import { Button } from "../../components/Button";
import { SecretField } from "../../components/SecretField";
import { useToast } from "../../components/Toast";
import { queryClient } from "../../queries/client";
import { sentence } from "../../words/error";
import styles from "./Setting.module.css";

/** Changes the passphrase. `first`: until now the keychain alone holds the key. */
export function Passphrase({ first }: { first: boolean }) {
  const { t } = useTranslation();
  const say = useToast();
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState({ old: "", passphrase: "", again: "" });
  const [wrong, setWrong] = useState<{ old?: string; passphrase?: string; again?: string }>({});
  const oldField = useRef<HTMLInputElement>(null);
  const newField = useRef<HTMLInputElement>(null);
  // The button that opened the form is gone: the focus goes on into it, and to what is wrong.
  useEffect(() => {
    if (open) (oldField.current ?? newField.current)?.focus();
  }, [open]);
  useEffect(() => {
    if (wrong.old) oldField.current?.focus();
    else if (wrong.passphrase) newField.current?.focus();
  }, [wrong]);
  const change = useMutation({
    mutationFn: () => call("change_passphrase", { old: first ? null : typed.old, passphrase: typed.passphrase }),
    onSuccess: () => {
      setOpen(false);
      setTyped({ old: "", passphrase: "", again: "" });
      void queryClient.invalidateQueries({ queryKey: ["health"] });
      say(t("settings.passphrase_changed"));
    },
    onError: (cause) => {
      if (!(cause instanceof ApiError)) return;
      setWrong(cause.code === "wrong_passphrase" ? { old: cause.message } : cause.fields);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!first && typed.old === "") return setWrong({ old: t("vault.empty") });
    if (typed.passphrase.length < 8) return setWrong({ passphrase: t("vault.short") });
    if (typed.passphrase !== typed.again) return setWrong({ again: t("vault.different") });
    setWrong({});
    change.mutate();
  };
  const set = (name: keyof typeof typed) => (value: string | undefined) => setTyped({ ...typed, [name]: value ?? "" });

  if (!open)
    return (
      <div>
        <Button onClick={() => setOpen(true)}>
          {t(first ? "settings.add_passphrase" : "settings.change_passphrase")}
        </Button>
      </div>
    );
  return (
    <form className={styles.body} onSubmit={submit} noValidate>
      {first ? null : (
        <SecretField
          ref={oldField}
          label={t("settings.old_passphrase")}
          help=" "
          error={wrong.old}
          value={typed.old}
          onValue={set("old")}
          autoComplete="current-password"
        />
      )}
      <SecretField
        ref={newField}
        label={t("settings.new_passphrase")}
        help={t("vault.help")}
        error={wrong.passphrase}
        value={typed.passphrase}
        onValue={set("passphrase")}
        autoComplete="new-password"
      />
      <SecretField
        label={t("vault.again")}
        help=" "
        error={wrong.again}
        value={typed.again}
        onValue={set("again")}
        autoComplete="new-password"
      />
      {change.isError && Object.keys(wrong).length === 0 ? (
        <p className={styles.error} role="alert">
          {sentence(change.error, t)}
        </p>
      ) : null}
      <div className="row">
        <Button look="primary" type="submit" busy={change.isPending} busyWord={t("common.saving")}>
          {t("settings.change_passphrase")}
        </Button>
        <Button look="quiet" onClick={() => setOpen(false)}>
          {t("common.cancel")}
        </Button>
      </div>
    </form>
  );
}
