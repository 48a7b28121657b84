import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { TextField } from "../../components/Field";
import styles from "./AgentForm.module.css";
import { useUnknownVariables, variables } from "./variables";

type Props = { value: string; error?: string | undefined; onValue: (value: string) => void };

/** What the agent is told. The chips put a variable where the cursor stands. */
export function Instructions({ value, error, onValue }: Props) {
  const { t } = useTranslation();
  const unknown = useUnknownVariables();
  const box = useRef<HTMLTextAreaElement>(null);
  const insert = (name: string) => {
    const place = box.current;
    const word = `{{${name}}}`;
    const from = place?.selectionStart ?? value.length;
    const to = place?.selectionEnd ?? value.length;
    onValue(value.slice(0, from) + word + value.slice(to));
    requestAnimationFrame(() => {
      place?.focus();
      place?.setSelectionRange(from + word.length, from + word.length);
    });
  };
  return (
    <div className={styles.told}>
      <TextField
        ref={box}
        label={t("agents.instructions")}
        help={t("agents.instructions_help")}
        value={value}
        error={error ?? unknown(value)}
        rows={9}
        dir="auto"
        onChange={(event) => onValue(event.target.value)}
      />
      {/* biome-ignore lint/a11y/useSemanticElements: a row of buttons that write, not a form. */}
      <div className={styles.variables} role="group" aria-label={t("agents.variables")}>
        {variables.map((name) => (
          <button key={name} type="button" onClick={() => insert(name)} title={`{{${name}}}`}>
            {t(`agents.variable.${name.replace(".", "_") as "shop_name"}`)}
          </button>
        ))}
      </div>
    </div>
  );
}
