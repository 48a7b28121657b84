/** Questions about what agents may quote. */
import { queryOptions } from "@tanstack/react-query";
import { call } from "../bridge";

/** Every document. */
export const knowledge = () => queryOptions({ queryKey: ["knowledge"], queryFn: () => call("list_knowledge", {}) });

/** What the documents can answer so far. */
export const coverage = () =>
  queryOptions({ queryKey: ["knowledge", "coverage"], queryFn: () => call("knowledge_coverage", {}) });

/** Questions that nothing in the documents answers. */
export const unanswered = () =>
  queryOptions({ queryKey: ["knowledge", "unanswered"], queryFn: () => call("list_unanswered", {}) });
