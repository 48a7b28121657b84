import { useMutation } from "@tanstack/react-query";
import { FileText, Send } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { AgentDraft, Rehearsed } from "../../bindings";
import { call } from "../../bridge";
import { Button } from "../../components/Button";
import { Chip } from "../../components/Chip";
import { MarkdownText, PlainText } from "../../components/RichText";
import { sentence } from "../../words/error";
import styles from "./TryCard.module.css";

type Line = { role: "user"; text: string } | ({ role: "assistant" } & Rehearsed);
type Props = {
  shopName: string;
  /** The agent to ask, and what is different from how it is kept. */
  agent: string | undefined;
  draft?: AgentDraft | undefined;
  /** Why nothing can be asked yet. */
  notYet?: string | undefined;
};

/** Ask as a customer would. Nothing is kept and nobody is reached. */
export function TryCard({ shopName, agent, draft, notYet }: Props) {
  const { t } = useTranslation();
  const [lines, setLines] = useState<Line[]>([]);
  const [question, setQuestion] = useState("");
  const flow = useRef<HTMLDivElement>(null);
  const ask = useMutation({
    mutationFn: (said: Line[]) =>
      call("try_agent", {
        ...(agent === undefined ? {} : { agent }),
        ...(draft === undefined ? {} : { draft }),
        messages: said.map(({ role, text }) => ({ role, text })),
      }),
    onSuccess: (answer) => setLines((all) => [...all, { role: "assistant", ...answer }]),
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: every new line moves the end.
  useEffect(() => {
    if (flow.current !== null) flow.current.scrollTop = flow.current.scrollHeight;
  }, [lines, ask.isPending]);

  const send = (text: string) => {
    const words = text.trim();
    if (words === "" || ask.isPending || notYet !== undefined) return;
    const said: Line[] = [...lines, { role: "user", text: words }];
    setLines(said);
    setQuestion("");
    ask.mutate(said);
  };
  const ideas = [t("try.idea_1"), t("try.idea_2"), t("try.idea_3")];

  return (
    <section className={styles.card} aria-label={t("try.title")}>
      <header className={styles.head}>
        <img src="/bell.svg" alt="" width="34" height="34" />
        <div className="grow">
          <b className="cut">{shopName || t("try.your_shop")}</b>
          <small>{t("try.answers_from")}</small>
        </div>
        <span className={styles.preview}>{t("try.preview")}</span>
      </header>
      <div className={styles.flow} ref={flow} role="log" aria-label={t("try.title")} tabIndex={0}>
        {lines.length === 0 ? (
          <div className={styles.ideas}>
            <p>{notYet ?? t("try.ask_one")}</p>
            {notYet === undefined
              ? ideas.map((idea) => (
                  <button key={idea} type="button" onClick={() => send(idea)}>
                    {idea}
                  </button>
                ))
              : null}
          </div>
        ) : null}
        {lines.map((line, index) =>
          line.role === "user" ? (
            <div key={index} className={styles.mine}>
              <PlainText text={line.text} />
            </div>
          ) : (
            <div key={index} className={styles.answer}>
              <div className={styles.words}>
                <MarkdownText text={line.text} />
                {line.sources[0]?.quote && !says(line.text, line.sources[0].quote) ? (
                  <blockquote>“{line.sources[0].quote}”</blockquote>
                ) : null}
              </div>
              {line.sources.map((source) => (
                <span key={`${source.title}${source.location ?? ""}`} className={styles.source}>
                  <FileText size={13} strokeWidth={1.8} aria-hidden />
                  {[source.title, source.location].filter(Boolean).join(", ")}
                </span>
              ))}
            </div>
          ),
        )}
        {ask.isPending ? <Chip look="agent">{t("try.thinking")}</Chip> : null}
        {ask.isError ? (
          <p className={styles.error} role="alert">
            {sentence(ask.error, t)}{" "}
            <button type="button" className="link" onClick={() => ask.mutate(lines)}>
              {t("common.try_again")}
            </button>
          </p>
        ) : null}
      </div>
      <div className={styles.type}>
        <div>
          <input
            aria-label={t("try.ask")}
            placeholder={t("try.ask")}
            value={question}
            disabled={notYet !== undefined}
            maxLength={2000}
            onChange={(event) => setQuestion(event.target.value)}
            onKeyDown={(event) => {
              // Enter asks; it must not also send the form this card may stand in.
              if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
              event.preventDefault();
              send(question);
            }}
          />
          <Button
            look="primary"
            size="sm"
            icon
            onClick={() => send(question)}
            aria-label={t("try.send")}
            disabled={notYet !== undefined}
          >
            <Send size={15} strokeWidth={1.8} aria-hidden />
          </Button>
        </div>
      </div>
    </section>
  );
}

/** Does the answer hold the quote word for word, whatever marks stand between the words? */
function says(text: string, quote: string): boolean {
  const letters = (one: string) => one.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
  return letters(text).includes(letters(quote));
}
