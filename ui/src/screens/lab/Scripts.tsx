import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, Play, Plus, Trash2, X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { LabChannel, LabMessage, LabRun, LabScript, LabStep } from "../../bindings";
import { call } from "../../bridge";
import { Button } from "../../components/Button";
import { labScripts, labThread } from "../../queries/lab";
import { sentence } from "../../words/error";
import { wordsOf } from "./Phone";
import styles from "./Scripts.module.css";

/** How long a script waits for each answer. */
const PATIENCE = 30;

/** What was said on the phone as a script: the same words, and the same answers expected. */
export function scriptOf(messages: LabMessage[]): LabStep[] {
  const steps: LabStep[] = [];
  messages.forEach((message, index) => {
    const text = wordsOf(message);
    if (text === "") return;
    if (message.side === "customer") {
      steps.push({ do: "say", text });
      return;
    }
    // Only the first answer is waited for; the next ones come with it.
    if (messages[index - 1]?.side === "customer") steps.push({ do: "wait_for_answer", seconds: PATIENCE });
    steps.push({ do: "expect_text", contains: text });
  });
  steps.push({ do: "expect_no_double" });
  return steps;
}

/** Customers that can be played again, each a test. */
export function Scripts({ channel, name, thread }: { channel: LabChannel; name: string; thread: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const list = useQuery(labScripts());
  const phone = useQuery(labThread(channel.connection, thread));
  const messages = phone.data?.messages ?? [];
  const first = messages.find((one) => one.side === "customer" && wordsOf(one) !== "");
  const again = () => client.invalidateQueries({ queryKey: ["lab", "scripts"] });
  const keep = useMutation({
    mutationFn: (opening: string) =>
      call("lab_save_script", {
        name: opening.slice(0, 60),
        connector: channel.connector,
        customer: name.trim() || t("lab.customer"),
        weather: channel.weather,
        steps: scriptOf(messages),
      }),
    onSuccess: again,
  });

  return (
    <section>
      <h2>{t("lab.scripts")}</h2>
      <p className={styles.help}>{t("lab.scripts_help")}</p>
      <Button
        size="sm"
        disabled={first === undefined}
        busy={keep.isPending}
        onClick={() => (first ? keep.mutate(wordsOf(first)) : undefined)}
      >
        <Plus size={15} strokeWidth={1.8} aria-hidden />
        {t("lab.keep_script")}
      </Button>
      {keep.isError ? <p className={styles.bad}>{sentence(keep.error, t)}</p> : null}
      <ul className={styles.list} aria-label={t("lab.scripts")}>
        {(list.data?.items ?? []).map((one) => (
          <Script key={one.id} script={one} onGone={again} />
        ))}
      </ul>
    </section>
  );
}

function Script({ script, onGone }: { script: LabScript; onGone: () => void }) {
  const { t } = useTranslation();
  const [result, setResult] = useState<LabRun>();
  const id = script.id ?? "";
  const run = useMutation({
    mutationFn: () => call("lab_run_script", { id }),
    onMutate: () => setResult(undefined),
    onSuccess: setResult,
  });
  const remove = useMutation({ mutationFn: () => call("lab_delete_script", { id }), onSuccess: onGone });
  const error = run.error ?? remove.error;
  return (
    <li>
      <div className={styles.row}>
        <span className="cut">{script.name}</span>
        <Button size="sm" busy={run.isPending} busyWord={t("lab.running")} onClick={() => run.mutate()}>
          <Play size={14} strokeWidth={1.8} aria-hidden />
          {t("lab.run")}
        </Button>
        <Button
          size="sm"
          look="quiet"
          icon
          aria-label={t("lab.delete_script", { name: script.name })}
          onClick={() => remove.mutate()}
        >
          <Trash2 size={15} strokeWidth={1.8} aria-hidden />
        </Button>
      </div>
      <div role="status">
        {result ? (
          <>
            <p className={result.ok ? styles.good : styles.bad}>{t(result.ok ? "lab.run_ok" : "lab.run_failed")}</p>
            <ol className={styles.steps}>
              {result.steps.map((step, index) => (
                <li key={index} data-ok={step.ok}>
                  {step.ok ? (
                    <Check size={14} strokeWidth={2} aria-label={t("lab.step_ok")} />
                  ) : (
                    <X size={14} strokeWidth={2} aria-label={t("lab.step_failed")} />
                  )}
                  <span>
                    <b>{t(`lab.step.${script.steps[index]?.do ?? "say"}`)}</b> {step.found}
                  </span>
                </li>
              ))}
            </ol>
          </>
        ) : null}
        {error ? <p className={styles.bad}>{sentence(error, t)}</p> : null}
      </div>
    </li>
  );
}
