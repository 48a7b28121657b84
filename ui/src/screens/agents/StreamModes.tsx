import { useTranslation } from "react-i18next";
import type { StreamMode } from "../../bindings";
import styles from "./AgentForm.module.css";

const modes: StreamMode[] = ["full", "sentence", "direct"];

/** How the answer reaches the customer: whole, sentence by sentence, or piece by piece. */
export function StreamModes({ value, onValue }: { value: StreamMode; onValue: (mode: StreamMode) => void }) {
  const { t } = useTranslation();
  return (
    <fieldset className={styles.modes}>
      <legend className="sr-only">{t("agents.stream")}</legend>
      {modes.map((mode) => (
        <label key={mode} className={styles.mode}>
          <input type="radio" name="stream_mode" checked={value === mode} onChange={() => onValue(mode)} />
          <span>
            <b>{t(`agents.stream_mode.${mode}`)}</b>
            <small>{t(`agents.stream_help.${mode}`)}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
