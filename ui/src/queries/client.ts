/**
 * What the screens remember of the hub's answers, and how a change makes them ask again.
 *
 * Every query key begins with a noun. A change of that noun invalidates it; a `reset` invalidates everything.
 */
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import type { ChangeKind } from "../bindings";
import { ApiError, type ChangeEvent } from "../bridge";

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

const nouns: Record<ChangeKind, string[][]> = {
  conversation: [["conversations"], ["counts"], ["conversation"], ["contact"]],
  message: [["conversations"], ["counts"], ["messages"]],
  delivery: [["messages"], ["conversations"], ["deliveries"]],
  connection: [["connections"], ["health"]],
  agent: [["agents"]],
  knowledge: [["knowledge"]],
  arrival: [["arrivals"]],
  turn: [["turns"], ["messages"]],
  contact: [["contact"], ["conversations"]],
  media: [["messages"]],
  settings: [["settings"], ["health"]],
  typing: [],
};

const waiting = new Map<string, string[]>();
let _timer: ReturnType<typeof setTimeout> | undefined;

/** Makes the screens ask again for what changed. A burst of changes becomes one question per noun. */
export function invalidate(event: ChangeEvent): void {
  if (event.type === "reset") {
    void queryClient.invalidateQueries();
    return;
  }
  if (event.type === "link") return;
  const { change } = event;
  const conversation = "conversation" in change ? change.conversation : undefined;
  for (const key of nouns[change.kind] ?? []) {
    const narrow = key[0] === "messages" && conversation ? [...key, conversation] : key;
    waiting.set(narrow.join("/"), narrow);
  }
  _timer ??= setTimeout(() => {
    _timer = undefined;
    const keys = [...waiting.values()];
    waiting.clear();
    for (const queryKey of keys) void queryClient.invalidateQueries({ queryKey });
  }, 60);
}
