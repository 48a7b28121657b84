import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ShieldCheck, TriangleAlert } from "lucide-react";
import { useEffect, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Health, Settings as ShopSettings, Theme } from "../bindings";
import { Button } from "../components/Button";
import { Chip } from "../components/Chip";
import { CopyBox } from "../components/CopyBox";
import { EmptyState } from "../components/EmptyState";
import { Field, SelectField } from "../components/Field";
import { Page } from "../components/Page";
import { RestoreBackup } from "../components/RestoreBackup";
import { Segmented } from "../components/Segmented";
import { Skeleton } from "../components/Skeleton";
import { Switch } from "../components/Switch";
import { languages, speak } from "../i18n";
import { useRunKey } from "../keys/KeysProvider";
import { health, settings } from "../queries/hub";
import { paint } from "../theme";
import { sentence } from "../words/error";
import { DailyBackups } from "./settings/DailyBackups";
import { ExportBackup } from "./settings/ExportBackup";
import { Passphrase } from "./settings/Passphrase";
import { Fact, Group } from "./settings/Setting";
import styles from "./settings/Setting.module.css";
import { useSaving } from "./settings/useSaving";

/** The shop, how it looks, its keys, its vault, where its data is. Each change saves itself. */
export function Settings() {
  const { t } = useTranslation();
  const shop = useQuery(settings());
  const state = useQuery(health());
  const failed = shop.isError ? shop : state.isError ? state : undefined;
  return (
    <Page title={t("settings.title")} lead={t("settings.lead")}>
      {failed ? (
        <EmptyState title={t("settings.unread")} text={sentence(failed.error, t)}>
          <Button onClick={() => void failed.refetch()}>{t("common.try_again")}</Button>
        </EmptyState>
      ) : shop.data === undefined || state.data === undefined ? (
        <Skeleton rows={6} />
      ) : (
        <Sheet shop={shop.data} state={state.data} />
      )}
    </Page>
  );
}

const themes: Theme[] = ["system", "light", "dark"];

function Sheet({ shop, state }: { shop: ShopSettings; state: Health }) {
  const { t } = useTranslation();
  const { save, fields, error } = useSaving();
  const runKey = useRunKey();
  const keysId = useId();
  const [restoring, setRestoring] = useState(false);
  return (
    <>
      {error ? (
        <p className={styles.error} role="alert">
          {error}
        </p>
      ) : null}
      <Group title={t("settings.shop")} text={t("settings.shop_text")}>
        <SavedField
          label={t("settings.shop_name")}
          help={t("settings.shop_name_help")}
          value={shop.shop_name}
          error={fields.shop_name}
          onSave={(shop_name) => save({ shop_name })}
        />
        <SelectField
          label={t("settings.language")}
          help={t("settings.language_help")}
          error={fields.language}
          value={shop.language}
          options={languages.map((one) => ({ value: one.code, label: one.name }))}
          onChange={(event) => {
            speak(event.target.value);
            save({ language: event.target.value });
          }}
        />
        <div>
          <p className={styles.label}>{t("settings.theme")}</p>
          <Segmented
            label={t("settings.theme")}
            value={shop.theme}
            choices={themes.map((one) => ({ value: one, label: t(`settings.themes.${one}`) }))}
            onValue={(theme) => {
              paint(theme);
              save({ theme });
            }}
          />
        </div>
      </Group>

      <Group title={t("settings.keys")} text={t("settings.keys_text")}>
        <div className={styles.line}>
          <label htmlFor={keysId} className="grow">
            {t("settings.single_keys")}
            <small>{t("settings.single_keys_text")}</small>
          </label>
          <Switch id={keysId} checked={shop.single_keys} onChecked={(single_keys) => save({ single_keys })} />
        </div>
        <div>
          <Button onClick={() => runKey("sheet")}>{t("settings.all_keys")}</Button>
        </div>
      </Group>

      <Group title={t("settings.vault")} text={t("settings.vault_text")}>
        <div>
          {state.vault === "open" ? (
            <Chip look="good">
              <ShieldCheck size={14} strokeWidth={1.8} aria-hidden />
              {t(state.vault_kind === "keychain" ? "settings.by_keychain" : "settings.by_passphrase")}
            </Chip>
          ) : (
            <Chip look="bad">
              <TriangleAlert size={14} strokeWidth={1.8} aria-hidden />
              {state.vault_reason ?? t("error.vault_locked")}
            </Chip>
          )}
        </div>
        <Passphrase first={state.vault_kind === "keychain"} />
      </Group>

      <Group title={t("settings.reach")} text={t("settings.reach_text")}>
        <Fact name={t("settings.public_url")}>
          {state.public_url ? (
            <CopyBox text={state.public_url} label={t("settings.public_url")} />
          ) : (
            t("settings.no_public_url")
          )}
        </Fact>
        <div>
          <Link to="/reach">{t("reach.open")}</Link>
        </div>
        <SavedField
          label={t("settings.time_zone")}
          help={t("settings.time_zone_help", { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })}
          value={shop.time_zone}
          error={fields.time_zone}
          optional
          placeholder="America/Sao_Paulo"
          onSave={(time_zone) => save({ time_zone })}
        />
        <SavedField
          label={t("settings.proxy")}
          help={t("settings.proxy_help")}
          value={shop.proxy}
          error={fields.proxy}
          optional
          placeholder="http://proxy:3128"
          onSave={(proxy) => save({ proxy })}
        />
      </Group>

      <Group title={t("settings.data")} text={t("settings.data_text")}>
        <Fact name={t("settings.data_dir")}>
          <CopyBox text={state.data_dir} label={t("settings.data_dir")} />
        </Fact>
        <DailyBackups />
        <ExportBackup />
        <div>
          <Button onClick={() => setRestoring(true)}>{t("restore.open_here")}</Button>
        </div>
        <RestoreBackup open={restoring} onOpen={setRestoring} replace />
      </Group>

      <Group title={t("settings.about")}>
        <div className={styles.about}>
          <img src="/bell.svg" alt="" width="56" height="56" />
          <div>
            <b className="sign">Shopbell {state.version}</b>
            <p className="muted">{t("settings.profile", { name: state.profile })}</p>
            <p className="muted">{t("settings.licence")}</p>
          </div>
        </div>
      </Group>
    </>
  );
}

type SavedProps = {
  label: string;
  help: string;
  value: string;
  error: string | undefined;
  optional?: boolean;
  placeholder?: string;
  onSave: (value: string) => void;
};

/** A line of text that is saved when it is left, or with Enter; Esc brings back what was there. */
function SavedField({ value, onSave, error, ...rest }: SavedProps) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const leave = () => {
    if (text.trim() !== value) onSave(text.trim());
  };
  return (
    <Field
      {...rest}
      value={text}
      error={error}
      maxLength={200}
      dir="auto"
      onChange={(event) => setText(event.target.value)}
      onBlur={leave}
      onKeyDown={(event) => {
        if (event.key === "Enter") leave();
        if (event.key === "Escape") setText(value);
      }}
    />
  );
}
