/** Questions about labels. */
import { queryOptions } from "@tanstack/react-query";
import { call } from "../bridge";

/** Every label in use, the most used first. */
export const labels = () => queryOptions({ queryKey: ["labels"], queryFn: () => call("list_labels", {}) });
