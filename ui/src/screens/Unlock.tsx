import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, call } from "../bridge";
import { Button } from "../components/Button";
import { SecretField } from "../components/SecretField";
import { queryClient } from "../queries/client";
import { sentence } from "../words/error";
import styles from "./Door.module.css";

/** The vault is closed (`make`: it is not made yet) and no keychain holds its key: a passphrase is asked for. */
export function Unlock({ make }: { make: boolean }) {
  const { t } = useTranslation();
  const [passphrase, setPassphrase] = useState("");
  const [again, setAgain] = useState("");
  const [wrong, setWrong] = useState<{ first?: string; second?: string }>({});
  const field = useRef<HTMLInputElement>(null);

  const open = useMutation({
    mutationFn: () => (make ? call("create_vault", { passphrase }) : call("unlock_vault", { passphrase })),
    onSuccess: () => queryClient.invalidateQueries(),
    onError: (error) => {
      const field = error instanceof ApiError ? error.fields.passphrase : undefined;
      setWrong({ first: field ?? sentence(error, t) });
    },
  });
  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    if (wrong.first) field.current?.focus();
  }, [wrong]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (passphrase === "") return setWrong({ first: t("vault.empty") });
    if (make && passphrase.length < 8) return setWrong({ first: t("vault.short") });
    if (make && passphrase !== again) return setWrong({ second: t("vault.different") });
    setWrong({});
    open.mutate();
  };

  return (
    <main className={styles.door}>
      <form className={styles.sheet} onSubmit={submit} noValidate>
        <img src="/bell.svg" alt="" width="56" height="56" />
        <h1>{t(make ? "vault.make_title" : "vault.title")}</h1>
        <p>{t(make ? "vault.make_text" : "vault.text")}</p>
        <SecretField
          label={t("vault.passphrase")}
          help={make ? t("vault.help") : " "}
          error={wrong.first}
          value={passphrase}
          onValue={(value) => setPassphrase(value ?? "")}
          autoComplete={make ? "new-password" : "current-password"}
          ref={field}
        />
        {make ? (
          <SecretField
            label={t("vault.again")}
            help=" "
            error={wrong.second}
            value={again}
            onValue={(value) => setAgain(value ?? "")}
            autoComplete="new-password"
          />
        ) : null}
        <Button look="primary" size="lg" type="submit" busy={open.isPending} busyWord={t("vault.opening")}>
          {t(make ? "vault.make" : "vault.open")}
        </Button>
      </form>
    </main>
  );
}
