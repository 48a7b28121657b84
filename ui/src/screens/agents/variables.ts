import { useTranslation } from "react-i18next";

/** What the hub fills in where an agent's instructions say `{{name}}`. */
export const variables = ["shop.name", "customer.name", "channel", "date", "time", "weekday", "language"] as const;

/** The names in `text` that the hub would leave as they are, each once. */
export function unknownVariables(text: string): string[] {
  const names = [...text.matchAll(/\{\{(.*?)\}\}/gs)].map((found) => (found[1] ?? "").trim());
  return [...new Set(names)].filter((name) => !variables.some((known) => known === name));
}

/** The sentence about the unknown names in a text; nothing where it has none. */
export function useUnknownVariables(): (text: string) => string | undefined {
  const { t, i18n } = useTranslation();
  return (text) => {
    const unknown = unknownVariables(text);
    if (unknown.length === 0) return undefined;
    const all = (names: readonly string[]) =>
      new Intl.ListFormat(i18n.language, { type: "conjunction" }).format(names.map((name) => `{{${name}}}`));
    return t("agents.unknown_variable", { names: all(unknown), known: all(variables) });
  };
}
