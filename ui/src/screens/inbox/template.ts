import type { Template } from "../../bindings";

/** The gaps that are still empty, by key. */
export function blanks(template: Template, values: Record<string, string>): string[] {
  return template.gaps.filter((gap) => (values[gap.key] ?? "").trim() === "").map((gap) => gap.key);
}

/** How a template reads with what is filled in so far; an empty gap stays visible as its name. */
export function filled(template: Template, values: Record<string, string>): string {
  const part = (text: string, place: string) =>
    template.gaps
      .filter((gap) => gap.kind === "text" && gap.key.startsWith(`${place}.`))
      .reduce((all, gap) => all.replaceAll(`{{${gap.label}}}`, values[gap.key]?.trim() || `{{${gap.label}}}`), text);
  return [part(template.header ?? "", "header"), part(template.body, "body"), template.footer ?? ""]
    .filter((text) => text !== "")
    .join("\n\n");
}

/** Whether a template is meant by these words. */
export function matches(template: Template, words: string): boolean {
  const sought = words.trim().toLowerCase();
  return [template.name, template.body, template.language].some((text) => text.toLowerCase().includes(sought));
}
