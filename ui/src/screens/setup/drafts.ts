/**
 * What was typed into the form of a new connection, kept on this computer until it is saved.
 *
 * Secrets are left out: they go to the vault when the connection is saved, and nowhere before that.
 */
import type { FieldShape, Values } from "../../components/schema-form/schema";

export type Draft = { name: string; agent: string | null; values: Values; step: number };

const key = (connector: string) => `shopbell.draft.${connector}`;

export function readDraft(connector: string): Draft | undefined {
  try {
    const kept = localStorage.getItem(key(connector));
    if (kept === null) return undefined;
    const draft = JSON.parse(kept) as Partial<Draft>;
    return { name: draft.name ?? "", agent: draft.agent ?? null, values: draft.values ?? {}, step: draft.step ?? 0 };
  } catch {
    return undefined;
  }
}

/** True when it was kept: storage can be switched off. */
export function keepDraft(connector: string, draft: Draft, fields: FieldShape[]): boolean {
  try {
    const values = withoutSecrets(draft.values, fields);
    localStorage.setItem(key(connector), JSON.stringify({ ...draft, values }));
    return true;
  } catch {
    return false;
  }
}

export function dropDraft(connector: string): void {
  try {
    localStorage.removeItem(key(connector));
  } catch {
    // Nothing was kept where nothing can be removed.
  }
}

/** How far somebody came with the steps goes on with the connection that was made. */
export function keepStep(connection: string, step: number): void {
  try {
    if (step > 0) localStorage.setItem(`shopbell.step.${connection}`, String(step));
  } catch {
    // The steps begin at the first one where nothing can be kept.
  }
}

/** `values` without anything secret, at any depth. */
export function withoutSecrets(values: Values, fields: FieldShape[]): Values {
  const out: Values = {};
  for (const field of fields) {
    const value = values[field.name];
    if (value === undefined || field.kind === "secret" || (field.kind === "map" && field.secretValues)) continue;
    out[field.name] = field.kind === "group" ? withoutSecrets((value as Values | null) ?? {}, field.fields) : value;
  }
  return out;
}
