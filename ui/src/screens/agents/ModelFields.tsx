import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { AgentSettings } from "../../bindings";
import { Field, SelectField } from "../../components/Field";
import { connections, connectors, models } from "../../queries/connections";
import { sentence } from "../../words/error";
import styles from "./AgentForm.module.css";
import { type AgentErrors, type Editing, usual } from "./agentDraft";

type Props = { editing: Editing; errors: AgentErrors; onChange: (change: Partial<Editing>) => void };
const numbers = ["max_tokens", "history", "max_tool_calls", "max_seconds", "answer_within_hours"] as const;

/** With which model the agent thinks, how freely, and how far it may go. */
export function ModelFields({ editing, errors, onChange }: Props) {
  const { t } = useTranslation();
  const kinds = useQuery(connectors());
  const yours = useQuery(connections());
  const modelKinds = new Set(kinds.data?.items.filter((one) => one.type === "Agent").map((one) => one.kind));
  const choices = yours.data?.items.filter((one) => modelKinds.has(one.connector)) ?? [];
  const chosen = choices.find((one) => one.id === editing.connection);
  const keyless = kinds.data?.items.find((one) => one.kind === chosen?.connector)?.auth === "none";
  const offered = useQuery({ ...models(editing.connection ?? ""), enabled: chosen !== undefined && !keyless });
  const set = (name: keyof AgentSettings, text: string) =>
    onChange({ settings: { ...editing.settings, [name]: text === "" ? null : Number(text) } });
  const temperature = editing.settings.temperature ?? usual.temperature;

  return (
    <div className={styles.grid}>
      <SelectField
        label={t("agents.model_connection")}
        help={
          choices.length === 0 ? (
            <>
              {t("agents.choose_model_first")}{" "}
              <Link to="/connections" className="link">
                {t("agents.to_connections")}
              </Link>
            </>
          ) : undefined
        }
        error={errors.connection}
        value={editing.connection ?? ""}
        onChange={(event) => onChange({ connection: event.target.value || null, model: "" })}
        options={[
          ...(chosen ? [] : [{ value: "", label: t("form.choose") }]),
          ...choices.map((one) => ({ value: one.id, label: one.name })),
        ]}
      />
      {keyless ? (
        <p className={styles.aside}>{t("agents.keyless")}</p>
      ) : (
        <Field
          label={t("agents.model")}
          optional
          help={offered.isError ? sentence(offered.error, t) : t("agents.model_help")}
          error={errors.model}
          value={editing.model}
          spellCheck={false}
          suggestions={offered.data?.items.map((one) => one.id)}
          onChange={(event) => onChange({ model: event.target.value })}
        />
      )}
      {keyless ? null : (
        <div className={styles.range}>
          <label htmlFor="temperature">{t("agents.temperature")}</label>
          <div className="row">
            <input
              id="temperature"
              type="range"
              min={0}
              max={2}
              step={0.1}
              value={temperature}
              aria-describedby="temperature-help"
              onChange={(event) => set("temperature", event.target.value)}
            />
            <output htmlFor="temperature" className="num">
              {temperature.toFixed(1)}
            </output>
          </div>
          <small id="temperature-help">
            {t(
              temperature < 0.4
                ? "agents.temperature_low"
                : temperature <= 1
                  ? "agents.temperature_mid"
                  : "agents.temperature_high",
            )}
          </small>
        </div>
      )}
      {numbers
        .filter((name) => !(keyless && name === "max_tokens"))
        .map((name) => (
          <Field
            key={name}
            label={t(`agents.limit.${name}`)}
            help={t(`agents.limit_help.${name}`)}
            error={errors[name]}
            inputMode="numeric"
            placeholder={String(usual[name])}
            value={editing.settings[name] ?? ""}
            onChange={(event) => {
              if (/^\d{0,7}$/.test(event.target.value)) set(name, event.target.value);
            }}
          />
        ))}
    </div>
  );
}
