import { Link } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Agent, Connection } from "../../bindings";
import { Avatar } from "../../components/Avatar";
import { ChannelMark } from "../../components/ChannelMark";
import { Chip } from "../../components/Chip";
import { money } from "../../words/money";
import styles from "./AgentCard.module.css";

type Props = { agent: Agent; model: Connection | undefined; channels: Connection[] };

/** One agent: its model, where it answers, today's turns and what they cost. */
export function AgentCard({ agent, model, channels }: Props) {
  const { t, i18n } = useTranslation();
  const turns = agent.turns_today ?? 0;
  return (
    <article className={`card ${styles.card}`}>
      <div className="row">
        <Avatar name={agent.name} bot size={40} />
        <div className="grow">
          <h2 className="cut" dir="auto">
            <Link to="/agents/$agent" params={{ agent: agent.id }} className={styles.name}>
              {agent.name}
            </Link>
          </h2>
          <p className={`${styles.model} cut`}>
            {model ? [model.name, agent.model].filter(Boolean).join(" · ") : t("agents.without_model")}
          </p>
        </div>
        {agent.default ? <Chip look="agent">{t("agents.default")}</Chip> : null}
      </div>
      <p className={styles.says} dir="auto">
        {agent.instructions || t("agents.no_instructions")}
      </p>
      <div className={styles.foot}>
        {channels.length > 0 ? (
          <ul className={styles.channels} aria-label={t("agents.answers_on")}>
            {channels.slice(0, 6).map((one) => (
              <li key={one.id} title={one.name}>
                <ChannelMark connector={one.connector} size={20} />
                <span className="sr-only">{one.name}</span>
              </li>
            ))}
          </ul>
        ) : (
          <span className="row">
            <TriangleAlert size={15} strokeWidth={1.8} aria-hidden />
            {t("agents.nowhere")}
          </span>
        )}
        <span className="grow" />
        <span className="num">
          {turns === 0
            ? t("agents.no_turns")
            : [t("agents.turns", { count: turns }), money(agent.cost_today_micro_usd ?? 0, i18n.language, t)].join(
                " · ",
              )}
        </span>
      </div>
    </article>
  );
}
