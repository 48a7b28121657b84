import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Connection, Connector, TestResult } from "../../bindings";
import { call } from "../../bridge";
import { agents } from "../../queries/agents";
import { queryClient } from "../../queries/client";
import { connections, webhookState } from "../../queries/connections";
import { health } from "../../queries/hub";
import { sentence } from "../../words/error";
import type { Evidence } from "./evidence";

/** How far back is looked: what is older says little about today. */
const limit = 50;

/** Where messages are fetched, nobody has to be told an address. */
export const isCalled = (connector: Connector, mode: unknown): boolean =>
  Boolean(connector.channel?.webhook) && (mode ?? connector.schema.properties?.mode?.default) !== "polling";

/** Asks the service and our own store about a connection; what comes in meanwhile shows at once. `undefined` until our own store has answered. */
export function useEvidence(
  connector: Connector,
  connection: Connection | undefined,
  test: TestResult | undefined,
): { evidence: Evidence | undefined; failed: unknown; asking: boolean; again: () => void } {
  const { t } = useTranslation();
  const id = connection?.id ?? "";
  const wanted = connection !== undefined && connector.type === "Channel";
  const called = isCalled(connector, connection?.config.mode);
  const hook = useQuery({ ...webhookState(id), enabled: wanted && called });
  const hub = useQuery({ ...health(), enabled: wanted });
  const all = useQuery({ ...connections(), enabled: wanted });
  const people = useQuery({ ...agents(), enabled: wanted });
  const came = useQuery({
    queryKey: ["arrivals", "path", id],
    queryFn: () => call("list_arrivals", { connection: id, limit }),
    enabled: wanted,
  });
  const refused = useQuery({
    queryKey: ["arrivals", "path", "refused"],
    queryFn: () => call("list_refusals", { limit }),
    enabled: wanted && called,
  });
  const said = useQuery({
    queryKey: ["conversations", "path", id],
    queryFn: () => call("list_conversations", { connection: id, limit: 1 }),
    enabled: wanted,
  });
  const went = useQuery({
    queryKey: ["deliveries", "path", id],
    queryFn: () => call("list_deliveries", { connection: id, limit }),
    enabled: wanted,
  });
  const conversation = said.data?.items[0];
  const turns = useQuery({
    queryKey: ["turns", "path", conversation?.id ?? ""],
    queryFn: () => call("list_turns", { conversation: conversation?.id ?? null, limit: 1 }),
    enabled: conversation !== undefined,
  });

  const own = [hub, all, people, came, said, went];
  const again = () => {
    for (const noun of ["arrivals", "conversations", "deliveries", "turns", "connections", "health", "agents"])
      void queryClient.invalidateQueries({ queryKey: [noun] });
  };
  const failed = [...own, refused, turns].find((one) => one.isError)?.error;
  const asking = hook.isFetching;
  const turnsKnown = conversation === undefined || turns.data !== undefined;
  const refusalsKnown = !called || refused.data !== undefined;
  if (connection === undefined || own.some((one) => one.data === undefined) || !turnsKnown || !refusalsKnown)
    return { evidence: undefined, failed, asking, again };
  const agent =
    people.data?.items.find((one) => one.id === connection.agent) ?? people.data?.items.find((one) => one.default);
  return {
    failed,
    asking,
    again,
    evidence: {
      connector,
      connection,
      called,
      health: hub.data,
      test,
      hook: hook.data,
      hookTrouble: hook.isError ? sentence(hook.error, t) : undefined,
      agent,
      model: all.data?.items.find((one) => one.id === agent?.connection),
      arrivals: came.data?.items ?? [],
      refusal: refused.data?.items.find((one) => one.connection === connection.id),
      conversation,
      turn: turns.data?.items[0],
      deliveries: went.data?.items ?? [],
    },
  };
}
