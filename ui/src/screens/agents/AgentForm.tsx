import { useMutation } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ChevronLeft, Trash2, TriangleAlert } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Agent } from "../../bindings";
import { ApiError, call } from "../../bridge";
import { Avatar } from "../../components/Avatar";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Switch } from "../../components/Switch";
import { useToast } from "../../components/Toast";
import { queryClient } from "../../queries/client";
import { sentence } from "../../words/error";
import { useFixedKeys } from "../useFixedKeys";
import styles from "./AgentForm.module.css";
import { type AgentErrors, draftOf, type Editing, keepEditing, keptEditing } from "./agentDraft";
import { ChannelAdditions } from "./ChannelAdditions";
import { Instructions } from "./Instructions";
import { ModelFields } from "./ModelFields";
import { SideChat } from "./SideChat";
import { StreamModes } from "./StreamModes";
import { ToolSwitches } from "./ToolSwitches";

/** The whole form of one agent, with the chat beside it. `first`: there is no other agent yet. */
export function AgentForm({ agent, start, first }: { agent: Agent | undefined; start: Editing; first: boolean }) {
  const { t } = useTranslation();
  const say = useToast();
  const navigate = useNavigate();
  const id = agent?.id ?? "new";
  const [editing, setEditing] = useState<Editing>(() => keptEditing(id) ?? start);
  const [standard, setStandard] = useState(agent?.default ?? first);
  const [errors, setErrors] = useState<AgentErrors>({});
  const [asking, setAsking] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const draft = draftOf(editing);
  const dirty = JSON.stringify(draft) !== JSON.stringify(draftOf(start)) || standard !== (agent?.default ?? first);

  useEffect(() => keepEditing(id, dirty ? editing : undefined), [id, dirty, editing]);
  useEffect(() => {
    if (Object.keys(errors).length > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [errors]);

  const change = (more: Partial<Editing>) => {
    setEditing((now) => ({ ...now, ...more }));
    setErrors({});
  };
  const save = useMutation({
    mutationFn: async () => {
      const wrong: AgentErrors = {};
      if (draft.name === "") wrong.name = t("form.required");
      if (!draft.connection) wrong.connection = t("agents.choose_model_first");
      if (Object.keys(wrong).length > 0) throw new ApiError("invalid", "", wrong);
      const saved = agent ? await call("update_agent", { id: agent.id, ...draft }) : await call("create_agent", draft);
      if (standard && !saved.default) await call("set_default_agent", { agent: saved.id });
      return saved;
    },
    onSuccess: (saved) => {
      keepEditing(id, undefined);
      void queryClient.invalidateQueries({ queryKey: ["agents"] });
      say(t("agents.saved", { name: saved.name }));
      if (agent === undefined) void navigate({ to: "/agents/$agent", params: { agent: saved.id }, replace: true });
    },
    onError: (cause) => {
      if (!(cause instanceof ApiError)) return;
      const fields = Object.entries(cause.fields).map(([name, text]) => [name.replace(/^settings[./]/, ""), text]);
      setErrors(Object.fromEntries(fields) as AgentErrors);
    },
  });
  const remove = useMutation({
    mutationFn: () => call("delete_agent", { id }),
    onSuccess: () => {
      keepEditing(id, undefined);
      void navigate({ to: "/agents" });
      void queryClient.invalidateQueries({ queryKey: ["agents"] });
      say(t("agents.deleted", { name: agent?.name ?? "" }));
    },
  });
  useFixedKeys({
    "mod+s": (event) => {
      event.preventDefault();
      if (!save.isPending) save.mutate();
    },
  });
  const general = save.isError && Object.keys(errors).length === 0 ? sentence(save.error, t) : undefined;

  return (
    <main className={styles.edit} id="main" tabIndex={-1}>
      <form
        ref={form}
        className={styles.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!save.isPending) save.mutate();
        }}
      >
        <Link to="/agents" className={styles.back}>
          <ChevronLeft size={16} strokeWidth={1.8} aria-hidden />
          {t("agents.title")}
        </Link>
        <header className={styles.head}>
          <Avatar name={editing.name} bot size={48} />
          <h1 className="grow" dir="auto">
            {editing.name || t("agents.new")}
          </h1>
        </header>

        <Field
          label={t("agents.name")}
          help={t("agents.name_help")}
          value={editing.name}
          error={errors.name}
          maxLength={60}
          autoFocus={agent === undefined}
          onChange={(event) => change({ name: event.target.value })}
        />
        <Instructions
          value={editing.instructions}
          error={errors.instructions}
          onValue={(instructions) => change({ instructions })}
        />
        <Section title={t("agents.by_channel")} text={t("agents.by_channel_text")}>
          <ChannelAdditions
            value={editing.channel_instructions}
            onValue={(channel_instructions) => change({ channel_instructions })}
          />
        </Section>
        <Section title={t("agents.model_title")} text={t("agents.model_text")}>
          <ModelFields editing={editing} errors={errors} onChange={change} />
        </Section>
        <Section title={t("agents.stream")} text={t("agents.stream_text")}>
          <StreamModes value={editing.stream_mode} onValue={(stream_mode) => change({ stream_mode })} />
        </Section>
        <Section title={t("agents.tools")} text={t("agents.tools_text")}>
          <ToolSwitches value={editing.tools} onValue={(tools) => change({ tools })} />
        </Section>
        <Standard checked={standard} locked={agent?.default === true || first} onChecked={setStandard} />
        {agent ? (
          <div>
            <Button look="danger" onClick={() => setAsking(true)}>
              <Trash2 size={16} strokeWidth={1.8} aria-hidden />
              {t("agents.delete")}
            </Button>
          </div>
        ) : null}

        <div className={styles.foot}>
          {general ? (
            <p className={styles.error} role="alert">
              <TriangleAlert size={16} strokeWidth={1.8} aria-hidden />
              {general}
            </p>
          ) : (
            <p className="grow muted" role="status">
              {dirty ? t("agents.unsaved") : agent ? t("agents.all_saved") : ""}
            </p>
          )}
          {dirty && agent ? (
            <Button
              size="lg"
              look="quiet"
              onClick={() => {
                setEditing(start);
                setStandard(agent.default ?? false);
                setErrors({});
                save.reset();
              }}
            >
              {t("agents.discard")}
            </Button>
          ) : null}
          <Button look="primary" size="lg" type="submit" busy={save.isPending} busyWord={t("common.saving")}>
            {t("common.save")}
          </Button>
        </div>
      </form>
      <SideChat agent={agent?.id} draft={draft} />
      <Dialog
        open={asking}
        onOpen={setAsking}
        title={t("agents.delete_title", { name: agent?.name ?? "" })}
        text={t("agents.delete_text")}
        actions={
          <>
            <Button onClick={() => setAsking(false)}>{t("common.cancel")}</Button>
            <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
              {t("agents.delete")}
            </Button>
          </>
        }
      >
        {remove.isError ? (
          <p className={styles.error} role="alert">
            {sentence(remove.error, t)}
          </p>
        ) : null}
      </Dialog>
    </main>
  );
}

function Section({ title, text, children }: { title: string; text: string; children: ReactNode }) {
  return (
    <section className={styles.section}>
      <h2>{title}</h2>
      <p className={styles.aside}>{text}</p>
      {children}
    </section>
  );
}

/** "Answers where no other agent is named": one agent always does. */
function Standard(props: { checked: boolean; locked: boolean; onChecked: (on: boolean) => void }) {
  const { t } = useTranslation();
  const id = useId();
  return (
    <div className={styles.standard}>
      <label htmlFor={id} className="grow">
        <b>{t("agents.be_default")}</b>
        <small>{t(props.locked ? "agents.is_default" : "agents.be_default_text")}</small>
      </label>
      <Switch id={id} checked={props.checked} disabled={props.locked} onChecked={props.onChecked} />
    </div>
  );
}
