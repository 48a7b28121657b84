import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { DriverKind, SetTunnel, TunnelState } from "../../bindings";
import { ApiError, call } from "../../bridge";
import { Button } from "../../components/Button";
import { useToast } from "../../components/Toast";
import { queryClient } from "../../queries/client";
import { tunnel } from "../../queries/reach";
import { sentence } from "../../words/error";
import setting from "../settings/Setting.module.css";
import styles from "./Reach.module.css";
import { WayFields } from "./WayFields";

/** In the order in which they are worth trying. */
const ways: DriverKind[] = [
  "off",
  "own",
  "ngrok",
  "cloudflare_named",
  "cloudflare_quick",
  "ssh_server",
  "localhost_run",
  "pinggy",
  "bore",
];

/** Chooses how the public address is made. Nothing happens before it is pressed. */
export function Way({ state }: { state: TunnelState }) {
  const { t } = useTranslation();
  const say = useToast();
  const [chosen, setChosen] = useState<DriverKind>(state.driver);
  const [typed, setTyped] = useState<SetTunnel>({});
  const saving = useMutation({
    mutationFn: () => call("set_tunnel", { ...typed, driver: chosen }),
    onSuccess: (fresh) => {
      queryClient.setQueryData(tunnel().queryKey, fresh);
      setTyped({});
      say(t("reach.chosen"));
    },
  });
  const fields = saving.error instanceof ApiError ? saving.error.fields : {};
  if (state.fixed) return <p>{t("reach.fixed")}</p>;
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        saving.mutate();
      }}
    >
      <fieldset className={styles.ways}>
        <legend className={setting.label}>{t("reach.choose")}</legend>
        {ways.map((way) => (
          <label key={way} className={styles.way}>
            <input
              type="radio"
              name="way"
              value={way}
              checked={chosen === way}
              onChange={() => {
                setChosen(way);
                saving.reset();
              }}
            />
            <span>
              <b>{t(`reach.ways.${way}.name`)}</b>
              <small>{t(`reach.ways.${way}.why`)}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <WayFields way={chosen} state={state} typed={typed} fields={fields} onTyped={setTyped} />
      {saving.isError && Object.keys(fields).length === 0 ? (
        <p className={setting.error} role="alert">
          {sentence(saving.error, t)}
        </p>
      ) : null}
      <div>
        <Button look="primary" type="submit" busy={saving.isPending}>
          {t(chosen === "off" ? "reach.switch_off" : "reach.use")}
        </Button>
      </div>
    </form>
  );
}
