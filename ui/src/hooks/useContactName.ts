import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { Address } from "../bindings";

export type Called = { id: string; name: string; address?: Address | null | undefined };

/** Addresses that people know each other by. The others are numbers of a service, which say nothing to anybody. */
const known = new Set(["phone", "email", "username"]);
/** An address as people say it; `undefined` when it is only a number of its service. */
export const sayable = (address: Address | null | undefined): string | undefined =>
  address && known.has(address.scheme) ? address.value : undefined;

/**
 * What a contact is called: the name, else a phone number or an address, else (a website's visitor, mostly) a short sign that
 * tells them apart.
 */
export function useContactName(): (contact: Called) => string {
  const { t } = useTranslation();
  return useCallback(
    ({ id, name, address }) =>
      name.trim() || sayable(address) || t("inbox.nameless", { sign: id.slice(-4).toUpperCase() }),
    [t],
  );
}
