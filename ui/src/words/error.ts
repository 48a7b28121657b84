import type { TFunction } from "i18next";
import { ApiError } from "../bridge";

/**
 * The sentence for a person: the hub's own words where it has some, else ours for the code.
 *
 * The hub's sentences say what happened, what it means and what to do; a code alone is only for problems on the way to it.
 */
export function sentence(error: unknown, t: TFunction): string {
  if (error instanceof ApiError) {
    if (error.message !== "") return error.message;
    if (error.code === "unreachable") return t("error.unreachable");
    if (error.code === "signed_out") return t("error.signed_out");
    if (error.code === "vault_locked") return t("error.vault_locked");
  }
  return t("error.unknown");
}
