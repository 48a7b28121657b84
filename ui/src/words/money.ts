/** What something cost, from micro-dollars: the smallest sums are not rounded to nothing. */
import type { TFunction } from "i18next";

export function money(microUsd: number, language: string, t: TFunction): string {
  if (microUsd === 0) return t("activity.free");
  const dollars = microUsd / 1_000_000;
  return new Intl.NumberFormat(language, {
    style: "currency",
    currency: "USD",
    maximumFractionDigits: dollars < 0.01 ? 5 : dollars < 1 ? 3 : 2,
  }).format(dollars);
}
