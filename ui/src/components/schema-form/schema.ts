/**
 * Reads the JSON schema of a connection's settings: what kind of control each field wants, what is wrong with a value,
 * and what to send. No code is made from a schema, so that a strict content security policy holds; the hub checks again.
 */
import type { TFunction } from "i18next";
import type { JsonSchema } from "../../bindings";

export type Values = Record<string, unknown>;
/** One sentence per field; nested fields by path: `smtp.host`. */
export type FieldErrors = Record<string, string>;

export type FieldKind = "text" | "long" | "url" | "number" | "boolean" | "choice" | "secret" | "list" | "map" | "group";
export type FieldShape = {
  name: string;
  path: string;
  kind: FieldKind;
  title: string;
  help?: string | undefined;
  required: boolean;
  advanced: boolean;
  choices: { value: string; label: string }[];
  fields: FieldShape[];
  /** The values of a map are secrets. */
  secretValues: boolean;
  schema: JsonSchema;
};

/** The fields of an object schema, in the order of the schema. */
export function fieldsOf(schema: JsonSchema, root: JsonSchema = schema, before = ""): FieldShape[] {
  const object = resolve(schema, root);
  return Object.entries(object.properties ?? {}).map(([name, raw]) => {
    const own = resolve(raw, root);
    const path = before === "" ? name : `${before}.${name}`;
    const kind = kindOf(own);
    const values = typeof own.additionalProperties === "object" ? resolve(own.additionalProperties, root) : undefined;
    return {
      name,
      path,
      kind,
      title: own.title ?? words(name),
      help: own.description,
      required: object.required?.includes(name) ?? false,
      // Where the address is the service itself, it is no rarity.
      advanced: Boolean(own["x-advanced"]) || (name === "base_url" && !object.required?.includes(name)),
      choices: choicesOf(own),
      fields: kind === "group" ? fieldsOf(own, root, path) : [],
      secretValues: values?.writeOnly === true,
      schema: own,
    };
  });
}

/** Follows `$ref`, and takes the one real variant of an optional (`anyOf` with null); outer words win over inner ones. */
export function resolve(schema: JsonSchema, root: JsonSchema, depth = 0): JsonSchema {
  if (depth > 8) return schema;
  const { $ref, anyOf, allOf, ...rest } = schema;
  const inner =
    $ref !== undefined
      ? root.$defs?.[$ref.replace("#/$defs/", "")]
      : ((allOf?.length === 1 ? allOf[0] : undefined) ?? onlyVariant(anyOf));
  return inner === undefined ? schema : { ...resolve(inner, root, depth + 1), ...rest };
}

function onlyVariant(variants: JsonSchema[] | undefined): JsonSchema | undefined {
  const real = variants?.filter((one) => one.type !== "null") ?? [];
  return real.length === 1 ? real[0] : undefined;
}

function kindOf(schema: JsonSchema): FieldKind {
  const type = Array.isArray(schema.type) ? schema.type.find((one) => one !== "null") : schema.type;
  if (schema.writeOnly || schema.format === "password") return "secret";
  if (choicesOf(schema).length > 0) return "choice";
  if (type === "boolean") return "boolean";
  if (type === "number" || type === "integer") return "number";
  if (type === "array") return "list";
  if (type === "object" || schema.properties) return schema.properties ? "group" : "map";
  if (schema.format === "uri" || schema.format === "url") return "url";
  if (schema["x-multiline"]) return "long";
  return "text";
}

function choicesOf(schema: JsonSchema): { value: string; label: string }[] {
  if (schema.enum)
    return schema.enum.filter((one) => one !== null).map((one) => ({ value: String(one), label: words(String(one)) }));
  const consts = schema.oneOf?.filter((one) => one.const !== undefined) ?? [];
  return consts.map((one) => ({ value: String(one.const), label: one.title ?? words(String(one.const)) }));
}

/** `phone_number_id` → `Phone number id`: for a field whose schema has no title. */
function words(name: string): string {
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A secret that is kept reads back as `{"set": true}`. */
export const isKept = (value: unknown): boolean =>
  typeof value === "object" && value !== null && (value as { set?: unknown }).set === true;

/** What is at `path` of `values`. */
export function at(values: Values, path: string): unknown {
  let here: unknown = values;
  for (const step of path.split(".")) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Values)[step];
  }
  return here;
}

/** `values` with `value` at `path`; nothing of `values` itself is changed. */
export function withValue(values: Values, path: string, value: unknown): Values {
  const [step = "", ...rest] = path.split(".");
  if (rest.length === 0) return { ...values, [step]: value };
  const inner = values[step];
  return {
    ...values,
    [step]: withValue(typeof inner === "object" && inner !== null ? (inner as Values) : {}, rest.join("."), value),
  };
}

/** What is wrong with `values`, as far as can be told without the hub. */
export function check(fields: FieldShape[], values: Values, t: TFunction): FieldErrors {
  const errors: FieldErrors = {};
  for (const field of fields) {
    if (field.kind === "group") {
      const any = field.required || Object.values((at(values, field.path) as Values | undefined) ?? {}).some(filled);
      if (any) Object.assign(errors, check(field.fields, values, t));
      continue;
    }
    const wrong = checkOne(field, at(values, field.path), t);
    if (wrong !== undefined) errors[field.path] = wrong;
  }
  return errors;
}

/** What is wrong with one value; `undefined` when nothing is. */
export function checkOne(field: FieldShape, value: unknown, t: TFunction): string | undefined {
  if (!filled(value))
    return field.required && field.kind !== "boolean" && !hasDefault(field) ? t("form.required") : undefined;
  if (field.kind === "number") {
    const number = Number(value);
    if (!Number.isFinite(number)) return t("form.not_a_number");
    const { minimum, maximum } = field.schema;
    if (minimum !== undefined && number < minimum) return t("form.at_least", { least: minimum });
    if (maximum !== undefined && number > maximum) return t("form.at_most", { most: maximum });
  }
  if (field.kind === "url" && !/^https?:\/\/\S+$/i.test(String(value).trim())) return t("form.not_a_url");
  return undefined;
}

const hasDefault = (field: FieldShape) => field.schema.default !== undefined && field.schema.default !== null;

function filled(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return false;
  if (Array.isArray(value)) return value.some(filled);
  return typeof value !== "object" || Object.keys(value).length > 0;
}

/** What to send: kept secrets, empty fields and empty groups are left out; numbers are numbers. */
export function toSend(fields: FieldShape[], values: Values): Values {
  const out: Values = {};
  for (const field of fields) {
    const value = values[field.name];
    if (field.kind === "group") {
      const inner = toSend(field.fields, (value as Values | undefined) ?? {});
      if (field.required || Object.keys(inner).length > 0) out[field.name] = inner;
    } else if (field.kind === "map") {
      const entries = Object.entries((value as Values | undefined) ?? {}).filter(([key]) => key.trim() !== "");
      if (entries.length > 0) out[field.name] = Object.fromEntries(entries);
    } else if (field.kind === "list" && Array.isArray(value)) {
      // A line that was asked for and never filled in is none.
      const lines = value.map((one) => (typeof one === "string" ? one.trim() : one)).filter(filled);
      if (lines.length > 0) out[field.name] = lines;
    } else if (isKept(value) || !filled(value)) {
    } else if (field.kind === "number") {
      out[field.name] = Number(value);
    } else {
      out[field.name] = typeof value === "string" && field.kind !== "long" ? value.trim() : value;
    }
  }
  return out;
}

/** The hub names fields as `smtp.host`, `config.smtp.host` or `/smtp/host`; the form says `smtp.host`. */
export function normalErrors(errors: Record<string, string>): FieldErrors {
  return Object.fromEntries(
    Object.entries(errors).map(([name, text]) => [
      name
        .replace(/^\//, "")
        .replaceAll("/", ".")
        .replace(/^config\./, ""),
      text,
    ]),
  );
}
