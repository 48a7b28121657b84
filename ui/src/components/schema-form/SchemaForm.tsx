import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { JsonSchema } from "../../bindings";
import { SchemaControl } from "./SchemaControl";
import styles from "./SchemaForm.module.css";
import { at, checkOne, type FieldErrors, type FieldShape, fieldsOf, type Values, withValue } from "./schema";

type Props = {
  schema: JsonSchema;
  values: Values;
  onValues: (values: Values) => void;
  /** One sentence per field, by path. A new object moves the focus to the first of them. */
  errors?: FieldErrors;
  /** Values to choose from while typing, by path: the models that a service offers today. */
  suggestions?: Record<string, string[]> | undefined;
};

/**
 * The form of a connection, drawn from its schema: groups and order as there, rare fields and the service's address under
 * "Advanced". A field is checked when it is left, never while it is typed in.
 */
export function SchemaForm({ schema, values, onValues, errors = none, suggestions }: Props) {
  const { t } = useTranslation();
  const fields = fieldsOf(schema);
  const plain = fields.filter((field) => !field.advanced);
  const rare = fields.filter((field) => field.advanced);
  const form = useRef<HTMLDivElement>(null);
  const [left, setLeft] = useState<FieldErrors>({});
  const [open, setOpen] = useState(false);
  const names = Object.keys(errors);
  const rareWrong = rare.some((field) =>
    names.some((name) => name === field.path || name.startsWith(`${field.path}.`)),
  );

  useEffect(() => {
    const names = Object.keys(errors);
    if (names.length === 0) return;
    setLeft({});
    const places = [...(form.current?.querySelectorAll<HTMLElement>("[data-path]") ?? [])];
    const first = places.find((place) => names.includes(place.dataset.path ?? ""));
    first?.closest("details")?.setAttribute("open", "");
    first?.querySelector<HTMLElement>("input, textarea, select, button")?.focus();
  }, [errors]);

  const draw = (field: FieldShape) => {
    if (field.kind === "group") {
      return (
        <fieldset key={field.path} className={styles.group}>
          <legend>
            {field.title}
            {field.required ? null : <span className={styles.optional}> {t("form.optional")}</span>}
          </legend>
          {field.help ? <p className={styles.help}>{field.help}</p> : null}
          <div className={styles.grid}>{field.fields.map(draw)}</div>
        </fieldset>
      );
    }
    return (
      <div key={field.path} data-path={field.path} className={isWide(field) ? styles.wide : undefined}>
        <SchemaControl
          field={field}
          suggestions={suggestions?.[field.path]}
          value={at(values, field.path)}
          error={left[field.path] ?? errors[field.path]}
          onValue={(value) => {
            onValues(withValue(values, field.path, value));
            if (left[field.path] !== undefined) setLeft(({ [field.path]: _, ...rest }) => rest);
          }}
          onLeave={() => {
            const value = at(values, field.path);
            const wrong = value === undefined || value === "" ? undefined : checkOne(field, value, t);
            setLeft(({ [field.path]: _, ...rest }) => (wrong === undefined ? rest : { ...rest, [field.path]: wrong }));
          }}
        />
      </div>
    );
  };

  const first = names[0] === undefined ? "" : (errors[names[0]] ?? "");
  return (
    <div ref={form} className={styles.form}>
      <div className="sr-only" role="alert">
        {names.length > 0 ? t("form.errors", { count: names.length, first }) : ""}
      </div>
      <div className={styles.grid}>{plain.map(draw)}</div>
      {rare.length > 0 ? (
        <details
          className={styles.fold}
          open={open || rareWrong}
          onToggle={(event) => setOpen(event.currentTarget.open)}
        >
          <summary>
            {t("form.advanced")} <span>{rare.map((field) => field.title).join(", ")}</span>
          </summary>
          <div className={styles.grid}>{rare.map(draw)}</div>
        </details>
      ) : null}
    </div>
  );
}

const none: FieldErrors = {};
const isWide = (field: FieldShape) => ["secret", "long", "list", "map", "url"].includes(field.kind);
