/** What the screens remember of the hub's answers. Every query key begins with a noun; `changes.ts` makes them ask again. */
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError } from "../bridge";

/** A vault that was locked meanwhile changes the whole window: the screens ask again how the hub is. */
function onError(error: unknown): void {
  if (error instanceof ApiError && error.code === "vault_locked")
    void queryClient.invalidateQueries({ queryKey: ["health"] });
}

export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 2 && error instanceof ApiError && error.code === "unreachable",
    },
  },
});
