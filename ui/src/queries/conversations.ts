/** Questions about conversations, their messages and the people in them. */
import { type InfiniteData, infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { ConversationRow, ConversationStatus, OwnerFilter, Page } from "../bindings";
import { call } from "../bridge";
import { queryClient } from "./client";

export type ConversationFilter = {
  owner?: OwnerFilter | undefined;
  status?: ConversationStatus | undefined;
  label?: string | undefined;
  connection?: string | undefined;
  query?: string | undefined;
};

/** The conversations of the list, newest first. */
export const conversations = (filter: ConversationFilter) =>
  infiniteQueryOptions({
    queryKey: ["conversations", filter],
    queryFn: ({ pageParam }) =>
      call("list_conversations", {
        owner: filter.owner ?? null,
        status: filter.status ?? null,
        label: filter.label ?? null,
        connection: filter.connection ?? null,
        query: filter.query || null,
        cursor: pageParam,
        limit: 100,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });

/** How many need a person, are mine, are the agent's. */
export const conversationCounts = () =>
  queryOptions({ queryKey: ["counts"], queryFn: () => call("count_conversations", {}) });

/** One conversation; at once as it stands in the list, if it does. */
export const conversation = (id: string) =>
  queryOptions({
    queryKey: ["conversation", id],
    queryFn: () => call("get_conversation", { conversation: id }),
    placeholderData: () =>
      queryClient
        .getQueriesData<InfiniteData<Page<ConversationRow>>>({ queryKey: ["conversations"] })
        .flatMap(([, list]) => list?.pages.flatMap((page) => page.items) ?? [])
        .find((row) => row.id === id),
  });

/** What was and what may be told to the advertising of a conversation. */
export const conversions = (id: string) =>
  queryOptions({ queryKey: ["conversions", id], queryFn: () => call("list_conversions", { conversation: id }) });

/** Who is at the other end. */
export const contact = (id: string) =>
  queryOptions({ queryKey: ["contact", id], queryFn: () => call("get_contact", { contact: id }) });
