import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, call } from "../../bridge";
import { BackupProgress } from "../../components/BackupProgress";
import { Button } from "../../components/Button";
import { CopyBox } from "../../components/CopyBox";
import { Field } from "../../components/Field";
import { SecretField } from "../../components/SecretField";
import { queryClient } from "../../queries/client";
import { backups } from "../../queries/hub";
import { sentence } from "../../words/error";
import { size } from "../../words/size";
import { dayAndClock } from "../../words/time";
import { Fact } from "./Setting";
import styles from "./Setting.module.css";

type Wrong = { passphrase?: string; again?: string; folder?: string };

/** Everything in one sealed file that another computer can take over: a passphrase typed twice, a folder, how far it is. */
export function ExportBackup() {
  const { t, i18n } = useTranslation();
  const known = useQuery(backups());
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState({ passphrase: "", again: "", folder: "" });
  const [wrong, setWrong] = useState<Wrong>({});
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (open) first.current?.focus();
  }, [open]);
  useEffect(() => {
    if (wrong.passphrase) first.current?.focus();
  }, [wrong]);
  const make = useMutation({
    mutationFn: () => call("export_backup", { passphrase: typed.passphrase, folder: typed.folder.trim() || null }),
    onSuccess: () => {
      setOpen(false);
      setTyped({ passphrase: "", again: "", folder: "" });
    },
    onError: (cause) => {
      if (cause instanceof ApiError) setWrong(cause.fields);
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["backups"] }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (typed.passphrase.length < 8) return setWrong({ passphrase: t("vault.short") });
    if (typed.passphrase !== typed.again) return setWrong({ again: t("vault.different") });
    setWrong({});
    make.mutate();
  };
  const portable = known.data?.portable;
  return (
    <>
      <Fact name={t("backup.portable")}>
        <p className="muted">{t("backup.portable_text")}</p>
        {portable?.done_at ? (
          <p>
            {t("backup.portable_last", {
              when: dayAndClock(portable.done_at, i18n.language),
              size: size(portable.bytes, i18n.language),
            })}
          </p>
        ) : null}
        {portable?.file ? <CopyBox text={portable.file} label={t("backup.file")} /> : null}
        {make.data && make.data.left_out > 0 ? (
          <p className={styles.error}>{t("backup.left_out", { count: make.data.left_out })}</p>
        ) : null}
        {portable?.trouble && !make.isError ? <p className={styles.error}>{portable.trouble}</p> : null}
      </Fact>
      {open ? (
        <form className={styles.body} onSubmit={submit} noValidate>
          <SecretField
            ref={first}
            label={t("backup.passphrase")}
            help={t("backup.passphrase_help")}
            error={wrong.passphrase}
            value={typed.passphrase}
            onValue={(value) => setTyped({ ...typed, passphrase: value ?? "" })}
            autoComplete="new-password"
          />
          <SecretField
            label={t("vault.again")}
            help=" "
            error={wrong.again}
            value={typed.again}
            onValue={(value) => setTyped({ ...typed, again: value ?? "" })}
            autoComplete="new-password"
          />
          <Field
            label={t("backup.export_folder")}
            help={t("backup.export_folder_help")}
            optional
            error={wrong.folder}
            placeholder={known.data?.export_folder}
            value={typed.folder}
            onChange={(event) => setTyped({ ...typed, folder: event.target.value })}
          />
          {make.isPending ? <BackupProgress /> : null}
          {make.isError && Object.keys(wrong).length === 0 ? (
            <p className={styles.error} role="alert">
              {sentence(make.error, t)}
            </p>
          ) : null}
          <div className="row">
            <Button look="primary" type="submit" busy={make.isPending} busyWord={t("backup.sealing")}>
              {t("backup.export")}
            </Button>
            {make.isPending ? null : (
              <Button look="quiet" onClick={() => setOpen(false)}>
                {t("common.cancel")}
              </Button>
            )}
          </div>
        </form>
      ) : (
        <div>
          <Button onClick={() => setOpen(true)}>{t("backup.export")}</Button>
        </div>
      )}
    </>
  );
}
