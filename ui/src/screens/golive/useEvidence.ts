import { type InfiniteData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Connection, Connector, Page, TestResult } from "../../bindings";
import { arrivals, deliveries, refusals, turns } from "../../queries/activity";
import { agents } from "../../queries/agents";
import { queryClient } from "../../queries/client";
import { connections, webhookState } from "../../queries/connections";
import { conversations } from "../../queries/conversations";
import { health } from "../../queries/hub";
import { sentence } from "../../words/error";
import type { Evidence } from "./evidence";

/** The first page of a list: what is older says little about today. */
const newest = <T>(list: InfiniteData<Page<T>> | undefined): T[] => list?.pages[0]?.items ?? [];

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
  const came = useInfiniteQuery({ ...arrivals({ connection: id }), enabled: wanted });
  const refused = useInfiniteQuery({ ...refusals(), enabled: wanted && called });
  const said = useInfiniteQuery({ ...conversations({ connection: id }), enabled: wanted });
  const went = useInfiniteQuery({ ...deliveries({ connection: id }), enabled: wanted });
  const conversation = newest(said.data)[0];
  const answers = useInfiniteQuery({ ...turns(conversation?.id), enabled: conversation !== undefined });

  const own = [hub, all, people, came, said, went];
  const again = () => {
    for (const noun of ["arrivals", "conversations", "deliveries", "turns", "connections", "health", "agents"])
      void queryClient.invalidateQueries({ queryKey: [noun] });
  };
  const failed = [...own, refused, answers].find((one) => one.isError)?.error;
  const asking = hook.isFetching;
  const turnsKnown = conversation === undefined || answers.data !== undefined;
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
      arrivals: newest(came.data),
      refusal: newest(refused.data).find((one) => one.connection === connection.id),
      conversation,
      turn: newest(answers.data)[0],
      deliveries: newest(went.data),
    },
  };
}
