/** Questions about the Lab. Phones and counts are asked for again and again: nothing announces what a stand-in received. */
import { queryOptions } from "@tanstack/react-query";
import { call } from "../bridge";

/** How often a phone looks. */
const LOOK = 700;

export const labState = () => queryOptions({ queryKey: ["lab"], queryFn: () => call("lab_state", {}) });

/** One customer's phone, and what the hub did. */
export const labThread = (connection: string, thread: string) =>
  queryOptions({
    queryKey: ["lab", "thread", connection, thread],
    queryFn: () => call("lab_thread", { connection, thread }),
    refetchInterval: LOOK,
  });

export const labCounts = () =>
  queryOptions({ queryKey: ["lab", "counts"], queryFn: () => call("lab_counts", {}), refetchInterval: LOOK });

export const labScripts = () =>
  queryOptions({ queryKey: ["lab", "scripts"], queryFn: () => call("lab_list_scripts", {}) });
