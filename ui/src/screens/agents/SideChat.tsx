import { useMutation } from "@tanstack/react-query";
import { BookOpen, RotateCcw, Send } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { AgentDraft, Rehearsed } from "../../bindings";
import { call } from "../../bridge";
import { Avatar } from "../../components/Avatar";
import { Button } from "../../components/Button";
import { MarkdownText, PlainText } from "../../components/RichText";
import { sentence } from "../../words/error";
import styles from "./SideChat.module.css";
import { knownTitle } from "./ToolSwitches";

type Line = { id: number; role: "user" | "assistant"; text: string; answer?: Rehearsed };
type Props = { agent: string | undefined; draft: AgentDraft & { name: string } };

/** Talks to the agent as it stands in the form, saved or not. Nobody outside hears it. */
export function SideChat({ agent, draft }: Props) {
  const { t } = useTranslation();
  const [lines, setLines] = useState<Line[]>([]);
  const [text, setText] = useState("");
  const next = useRef(1);
  const end = useRef<HTMLDivElement>(null);
  const ask = useMutation({
    mutationFn: (asked: Line[]) =>
      call("try_agent", {
        agent: agent ?? null,
        draft,
        messages: asked.map((line) => ({ role: line.role, text: line.text })),
      }),
    onSuccess: (answer) =>
      setLines((all) => [...all, { id: next.current++, role: "assistant", text: answer.text, answer }]),
  });
  const count = lines.length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new line is what makes it scroll.
  useEffect(() => {
    // On a narrow window the whole screen would scroll down to an empty chat.
    if (count > 0) end.current?.scrollIntoView({ block: "nearest" });
  }, [count, ask.isPending, ask.isError]);

  const send = () => {
    const said = text.trim();
    if (said === "" || ask.isPending) return;
    const all = [...lines, { id: next.current++, role: "user" as const, text: said }];
    setLines(all);
    setText("");
    ask.mutate(all);
  };
  const name = draft.name || t("agents.the_agent");

  return (
    <aside className={styles.chat} data-pane tabIndex={-1} aria-label={t("agents.try", { name })}>
      <header className={styles.head}>
        <Avatar name={name} bot size={32} />
        <div className="grow">
          <h2 className="cut" dir="auto">
            {t("agents.try", { name })}
          </h2>
          <p>{t("agents.try_text")}</p>
        </div>
        {count > 0 ? (
          <Button
            look="quiet"
            size="sm"
            icon
            aria-label={t("agents.try_again")}
            onClick={() => {
              setLines([]);
              ask.reset();
            }}
          >
            <RotateCcw size={16} strokeWidth={1.8} aria-hidden />
          </Button>
        ) : null}
      </header>
      <div className={styles.flow} role="log" aria-label={t("agents.try_log")} tabIndex={0}>
        {count === 0 ? <p className={styles.hint}>{t("agents.try_hint")}</p> : null}
        {lines.map((line) => (
          <div key={line.id} className={line.role === "user" ? styles.asked : styles.answered}>
            <div className={styles.bubble}>
              {line.role === "user" ? <PlainText text={line.text} /> : <MarkdownText text={line.text} />}
              {line.answer && line.answer.choices.length > 0 ? (
                <div className={styles.choices}>
                  {line.answer.choices.map((choice) => (
                    <span key={choice.id}>{choice.label}</span>
                  ))}
                </div>
              ) : null}
            </div>
            {line.answer ? <Behind answer={line.answer} /> : null}
          </div>
        ))}
        {ask.isPending ? <p className={styles.wait}>{t("agents.thinking", { name })}</p> : null}
        {ask.isError ? (
          <p className={styles.error} role="alert">
            {sentence(ask.error, t)}{" "}
            <button type="button" className="link" onClick={() => ask.mutate(lines)}>
              {t("common.try_again")}
            </button>
          </p>
        ) : null}
        <div ref={end} />
      </div>
      <form
        className={styles.type}
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <textarea
          value={text}
          rows={2}
          dir="auto"
          placeholder={t("agents.try_placeholder")}
          aria-label={t("agents.try_placeholder")}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
            event.preventDefault();
            event.stopPropagation();
            send();
          }}
        />
        <Button look="primary" icon type="submit" aria-label={t("agents.ask")} busy={ask.isPending} busyWord="">
          <Send size={16} strokeWidth={1.8} aria-hidden />
        </Button>
      </form>
    </aside>
  );
}

/** What the answer stands on: where it was found, and what was done for it. */
function Behind({ answer }: { answer: Rehearsed }) {
  const { t } = useTranslation();
  return (
    <>
      {answer.sources.map((source) => (
        <details key={`${source.title}${source.location ?? ""}`} className={styles.source}>
          <summary>
            <BookOpen size={13} strokeWidth={1.8} aria-hidden />
            <span className="cut">{[source.title, source.location].filter(Boolean).join(", ")}</span>
          </summary>
          {source.quote ? (
            <blockquote dir="auto">
              <p>{source.quote}</p>
            </blockquote>
          ) : null}
        </details>
      ))}
      {answer.steps.length > 0 ? (
        <details className={styles.source}>
          <summary>{t("agents.steps", { count: answer.steps.length })}</summary>
          <ol className={styles.steps}>
            {answer.steps.map((step, n) => (
              <li key={n}>
                <b>{knownTitle(step.tool, t)}</b>
                {step.pretended ? <span>{t("agents.pretended")}</span> : null}
                <small dir="auto">{argumentWords(step.arguments)}</small>
                {step.result ? (
                  <small className={styles.result} dir="auto" title={step.result.slice(0, 2000)}>
                    {step.result}
                  </small>
                ) : null}
              </li>
            ))}
          </ol>
        </details>
      ) : null}
    </>
  );
}

/** `{"query":"bread","top_k":6}` → `query: bread, top_k: 6`; what is not JSON stays as the model wrote it. */
function argumentWords(text: string): string {
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read !== "object" || read === null) return text;
    return Object.entries(read)
      .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
      .join(", ");
  } catch {
    return text;
  }
}
