import { useQuery } from "@tanstack/react-query";
import { connectors } from "../queries/connections";

/** The name people know a service by, from its kind: `telegram` → Telegram. */
export function useServiceName(): (kind: string) => string {
  const { data } = useQuery(connectors());
  return (kind) => data?.items.find((one) => one.kind === kind)?.name ?? kind;
}
