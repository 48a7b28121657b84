import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import { CornerDownRight, MessageSquare, Wrench } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { TurnSummary } from "../../bindings";
import { Button } from "../../components/Button";
import { Skeleton } from "../../components/Skeleton";
import { turn } from "../../queries/activity";
import { sentence } from "../../words/error";
import { money } from "../../words/money";
import { fullTime } from "../../words/time";
import { knownTitle } from "../agents/ToolSwitches";
import styles from "./Open.module.css";
import { Facts } from "./RefusalOpen";
import { type Shown, shownOf } from "./steps";

/** One answer of an agent: what it took, and each step. */
export function TurnOpen({ id }: { id: string }) {
  const { t, i18n } = useTranslation();
  const whole = useQuery(turn(id));
  if (whole.isError)
    return (
      <>
        <p className={styles.reason}>{sentence(whole.error, t)}</p>
        <div>
          <Button onClick={() => void whole.refetch()}>{t("common.try_again")}</Button>
        </div>
      </>
    );
  if (whole.data === undefined) return <Skeleton rows={4} height={53} />;
  const one = whole.data;
  const number = new Intl.NumberFormat(i18n.language);
  const facts: [string, string][] = [
    [t("activity.fact.status"), t(`activity.turn_status.${one.status}`)],
    [t("activity.fact.began"), fullTime(one.started_at ?? one.wanted_at, i18n.language)],
  ];
  if (one.started_at && one.ended_at)
    facts.push([t("activity.fact.took"), t("activity.ms", { ms: number.format(one.ended_at - one.started_at) })]);
  facts.push(
    [
      t("activity.fact.tokens"),
      t(one.usage.estimated ? "activity.tokens_about" : "activity.tokens_in_out", {
        read: number.format(one.usage.input_tokens),
        written: number.format(one.usage.output_tokens),
      }),
    ],
    [t("activity.fact.cost"), money(one.cost_micro_usd, i18n.language, t)],
  );

  return (
    <>
      <header className={styles.head}>
        <h2 className={`${styles.title} grow`} dir="auto">
          {t("activity.turn_of", { name: one.agent_name ?? t("agents.the_agent") })}
        </h2>
        <Link to="/inbox/$conversation" params={{ conversation: one.conversation }} className="link">
          {t("activity.open_conversation")}
        </Link>
      </header>
      {one.error ? <p className={styles.reason}>{one.error}</p> : null}
      <Facts facts={facts} />
      {one.steps.length === 0 ? (
        <p className={styles.small}>{one.summary ? gone(one.summary, t) : t("activity.no_steps")}</p>
      ) : (
        <ol className={styles.steps}>
          {one.steps.flatMap((step, n) =>
            shownOf(step).map((shown, part) => (
              <Step key={`${n}.${part}`} shown={shown} took={part === 0 ? step.took_ms : 0} />
            )),
          )}
        </ol>
      )}
    </>
  );
}

/** What is left of an answer whose steps are not kept any more. */
function gone(summary: TurnSummary, t: TFunction): string {
  const tools = [...new Set(summary.tools)].map((name) => knownTitle(name, t) ?? name).join(", ");
  const said = t("activity.steps_gone", { count: summary.said });
  return tools === "" ? said : `${said} ${t("activity.steps_gone_tools", { tools })}`;
}

function Step({ shown, took }: { shown: Shown; took: number }) {
  const { t } = useTranslation();
  const Icon = shown.kind === "said" ? MessageSquare : shown.kind === "result" ? CornerDownRight : Wrench;
  const tool = shown.tool === undefined ? undefined : knownTitle(shown.tool, t);
  return (
    <li>
      <span className={styles.dot}>
        <Icon size={13} strokeWidth={1.9} aria-hidden />
      </span>
      <b>{[t(`activity.step.${shown.kind}`), tool].filter(Boolean).join(": ")}</b>
      <span className={`${styles.ms} num`}>{took > 0 ? t("activity.ms", { ms: took }) : ""}</span>
      {shown.text ? <p dir="auto">{shown.text}</p> : null}
      {shown.details ? <pre tabIndex={0}>{shown.details}</pre> : null}
    </li>
  );
}
