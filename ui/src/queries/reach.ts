/** Questions about the public address and about what services were told of it. */
import { queryOptions } from "@tanstack/react-query";
import { call } from "../bridge";

/** How the public address is made, how it is, and which ones there were. */
export const tunnel = () => queryOptions({ queryKey: ["tunnel"], queryFn: () => call("tunnel_state", {}) });

/** Where each service was told to call, and whether the way from it is whole. */
export const registrations = () =>
  queryOptions({ queryKey: ["registrations"], queryFn: async () => (await call("list_registrations", {})).items });
