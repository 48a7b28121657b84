/** Why a delivery did not leave. */
import type { TFunction } from "i18next";

/** The hub's own reasons are names; a service's reason is a sentence already. */
export function deliveryReason(reason: string | null | undefined, t: TFunction): string | null {
  switch (reason) {
    case "taken_over":
    case "connection_deleted":
      return t(`kept_back.${reason}`);
    default:
      return reason || null;
  }
}
