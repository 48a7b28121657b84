import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, call } from "../bridge";
import { foundBackups, health } from "../queries/hub";
import { sentence } from "../words/error";
import { size } from "../words/size";
import { dayAndClock } from "../words/time";
import { BackupProgress } from "./BackupProgress";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Field } from "./Field";
import styles from "./RestoreBackup.module.css";
import { SecretField } from "./SecretField";

type Wrong = { file?: string; passphrase?: string; own?: string };
type Props = {
  open: boolean;
  onOpen: (open: boolean) => void;
  /** Somebody has worked here already: what is here is kept aside, and that must be said. */
  replace?: boolean;
};

/** A sealed file from another computer takes the place of what is here. */
export function RestoreBackup({ open, onOpen, replace = false }: Props) {
  const { t, i18n } = useTranslation();
  const state = useQuery(health());
  const found = useQuery({ ...foundBackups(), enabled: open && state.data?.vault === "open" });
  const [file, setFile] = useState("");
  const [passphrase, setPassphrase] = useState("");
  const [own, setOwn] = useState("");
  const [sure, setSure] = useState(false);
  const [wrong, setWrong] = useState<Wrong>({});
  const makeVault = state.data?.vault === "none";
  const askOwn = makeVault && !state.data?.keychain;
  const restore = useMutation({
    mutationFn: async () => {
      if (makeVault) await call("create_vault", askOwn ? { passphrase: own } : {});
      return call("restore_backup", { file: file.trim(), passphrase, replace });
    },
    onError: (cause) => {
      void state.refetch();
      if (!(cause instanceof ApiError)) return;
      setWrong(cause.code === "wrong_passphrase" ? { passphrase: cause.message } : cause.fields);
    },
  });
  const restored = restore.isSuccess;
  // The hub is opened again: once it answers with what was restored, everything is read anew.
  useEffect(() => {
    if (!restored) return undefined;
    const timer = setInterval(() => {
      call("health", {}).then(
        (now) => {
          if (!now.moved) return;
          location.hash = "#/inbox";
          location.reload();
        },
        () => {},
      );
    }, 700);
    return () => clearInterval(timer);
  }, [restored]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    // The dialog stands within a step of the first run, which is a form too.
    event.stopPropagation();
    if (file.trim() === "") return setWrong({ file: t("restore.which") });
    if (passphrase === "") return setWrong({ passphrase: t("vault.empty") });
    if (askOwn && own.length < 8) return setWrong({ own: t("vault.short") });
    setWrong({});
    restore.mutate();
  };
  const busy = restore.isPending || restored;
  return (
    <Dialog
      open={open}
      onOpen={(to) => (busy ? undefined : onOpen(to))}
      title={t("restore.title")}
      text={t("restore.text")}
      wide
    >
      {restored ? (
        <p role="status">{t("restore.opening")}</p>
      ) : (
        <form className={styles.form} onSubmit={submit} noValidate>
          {found.data && found.data.items.length > 0 ? (
            <fieldset className={styles.found}>
              <legend>{t("restore.found")}</legend>
              {found.data.items.map((one) => (
                <label key={one.file}>
                  <input type="radio" name="backup" checked={file === one.file} onChange={() => setFile(one.file)} />
                  <span>
                    {dayAndClock(one.made_at, i18n.language)}, {size(one.bytes, i18n.language)}
                    <small>{one.file}</small>
                  </span>
                </label>
              ))}
            </fieldset>
          ) : null}
          <Field
            label={t("restore.file")}
            help={t("restore.file_help")}
            error={wrong.file}
            value={file}
            onChange={(event) => setFile(event.target.value)}
          />
          <SecretField
            label={t("backup.passphrase")}
            help={t("restore.passphrase_help")}
            error={wrong.passphrase}
            value={passphrase}
            onValue={(value) => setPassphrase(value ?? "")}
          />
          {askOwn ? (
            <SecretField
              label={t("restore.own")}
              help={t("restore.own_help")}
              error={wrong.own}
              value={own}
              onValue={(value) => setOwn(value ?? "")}
              autoComplete="new-password"
            />
          ) : null}
          {replace ? (
            <label className={styles.replace}>
              <input type="checkbox" checked={sure} onChange={(event) => setSure(event.target.checked)} />
              {t("restore.replace")}
            </label>
          ) : null}
          {restore.isPending ? <BackupProgress /> : null}
          {restore.isError && Object.keys(wrong).length === 0 ? (
            <p className={styles.error} role="alert">
              {sentence(restore.error, t)}
            </p>
          ) : null}
          <div className="row">
            <Button
              look="primary"
              type="submit"
              busy={restore.isPending}
              busyWord={t("restore.busy")}
              disabled={replace && !sure}
            >
              {t("restore.restore")}
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
