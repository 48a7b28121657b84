/** What to send when a saved connection is changed: what was typed, and null for what was emptied. */
import { type FieldShape, isKept, toSend, type Values } from "../../components/schema-form/schema";

export function changesOf(fields: FieldShape[], before: Values, values: Values): Values {
  const out = toSend(fields, values);
  for (const field of fields) {
    const had = before[field.name];
    if (had === undefined || had === null) continue;
    if (field.kind === "group") {
      const inner = changesOf(field.fields, had as Values, (values[field.name] as Values | undefined) ?? {});
      if (Object.keys(inner).length > 0) out[field.name] = inner;
    } else if (!(field.name in out) && !isKept(values[field.name])) {
      // A secret is taken away by empty text, anything else by null.
      out[field.name] = field.kind === "secret" ? "" : null;
    }
  }
  return out;
}
