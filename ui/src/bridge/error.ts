/** Why the hub did not do what was asked: a code to branch on, a sentence for the person, one sentence per wrong field. */
export class ApiError extends Error {
  readonly code: string;
  readonly fields: Record<string, string>;

  constructor(code: string, message: string, fields: Record<string, string> = {}) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.fields = fields;
  }
}

/** Reads `{code,message,fields?}`, alone or under `error`, as both hosts send it; anything else becomes `unknown`. */
export function apiError(answer: unknown, fallback = "unknown"): ApiError {
  const outer = isRecord(answer) ? answer : {};
  const inner = isRecord(outer.error) ? outer.error : outer;
  const code = typeof inner.code === "string" ? inner.code : fallback;
  const message = typeof inner.message === "string" ? inner.message : typeof answer === "string" ? answer : "";
  const fields: Record<string, string> = {};
  if (isRecord(inner.fields)) {
    for (const [name, sentence] of Object.entries(inner.fields)) fields[name] = String(sentence);
  }
  return new ApiError(code, message, fields);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
