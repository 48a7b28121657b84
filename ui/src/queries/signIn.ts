/** Questions about signing in at services in the browser. */
import { queryOptions } from "@tanstack/react-query";
import type { BegunSignIn, SignInRow } from "../bindings";
import { call } from "../bridge";

/** The sign-in that was begun for a connection, kept while its owner is in the browser; it is never asked for. */
export const begunKey = (connection: string) => ["begun", connection];
export const begunSignIn = (connection: string) =>
  queryOptions<BegunSignIn | null>({
    queryKey: begunKey(connection),
    queryFn: () => null,
    initialData: null,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 15 * 60_000,
    enabled: false,
  });

const isMoving = (row: SignInRow | undefined) =>
  row === undefined || row.status === "waiting" || row.status === "trading" || row.status === "settling";

/** Where a sign-in stands; asked again while something may still happen to it. */
export const signInState = (flow: string) =>
  queryOptions({
    queryKey: ["connections", "sign-in", flow],
    queryFn: () => call("get_sign_in", { flow }),
    refetchInterval: ({ state }) => (isMoving(state.data) ? 1500 : false),
    retry: false,
  });

/** How every connection is signed in to, until when, and when that is renewed. */
export const signIns = () =>
  queryOptions({
    queryKey: ["connections", "sign-ins"],
    queryFn: () => call("list_sign_ins", {}),
    refetchInterval: 60_000,
  });
