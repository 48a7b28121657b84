import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Agent } from "../../bindings";
import { call } from "../../bridge";
import { Field } from "../../components/Field";
import { Segmented } from "../../components/Segmented";
import { sentence } from "../../words/error";
import { StepFrame } from "./StepFrame";
import styles from "./Steps.module.css";

type Tone = "warm" | "brief" | "formal";
type Props = {
  agent: Agent | undefined;
  onName: (name: string) => void;
  onBack: () => void;
  onNext: () => void;
  children?: ReactNode;
};

/** Step 3: meet the agent, give it a name and a tone, ask it. */
export function AgentStep({ agent, onName, onBack, onNext, children }: Props) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState<string | undefined>();
  const [tone, setTone] = useState<Tone | undefined>();
  const shown = name ?? agent?.name ?? t("first_run.agent_default");

  const save = useMutation({
    mutationFn: async () => {
      const called = shown.trim() || t("first_run.agent_default");
      // The shop's name stays a gap, which the hub fills in: it may change.
      const instructions = t(`first_run.instructions_${tone ?? "warm"}`, { name: called, shop: "{{shop.name}}" });
      // What an agent is told already stays, unless another tone is chosen here.
      const words = { name: called, ...(agent !== undefined && tone === undefined ? {} : { instructions }) };
      if (agent !== undefined) return call("update_agent", { id: agent.id, ...words });
      const { items } = await call("list_connections", { limit: 200 });
      const own = items.find((one) => one.connector === "built-in");
      const connection =
        own?.id ??
        (await call("create_connection", { connector: "built-in", name: t("first_run.built_in"), config: {} })).id;
      const made = await call("create_agent", { ...words, connection });
      await call("set_default_agent", { agent: made.id });
      return made;
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["agents"] });
      onNext();
    },
  });

  return (
    <StepFrame
      title={t("first_run.agent_title")}
      lead={t("first_run.agent_lead")}
      onBack={onBack}
      onNext={() => save.mutate()}
      busy={save.isPending}
      error={save.isError ? sentence(save.error, t) : undefined}
    >
      <Field
        label={t("first_run.agent_name")}
        help={t("first_run.agent_name_help")}
        value={shown}
        maxLength={60}
        autoComplete="off"
        onChange={(event) => {
          setName(event.target.value);
          onName(event.target.value);
        }}
      />
      <div>
        <span className={styles.label}>{t("first_run.tone")}</span>
        <Segmented<Tone>
          label={t("first_run.tone")}
          value={tone ?? "warm"}
          onValue={setTone}
          choices={(["warm", "brief", "formal"] as const).map((value) => ({
            value,
            label: t(`first_run.tone_${value}`),
          }))}
        />
        <p className="muted" style={{ marginTop: 8 }}>
          {t("first_run.tone_help")}
        </p>
      </div>
      {children}
    </StepFrame>
  );
}
