import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Avatar } from "../components/Avatar";
import { Button } from "../components/Button";
import { EmptyState } from "../components/EmptyState";
import { Page } from "../components/Page";
import { Skeleton } from "../components/Skeleton";
import { useKey } from "../keys/KeysProvider";
import { agents } from "../queries/agents";
import { connections, connectors } from "../queries/connections";
import { sentence } from "../words/error";
import { AgentCard } from "./agents/AgentCard";
import styles from "./agents/AgentCard.module.css";

/** Who answers, with which model, where, and what that took today. */
export function Agents() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const list = useQuery(agents());
  const yours = useQuery(connections());
  const kinds = useQuery(connectors());
  const modelKinds = new Set(kinds.data?.items.filter((one) => one.type === "Agent").map((one) => one.kind));
  const known = yours.data !== undefined && kinds.data !== undefined;
  const models = yours.data?.items.filter((one) => modelKinds.has(one.connector)) ?? [];
  const blocked = known && models.length === 0;
  const make = () => void navigate({ to: "/agents/$agent", params: { agent: "new" } });
  useKey("new_agent", make, !blocked);

  return (
    <Page
      title={t("agents.title")}
      lead={t("agents.lead")}
      actions={
        list.data && list.data.items.length > 0 && !blocked ? (
          <Button look="primary" onClick={make}>
            <Plus size={16} strokeWidth={1.8} aria-hidden />
            {t("agents.add")}
          </Button>
        ) : null
      }
    >
      {list.isError ? (
        <EmptyState title={t("agents.unread")} text={sentence(list.error, t)}>
          <Button onClick={() => void list.refetch()}>{t("common.try_again")}</Button>
        </EmptyState>
      ) : list.data === undefined || !known ? (
        <Skeleton rows={3} height={140} />
      ) : blocked ? (
        <EmptyState
          icon={<Avatar name="Nina" bot size={64} />}
          title={t("agents.no_model")}
          text={t("agents.no_model_text")}
        >
          <Link to="/connections/new/$connector" params={{ connector: "built-in" }} className={styles.action}>
            {t("agents.use_built_in")}
          </Link>
          <Link to="/connections" className="link">
            {t("agents.other_models")}
          </Link>
        </EmptyState>
      ) : list.data.items.length === 0 ? (
        <EmptyState icon={<Avatar name="Nina" bot size={64} />} title={t("agents.empty")} text={t("agents.empty_text")}>
          <Button look="primary" onClick={make}>
            {t("agents.add")}
          </Button>
        </EmptyState>
      ) : (
        <div className={styles.cards}>
          {list.data.items.map((agent) => (
            <AgentCard
              key={agent.id}
              agent={agent}
              model={yours.data.items.find((one) => one.id === agent.connection)}
              channels={yours.data.items.filter(
                (one) =>
                  kinds.data.items.find((kind) => kind.kind === one.connector)?.type === "Channel" &&
                  (one.agent === agent.id || (!one.agent && agent.default)),
              )}
            />
          ))}
        </div>
      )}
    </Page>
  );
}
