/** Questions about what services told of their accounts. */
import { queryOptions } from "@tanstack/react-query";
import { call } from "../bridge";

/** What services told, the newest first: all of it, or what one connection's service told. */
export const notices = (connection?: string) =>
  queryOptions({
    queryKey: ["notices", connection ?? "all"],
    queryFn: () => call("list_notices", { connection: connection ?? null }),
  });
