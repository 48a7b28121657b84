/** Reads one step of a turn, as the hub wrote it down, into what can be shown. */
import type { TurnStep } from "../../bindings";

/** `said` words, a tool asked for (`call`), begun, or what it gave back (`result`). */
export type Shown = { kind: "said" | "call" | "begun" | "result"; tool?: string; text?: string; details?: string };

export function shownOf(step: TurnStep): Shown[] {
  const body = typeof step.body === "object" && step.body !== null ? (step.body as Record<string, unknown>) : {};
  const kind = kinds.find((one) => one === step.kind) ?? "result";
  const text = [body.text, body.content].find((one): one is string => typeof one === "string" && one !== "");
  const tool = typeof body.name === "string" ? body.name : undefined;
  if (kind === "call" && Array.isArray(body.calls)) {
    const said: Shown[] = text ? [{ kind: "said", text }] : [];
    const calls = body.calls.filter((one): one is Record<string, unknown> => typeof one === "object" && one !== null);
    return [
      ...said,
      ...calls.map((one) => ({
        kind,
        ...(typeof one.name === "string" ? { tool: one.name } : {}),
        ...(one.arguments === undefined ? {} : { details: laidOut(one.arguments) }),
      })),
    ];
  }
  const shown: Shown = { kind, ...(tool ? { tool } : {}) };
  if (kind === "said") return [{ ...shown, text: text ?? "" }];
  if (text !== undefined) return [isJson(text) ? { ...shown, details: laidOut(text) } : { ...shown, text }];
  const { step: _, call_id: __, name: ___, ...rest } = body;
  return [Object.keys(rest).length > 0 ? { ...shown, details: laidOut(rest) } : shown];
}

const kinds = ["said", "call", "begun", "result"] as const;

function isJson(text: string): boolean {
  return /^\s*[[{]/.test(text);
}

function laidOut(value: unknown): string {
  try {
    return JSON.stringify(typeof value === "string" ? JSON.parse(value) : value, null, 2);
  } catch {
    return String(value);
  }
}
