import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { FlaskConical, UserPlus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { LabState } from "../bindings";
import { call, inWindow, openLab } from "../bridge";
import { Button } from "../components/Button";
import { ChannelMark } from "../components/ChannelMark";
import { CopyBox } from "../components/CopyBox";
import { EmptyState } from "../components/EmptyState";
import { Field } from "../components/Field";
import { Page } from "../components/Page";
import { Segmented } from "../components/Segmented";
import { health } from "../queries/hub";
import { labState } from "../queries/lab";
import { sentence } from "../words/error";
import styles from "./Lab.module.css";
import { Doing } from "./lab/Doing";
import { Phone } from "./lab/Phone";
import { Scripts } from "./lab/Scripts";
import { Weather } from "./lab/Weather";

/** A number that nobody has written from. */
const stranger = () => `55119${String(Math.floor(Math.random() * 1e8)).padStart(8, "0")}`;

/** The customer is played here, on every channel, and nobody real is reached. In a real shop this says how to open the Lab. */
export function Lab() {
  const { t } = useTranslation();
  const state = useQuery(health());
  const lab = useQuery({ ...labState(), enabled: state.data?.lab === true });

  if (state.data?.lab === false) return <Closed />;
  return (
    <Page title={t("lab.title")} lead={t("lab.lead")}>
      {lab.isError ? <p className={styles.bad}>{sentence(lab.error, t)}</p> : null}
      {lab.data ? <Open state={lab.data} /> : null}
    </Page>
  );
}

/** A real shop: the Lab is another Shopbell beside it. */
function Closed() {
  const { t } = useTranslation();
  const open = useMutation({ mutationFn: openLab });
  return (
    <Page title={t("lab.title")} lead={t("lab.lead")}>
      <div className={styles.closed}>
        <FlaskConical size={40} strokeWidth={1.6} aria-hidden />
        <p>{t("lab.closed")}</p>
        {inWindow ? (
          <>
            <Button look="primary" busy={open.isPending} onClick={() => open.mutate()}>
              {t("lab.open")}
            </Button>
            <p role="status" className={open.isError ? styles.bad : styles.help}>
              {open.isError ? sentence(open.error, t) : open.isSuccess ? t("lab.opening") : null}
            </p>
          </>
        ) : (
          <>
            <p>{t("lab.closed_app")}</p>
            <CopyBox text="shopbell --profile lab" label={t("lab.command_app")} />
            <p>{t("lab.closed_server")}</p>
            <CopyBox
              text="shopbell-server --lab --admin 127.0.0.1:7420 --public 127.0.0.1:7421"
              label={t("lab.command_server")}
            />
          </>
        )}
      </div>
    </Page>
  );
}

function Open({ state }: { state: LabState }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [chosen, setChosen] = useState<string>();
  const [name, setName] = useState("Clara Mendes");
  const [thread, setThread] = useState(stranger);
  const channel = state.channels.find((one) => one.connection === chosen) ?? state.channels[0];
  const again = () => client.invalidateQueries({ queryKey: ["lab"] });
  const add = useMutation({
    mutationFn: (connector: string) => call("lab_add_channel", { connector }),
    onSuccess: async (made) => {
      await again();
      setChosen(made.connection);
    },
  });
  const copy = useMutation({ mutationFn: () => call("lab_copy_agents", {}), onSuccess: again });
  const more =
    state.available.length === 0 ? null : (
      <select
        className={styles.add}
        aria-label={t("lab.add")}
        value=""
        disabled={add.isPending}
        onChange={(event) => add.mutate(event.target.value)}
      >
        <option value="">{t("lab.add")}</option>
        {state.available.map((one) => (
          <option key={one.connector} value={one.connector}>
            {one.name}
          </option>
        ))}
      </select>
    );
  const trouble = add.isError ? <p className={styles.bad}>{sentence(add.error, t)}</p> : null;

  if (channel === undefined)
    return (
      <>
        <EmptyState
          icon={<FlaskConical size={36} strokeWidth={1.6} aria-hidden />}
          title={t("lab.empty")}
          text={t("lab.empty_help")}
        >
          {more}
        </EmptyState>
        {trouble}
      </>
    );
  return (
    <div className={styles.lab}>
      <div className={styles.channels}>
        <Segmented
          label={t("lab.channel")}
          value={channel.connection}
          onValue={setChosen}
          choices={state.channels.map((one) => ({
            value: one.connection,
            label: (
              <span className={styles.channel}>
                <ChannelMark connector={one.connector} size={17} />
                {one.name}
              </span>
            ),
          }))}
        />
        {more}
        {trouble}
      </div>
      <Phone key={`${channel.connection} ${thread}`} channel={channel} name={name} thread={thread} />
      <Doing channel={channel} thread={thread} />
      <aside className={styles.side} aria-label={t("lab.settings")}>
        <section>
          <h2>{t("lab.customer")}</h2>
          <Field label={t("lab.name")} value={name} maxLength={120} onChange={(event) => setName(event.target.value)} />
          <Button size="sm" onClick={() => setThread(stranger())}>
            <UserPlus size={15} strokeWidth={1.8} aria-hidden />
            {t("lab.new_customer")}
          </Button>
        </section>
        <Weather key={channel.connection} channel={channel} />
        <Scripts channel={channel} name={name} thread={thread} />
        <section>
          <h2>{t("lab.agents")}</h2>
          <p className={styles.help}>{t("lab.agents_help")}</p>
          <Button size="sm" busy={copy.isPending} onClick={() => copy.mutate()}>
            {t("lab.copy_agents")}
          </Button>
          <p role="status" className={copy.isError ? styles.bad : styles.help}>
            {copy.isError
              ? sentence(copy.error, t)
              : copy.data
                ? t("lab.copied", { agents: copy.data.agents, documents: copy.data.documents })
                : null}
          </p>
        </section>
      </aside>
    </div>
  );
}
