/** Questions about agents. */
import { queryOptions } from "@tanstack/react-query";
import { call } from "../bridge";

/** Every agent of this hub. */
export const agents = () => queryOptions({ queryKey: ["agents"], queryFn: () => call("list_agents", {}) });

/** What an agent may do besides writing. */
export const tools = () => queryOptions({ queryKey: ["tools"], queryFn: () => call("list_tools", {}) });
