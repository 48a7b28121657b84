import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Field, SelectField, TextField } from "../Field";
import { SecretField } from "../SecretField";
import { Switch } from "../Switch";
import { ListControl, MapControl } from "./ListControl";
import styles from "./SchemaForm.module.css";
import { type FieldShape, isKept } from "./schema";

export type ControlProps = {
  field: FieldShape;
  value: unknown;
  error: string | undefined;
  onValue: (value: unknown) => void;
  onLeave: () => void;
  suggestions?: string[] | undefined;
};

/** One field of a schema form. A kind that is not known falls to a line of text. */
export function SchemaControl({ field, value, error, onValue, onLeave, suggestions }: ControlProps) {
  const { t } = useTranslation();
  const id = useId();
  // A kept secret may be replaced and then left as it was after all.
  const [keptOnce, setKeptOnce] = useState(isKept(value));
  if (!keptOnce && isKept(value)) setKeptOnce(true);
  const frame = { label: field.title, help: field.help, error, optional: !field.required, name: field.path };
  const text = typeof value === "string" || typeof value === "number" ? String(value) : "";
  const fallback = field.schema.default;
  const example = field.schema.examples?.[0];
  const hint =
    example !== undefined
      ? String(example)
      : fallback !== undefined && fallback !== null
        ? String(fallback)
        : undefined;

  switch (field.kind) {
    case "secret": {
      const saved = isKept(value);
      return (
        <SecretField
          {...frame}
          saved={keptOnce}
          value={saved ? undefined : text}
          onValue={(next) => onValue(next === undefined ? { set: true } : next)}
          onBlur={onLeave}
        />
      );
    }
    case "boolean":
      return (
        <div className={styles.switch}>
          <Switch id={id} checked={typeof value === "boolean" ? value : fallback === true} onChecked={onValue} />
          <label htmlFor={id}>
            {field.title}
            {field.help ? <small>{field.help}</small> : null}
            {error ? <span className={styles.error}>{error}</span> : null}
          </label>
        </div>
      );
    case "choice": {
      const chosen = text !== "" ? text : typeof fallback === "string" ? fallback : "";
      const options =
        chosen === "" || !field.required ? [{ value: "", label: t("form.choose") }, ...field.choices] : field.choices;
      return (
        <SelectField
          {...frame}
          options={options}
          value={chosen}
          onChange={(event) => onValue(event.target.value)}
          onBlur={onLeave}
        />
      );
    }
    case "long":
      return <TextField {...frame} value={text} onChange={(event) => onValue(event.target.value)} onBlur={onLeave} />;
    case "number":
      return (
        <Field
          {...frame}
          value={text}
          inputMode="decimal"
          placeholder={hint}
          onChange={(event) => onValue(event.target.value)}
          onBlur={onLeave}
        />
      );
    case "list":
      return <ListControl field={field} value={value} error={error} onValue={onValue} onLeave={onLeave} />;
    case "map":
      return <MapControl field={field} value={value} error={error} onValue={onValue} onLeave={onLeave} />;
    default:
      return (
        <Field
          {...frame}
          value={text}
          suggestions={suggestions}
          type={field.kind === "url" ? "url" : "text"}
          placeholder={hint}
          maxLength={field.schema.maxLength}
          spellCheck={false}
          onChange={(event) => onValue(event.target.value)}
          onBlur={onLeave}
        />
      );
  }
}
