/** How a connection stands, from evidence alone, and which of them wants its owner first. */
import type { Connection, Connector } from "../../bindings";

/** `proven` needs evidence of the last hour; older evidence is `stale`. `ready` has no outside service to prove. */
export type ConnectionState =
  | "failing"
  | "needs_sign_in"
  | "draft"
  | "stale"
  | "untried"
  | "paused"
  | "proven"
  | "ready";

const hour = 3_600_000;
const order: ConnectionState[] = ["failing", "needs_sign_in", "draft", "untried", "stale", "paused", "proven", "ready"];

export function stateOf(connection: Connection, connector: Connector | undefined, now: number): ConnectionState {
  if (connection.status !== "active") return connection.status;
  const proven = connection.last_proven_at ?? undefined;
  if (proven !== undefined) return now - proven < hour ? "proven" : "stale";
  return connector?.auth === "none" ? "ready" : "untried";
}

/** Does it want something from its owner? */
export const wantsOwner = (state: ConnectionState): boolean => state === "failing" || state === "needs_sign_in";

/** Worst first; among equals the newest proof last, then by name. */
export function worstFirst<T extends { connection: Connection; state: ConnectionState }>(list: T[]): T[] {
  return [...list].sort(
    (one, other) =>
      order.indexOf(one.state) - order.indexOf(other.state) || one.connection.name.localeCompare(other.connection.name),
  );
}
