import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Monitor, Moon, Sun } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Health, Settings, Theme } from "../../bindings";
import { ApiError, call } from "../../bridge";
import { Button } from "../../components/Button";
import { Field } from "../../components/Field";
import { RestoreBackup } from "../../components/RestoreBackup";
import { SecretField } from "../../components/SecretField";
import { Segmented } from "../../components/Segmented";
import { languages, speak } from "../../i18n";
import { settings } from "../../queries/hub";
import { keptTheme, paint } from "../../theme";
import { sentence } from "../../words/error";
import { StepFrame } from "./StepFrame";
import styles from "./Steps.module.css";

type Props = { shop: Settings | undefined; health: Health | undefined; onNext: () => void };

/** Step 1: the shop's name, its language, its look; and a passphrase where no keychain can hold the key. */
export function ShopStep({ shop, health, onNext }: Props) {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState<string | undefined>();
  const [theme, setTheme] = useState<Theme>(keptTheme);
  const [passphrase, setPassphrase] = useState("");
  const [again, setAgain] = useState("");
  const [wrong, setWrong] = useState<{ first?: string; second?: string; name?: string }>({});
  const [restoring, setRestoring] = useState(false);
  const secret = useRef<HTMLInputElement>(null);
  const makeVault = health?.vault === "none";
  const askPassphrase = makeVault && !health.keychain;

  const save = useMutation({
    mutationFn: async () => {
      if (makeVault) {
        await call("create_vault", askPassphrase ? { passphrase } : {});
      }
      return call("update_settings", {
        shop_name: (name ?? shop?.shop_name ?? "").trim(),
        language: i18n.language,
        theme,
        first_run_step: 1,
      });
    },
    onSuccess: async (saved) => {
      client.setQueryData(settings().queryKey, saved);
      await client.invalidateQueries({ queryKey: ["health"] });
      await client.invalidateQueries({ queryKey: ["agents"] });
      onNext();
    },
    onError: (error) => {
      // A vault that was made stays made: the second attempt only saves.
      void client.invalidateQueries({ queryKey: ["health"] });
      if (!(error instanceof ApiError)) return;
      const { passphrase: first, shop_name } = error.fields;
      setWrong({ ...(first ? { first } : {}), ...(shop_name ? { name: shop_name } : {}) });
    },
  });
  useEffect(() => {
    if (wrong.first) secret.current?.focus();
  }, [wrong]);

  const next = () => {
    if (askPassphrase) {
      if (passphrase.length < 8) return setWrong({ first: t(passphrase === "" ? "vault.empty" : "vault.short") });
      if (passphrase !== again) return setWrong({ second: t("vault.different") });
    }
    setWrong({});
    save.mutate();
  };
  const plain = save.isError && Object.keys(wrong).length === 0 ? sentence(save.error, t) : undefined;

  return (
    <StepFrame
      title={t("first_run.shop_title")}
      lead={t("first_run.shop_lead")}
      onNext={next}
      busy={save.isPending}
      error={plain}
    >
      <Field
        label={t("first_run.shop_name")}
        help={t("first_run.shop_name_help")}
        placeholder={t("first_run.shop_name_example")}
        autoComplete="organization"
        maxLength={80}
        error={wrong.name}
        value={name ?? shop?.shop_name ?? ""}
        onChange={(event) => setName(event.target.value)}
      />
      <div className={styles.pair}>
        <div>
          <span className={styles.label}>{t("first_run.language")}</span>
          <Segmented
            label={t("first_run.language")}
            value={i18n.language}
            onValue={(value) => speak(value)}
            choices={languages.map((one) => ({
              value: one.code as string,
              label: <span lang={one.code}>{one.name}</span>,
            }))}
          />
        </div>
        <div>
          <span className={styles.label}>{t("first_run.look")}</span>
          <Segmented<Theme>
            label={t("first_run.look")}
            value={theme}
            onValue={(value) => {
              setTheme(value);
              paint(value);
            }}
            choices={[
              {
                value: "system",
                label: <Look icon={<Monitor size={15} strokeWidth={1.8} />} word={t("first_run.system")} />,
              },
              {
                value: "light",
                label: <Look icon={<Sun size={15} strokeWidth={1.8} />} word={t("first_run.light")} />,
              },
              { value: "dark", label: <Look icon={<Moon size={15} strokeWidth={1.8} />} word={t("first_run.dark")} /> },
            ]}
          />
        </div>
      </div>
      {askPassphrase ? (
        <fieldset className={styles.vault}>
          <legend>{t("vault.make_title")}</legend>
          <p>{t("vault.make_text")}</p>
          <SecretField
            ref={secret}
            label={t("vault.passphrase")}
            help={t("vault.help")}
            error={wrong.first}
            value={passphrase}
            onValue={(value) => setPassphrase(value ?? "")}
            autoComplete="new-password"
          />
          <SecretField
            label={t("vault.again")}
            help=" "
            error={wrong.second}
            value={again}
            onValue={(value) => setAgain(value ?? "")}
            autoComplete="new-password"
          />
        </fieldset>
      ) : null}
      <div>
        <Button look="quiet" onClick={() => setRestoring(true)}>
          {t("restore.open")}
        </Button>
      </div>
      <RestoreBackup open={restoring} onOpen={setRestoring} />
    </StepFrame>
  );
}

function Look({ icon, word }: { icon: React.ReactNode; word: string }) {
  return (
    <span className="row" style={{ gap: 6 }}>
      {icon}
      {word}
    </span>
  );
}
