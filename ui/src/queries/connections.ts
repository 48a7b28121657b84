/** Questions about connections and the services they use. */
import { queryOptions } from "@tanstack/react-query";
import { call } from "../bridge";

/** Every connection of this hub. */
export const connections = () =>
  queryOptions({ queryKey: ["connections"], queryFn: () => call("list_connections", { limit: 200 }) });

/** Every kind of service that can be connected; changes only with the program. */
export const connectors = () =>
  queryOptions({
    queryKey: ["connectors"],
    queryFn: () => call("list_connectors", {}),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** Where the service calls us, by its own word. */
export const webhookState = (id: string) =>
  queryOptions({
    queryKey: ["connections", id, "webhook"],
    queryFn: () => call("webhook_state", { id }),
    retry: false,
  });

/** The models that a connection offers today. */
export const models = (connection: string) =>
  queryOptions({
    queryKey: ["models", connection],
    queryFn: () => call("list_models", { connection }),
    staleTime: 5 * 60_000,
    retry: false,
  });

/** The templates of a connection's account. */
export const templates = (connection: string) =>
  queryOptions({
    queryKey: ["templates", connection],
    queryFn: () => call("list_templates", { id: connection }),
    staleTime: 60_000,
    retry: false,
  });

/** The line to paste into the shop's website, and a page to try it on. */
export const snippet = (id: string) =>
  queryOptions({ queryKey: ["snippet", id], queryFn: () => call("website_snippet", { id }) });
