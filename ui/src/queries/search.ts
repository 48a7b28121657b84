/** Looking for people and words in everything that was said. */
import { queryOptions } from "@tanstack/react-query";
import { call } from "../bridge";

/** What has `words` in it: people first. */
export const found = (words: string) =>
  queryOptions({
    queryKey: ["search", words],
    queryFn: () => call("search", { query: words, limit: 20 }),
    staleTime: 10_000,
  });
