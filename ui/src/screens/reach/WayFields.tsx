import { useId } from "react";
import { useTranslation } from "react-i18next";
import type { DriverKind, SetTunnel, TunnelSettings, TunnelState } from "../../bindings";
import { CopyBox } from "../../components/CopyBox";
import { Field } from "../../components/Field";
import { Switch } from "../../components/Switch";
import { Fact } from "../settings/Setting";
import setting from "../settings/Setting.module.css";

type Words = "url" | "domain" | "server" | "user";
type Secrets = "authtoken" | "token" | "password";

const wordsOf: Record<DriverKind, Words[]> = {
  off: [],
  own: ["url"],
  ngrok: ["domain"],
  cloudflare_named: ["url"],
  cloudflare_quick: [],
  ssh_server: ["server", "user", "url"],
  localhost_run: [],
  pinggy: [],
  bore: ["server"],
};
const secretsOf = {
  ngrok: "authtoken",
  cloudflare_named: "token",
  ssh_server: "password",
  pinggy: "password",
  bore: "password",
} as const satisfies Partial<Record<DriverKind, Secrets>>;
const hasSecret = (way: DriverKind): way is keyof typeof secretsOf => way in secretsOf;
const examples: Record<Words, string> = {
  url: "https://shop.example.com",
  domain: "shop.ngrok-free.app",
  server: "vps.example.com",
  user: "shop",
};

type Props = {
  way: DriverKind;
  state: TunnelState;
  typed: SetTunnel;
  fields: Record<string, string>;
  onTyped: (typed: SetTunnel) => void;
};

/** What a way needs to be told. A secret that is kept is never shown again; typing replaces it. */
export function WayFields({ way, state, typed, fields, onTyped }: Props) {
  const { t } = useTranslation();
  const mayId = useId();
  const kept: TunnelSettings = state.settings;
  const secret = hasSecret(way) ? { field: secretsOf[way], way } : undefined;
  const takesPort = way === "ssh_server" || way === "bore";
  const isCloudflare = way === "cloudflare_named" || way === "cloudflare_quick";
  return (
    <>
      {wordsOf[way].map((word) => (
        <Field
          key={word}
          label={t(`reach.field.${word}`)}
          help={t(`reach.help.${word}`)}
          optional={word === "domain"}
          value={typed[word] ?? kept[word]}
          placeholder={examples[word]}
          error={fields[word]}
          maxLength={500}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => onTyped({ ...typed, [word]: event.target.value })}
        />
      ))}
      {takesPort ? (
        <Field
          label={t("reach.field.remote_port")}
          help={t("reach.help.remote_port")}
          value={String(typed.remote_port ?? kept.remote_port)}
          error={fields.remote_port}
          inputMode="numeric"
          maxLength={5}
          onChange={(event) => {
            const port = Number(event.target.value.replace(/\D/g, ""));
            onTyped({ ...typed, remote_port: Math.min(port, 65_535) });
          }}
        />
      ) : null}
      {secret ? (
        <Field
          type="password"
          label={t(`reach.secret.${secret.way}`)}
          help={kept[secret.field].set ? t("reach.secret_kept") : t(`reach.secret_help.${secret.way}`)}
          optional={way === "ssh_server" || way === "pinggy" || way === "bore"}
          value={typed[secret.field] ?? ""}
          placeholder={kept[secret.field].set ? "••••••••" : ""}
          error={fields[secret.field]}
          autoComplete="off"
          onChange={(event) => onTyped({ ...typed, [secret.field]: event.target.value })}
        />
      ) : null}
      {way === "ssh_server" && state.public_key ? (
        <Fact name={t("reach.key")}>
          <CopyBox text={state.public_key} label={t("reach.key")} />
          <p className="muted">{t("reach.key_text")}</p>
        </Fact>
      ) : null}
      {isCloudflare && !state.cloudflared.found && state.cloudflared.can_download ? (
        <div className={setting.line}>
          <label htmlFor={mayId} className="grow">
            {t("reach.may_download")}
            <small>{t("reach.may_download_text", { version: state.cloudflared.version })}</small>
          </label>
          <Switch
            id={mayId}
            checked={typed.may_download ?? kept.may_download}
            onChecked={(may_download) => onTyped({ ...typed, may_download })}
          />
        </div>
      ) : null}
      {isCloudflare && !state.cloudflared.found && !state.cloudflared.can_download ? (
        <p className="muted">{t("reach.install_cloudflared")}</p>
      ) : null}
      {fields.program || fields.may_download ? (
        <p className={setting.error} role="alert">
          {fields.program ?? fields.may_download}
        </p>
      ) : null}
    </>
  );
}
