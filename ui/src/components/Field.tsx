import { TriangleAlert } from "lucide-react";
import { type InputHTMLAttributes, type ReactNode, type Ref, useId } from "react";
import { useTranslation } from "react-i18next";
import styles from "./Field.module.css";

type FrameProps = {
  label: ReactNode;
  /** One line below the field; an error takes its place. */
  help?: ReactNode;
  error?: string | undefined;
  optional?: boolean;
  /** Draws the control; give it the ids, so that label, help and error are read with it. */
  children: (ids: { id: string; describedBy: string | undefined; invalid: boolean }) => ReactNode;
};

/** Label above, control, help or error below. */
export function FieldFrame({ label, help, error, optional, children }: FrameProps) {
  const { t } = useTranslation();
  const id = useId();
  const below = `${id}-below`;
  return (
    <div className={styles.field}>
      <label htmlFor={id}>
        {label}
        {optional ? <span className={styles.optional}> {t("form.optional")}</span> : null}
      </label>
      {children({ id, describedBy: error || help ? below : undefined, invalid: Boolean(error) })}
      {error ? (
        <span className={styles.error} id={below}>
          <TriangleAlert size={15} strokeWidth={1.8} aria-hidden />
          {error}
        </span>
      ) : help ? (
        <small id={below}>{help}</small>
      ) : null}
    </div>
  );
}

type Props = Omit<InputHTMLAttributes<HTMLInputElement>, "id"> & {
  label: ReactNode;
  help?: ReactNode;
  error?: string | undefined;
  optional?: boolean;
  /** Something inside the box, on its right. */
  after?: ReactNode;
  before?: ReactNode;
  /** Offered while typing; anything else may be typed as well. */
  suggestions?: string[] | undefined;
  ref?: Ref<HTMLInputElement>;
};

/** One line of text. */
export function Field({ label, help, error, optional, after, before, suggestions, className, ...rest }: Props) {
  return (
    <FieldFrame label={label} help={help} error={error} optional={optional}>
      {({ id, describedBy, invalid }) => (
        <div className={`${styles.input} ${invalid ? styles.bad : ""}`}>
          {before}
          <input
            {...rest}
            id={id}
            className={className}
            aria-invalid={invalid || undefined}
            aria-describedby={describedBy}
            list={suggestions ? `${id}-list` : undefined}
          />
          {suggestions ? (
            <datalist id={`${id}-list`}>
              {suggestions.map((one) => (
                <option key={one} value={one} />
              ))}
            </datalist>
          ) : null}
          {after}
        </div>
      )}
    </FieldFrame>
  );
}

/** Several lines of text. */
export function TextField({
  label,
  help,
  error,
  optional,
  rows = 4,
  ...rest
}: Omit<React.TextareaHTMLAttributes<HTMLTextAreaElement>, "id"> & {
  label: ReactNode;
  help?: ReactNode;
  error?: string | undefined;
  optional?: boolean;
  ref?: Ref<HTMLTextAreaElement>;
}) {
  return (
    <FieldFrame label={label} help={help} error={error} optional={optional}>
      {({ id, describedBy, invalid }) => (
        <textarea
          {...rest}
          rows={rows}
          id={id}
          className={`${styles.textarea} ${invalid ? styles.bad : ""}`}
          aria-invalid={invalid || undefined}
          aria-describedby={describedBy}
        />
      )}
    </FieldFrame>
  );
}

/** One of a few. A native list: it is readable by every assistive tool and never leaves the window. */
export function SelectField({
  label,
  help,
  error,
  optional,
  options,
  ...rest
}: Omit<React.SelectHTMLAttributes<HTMLSelectElement>, "id"> & {
  label: ReactNode;
  help?: ReactNode;
  error?: string | undefined;
  optional?: boolean;
  options: { value: string; label: string }[];
}) {
  return (
    <FieldFrame label={label} help={help} error={error} optional={optional}>
      {({ id, describedBy, invalid }) => (
        <div className={`${styles.input} ${styles.select} ${invalid ? styles.bad : ""}`}>
          <select {...rest} id={id} aria-invalid={invalid || undefined} aria-describedby={describedBy}>
            {options.map((option) => (
              <option key={option.value} value={option.value}>
                {option.label}
              </option>
            ))}
          </select>
        </div>
      )}
    </FieldFrame>
  );
}
