import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { agents } from "../queries/agents";

/** The name of an agent by its id; "Agent" until it is known. */
export function useAgentName(): (id: string | null | undefined, said?: string | null) => string {
  const { t } = useTranslation();
  const { data } = useQuery(agents());
  return (id, said) => said || data?.items.find((one) => one.id === id)?.name || t("common.agent");
}
