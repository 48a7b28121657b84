/** Questions about the hub itself. */
import { queryOptions } from "@tanstack/react-query";
import { call } from "../bridge";

/** Is the hub well: vault, receiving or not, how far the first run is. */
export const health = () =>
  queryOptions({ queryKey: ["health"], queryFn: () => call("health", {}), staleTime: 10_000, retry: 1 });

/** The shop's own settings. */
export const settings = () => queryOptions({ queryKey: ["settings"], queryFn: () => call("get_settings", {}) });

/** The copies of this shop: the last good one, and why the last attempt came to nothing. */
export const backups = () => queryOptions({ queryKey: ["backups"], queryFn: () => call("get_backups", {}) });

/** The sealed files that lie where people keep such things. */
export const foundBackups = () =>
  queryOptions({ queryKey: ["backups", "found"], queryFn: () => call("find_backups", {}) });
