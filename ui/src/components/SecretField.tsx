import { Eye, EyeOff, Lock } from "lucide-react";
import { type ReactNode, type Ref, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./Button";
import { Chip } from "./Chip";
import { FieldFrame } from "./Field";
import styles from "./Field.module.css";

type Props = {
  label: ReactNode;
  help?: ReactNode;
  error?: string | undefined;
  optional?: boolean;
  /** A secret is kept already. It can be replaced, never read back. */
  saved?: boolean;
  /** When it was kept, in words. */
  savedAt?: string | undefined;
  /** `undefined`: leave what is kept as it is. */
  value: string | undefined;
  onValue: (value: string | undefined) => void;
  onBlur?: () => void;
  name?: string;
  autoComplete?: string;
  ref?: Ref<HTMLInputElement>;
};

/** A key, token or password: masked while typed, sealed once saved. */
export function SecretField(props: Props) {
  const { t } = useTranslation();
  const { label, help, error, optional, saved, savedAt, value, onValue, onBlur, name, autoComplete = "off" } = props;
  const [shown, setShown] = useState(false);
  const kept = saved && value === undefined;
  const word = typeof label === "string" ? label : "";

  return (
    <FieldFrame label={label} help={help ?? t("form.sealed")} error={error} optional={optional}>
      {({ id, describedBy, invalid }) => (
        <div className={`${styles.input} ${kept ? styles.secret : ""} ${invalid ? styles.bad : ""}`}>
          <Lock size={16} strokeWidth={1.8} aria-hidden />
          {kept ? (
            <>
              <input
                id={id}
                className="mono"
                value="••••••••••••••••••"
                readOnly
                aria-describedby={describedBy}
                ref={props.ref}
              />
              <Chip small>{savedAt ? t("form.saved_at", { at: savedAt }) : t("form.saved")}</Chip>
              <Button size="sm" onClick={() => onValue("")} aria-label={t("form.replace_what", { what: word })}>
                {t("form.replace")}
              </Button>
            </>
          ) : (
            <>
              <input
                id={id}
                className="mono"
                name={name}
                type={shown ? "text" : "password"}
                autoComplete={autoComplete}
                spellCheck={false}
                value={value ?? ""}
                onChange={(event) => onValue(event.target.value)}
                onBlur={onBlur}
                aria-invalid={invalid || undefined}
                aria-describedby={describedBy}
                ref={props.ref}
              />
              {saved ? (
                <Button size="sm" look="quiet" onClick={() => onValue(undefined)}>
                  {t("form.keep_saved")}
                </Button>
              ) : null}
              <Button
                size="sm"
                look="quiet"
                icon
                aria-pressed={shown}
                aria-label={t(shown ? "form.hide_what" : "form.show_what", { what: word })}
                onClick={() => setShown(!shown)}
              >
                {shown ? (
                  <EyeOff size={17} strokeWidth={1.8} aria-hidden />
                ) : (
                  <Eye size={17} strokeWidth={1.8} aria-hidden />
                )}
              </Button>
            </>
          )}
        </div>
      )}
    </FieldFrame>
  );
}
