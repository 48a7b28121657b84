import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Button } from "../components/Button";
import { EmptyState } from "../components/EmptyState";
import { Page } from "../components/Page";
import { Skeleton } from "../components/Skeleton";
import { agents, tools } from "../queries/agents";
import { connections, connectors } from "../queries/connections";
import { sentence } from "../words/error";
import { AgentForm } from "./agents/AgentForm";
import { type Editing, editingOf, usual } from "./agents/agentDraft";

/** Changes an agent (`/agents/agt_…`) or makes one (`/agents/new`). */
export function AgentEdit() {
  const { t } = useTranslation();
  const { agent: id } = useParams({ strict: false });
  const list = useQuery(agents());
  const kinds = useQuery(connectors());
  const yours = useQuery(connections());
  const known = useQuery(tools());
  const failed = [list, kinds, yours].find((one) => one.isError);

  if (failed)
    return (
      <Page title={t("agents.title")}>
        <EmptyState title={t("agents.unread")} text={sentence(failed.error, t)}>
          <Button onClick={() => void failed.refetch()}>{t("common.try_again")}</Button>
        </EmptyState>
      </Page>
    );
  if (!list.data || !kinds.data || !yours.data || (id === "new" && known.isPending))
    return (
      <Page title={t("agents.title")}>
        <Skeleton rows={6} />
      </Page>
    );

  const agent = list.data.items.find((one) => one.id === id);
  if (agent === undefined && id !== "new")
    return (
      <Page title={t("agents.title")}>
        <EmptyState title={t("agents.gone")}>
          <Link to="/agents" className="link">
            {t("agents.all")}
          </Link>
        </EmptyState>
      </Page>
    );

  const modelKinds = new Set(kinds.data.items.filter((one) => one.type === "Agent").map((one) => one.kind));
  const start: Editing = agent
    ? editingOf(agent)
    : {
        name: "",
        instructions: "",
        channel_instructions: {},
        connection: yours.data.items.find((one) => modelKinds.has(one.connector))?.id ?? null,
        model: "",
        settings: { ...usual },
        tools: known.data?.items.filter((one) => one.usual).map((one) => one.name) ?? [],
        stream_mode: "full",
      };
  return <AgentForm key={agent?.id ?? "new"} agent={agent} start={start} first={list.data.items.length === 0} />;
}
