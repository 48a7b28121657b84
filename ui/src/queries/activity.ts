/** Questions about what rang, what goes out and how agents answered. Newest first. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { DeliveryFilter, Verdict } from "../bindings";
import { call } from "../bridge";

const paging = {
  initialPageParam: null as string | null,
  getNextPageParam: (page: { next: string | null }) => page.next,
};

export const arrivals = (filter: { verdict?: Verdict | undefined; connection?: string | undefined }) =>
  infiniteQueryOptions({
    queryKey: ["arrivals", filter],
    queryFn: ({ pageParam }) =>
      call("list_arrivals", {
        verdict: filter.verdict ?? null,
        connection: filter.connection ?? null,
        cursor: pageParam,
        limit: 100,
      }),
    ...paging,
  });

/** One arrival, raw. */
export const arrival = (id: string) =>
  queryOptions({ queryKey: ["arrivals", id, "raw"], queryFn: () => call("get_arrival", { id }) });

export const refusals = () =>
  infiniteQueryOptions({
    queryKey: ["arrivals", "refused"],
    queryFn: ({ pageParam }) => call("list_refusals", { cursor: pageParam, limit: 100 }),
    ...paging,
  });

export const deliveries = (filter: { status?: DeliveryFilter | undefined; connection?: string | undefined }) =>
  infiniteQueryOptions({
    queryKey: ["deliveries", filter],
    queryFn: ({ pageParam }) =>
      call("list_deliveries", {
        status: filter.status ?? null,
        connection: filter.connection ?? null,
        cursor: pageParam,
        limit: 100,
      }),
    ...paging,
  });

export const turns = (conversation?: string) =>
  infiniteQueryOptions({
    queryKey: ["turns", { conversation }],
    queryFn: ({ pageParam }) =>
      call("list_turns", { conversation: conversation ?? null, cursor: pageParam, limit: conversation ? 50 : 100 }),
    ...paging,
  });

/** One answer, step by step. */
export const turn = (id: string) => queryOptions({ queryKey: ["turns", id], queryFn: () => call("get_turn", { id }) });
