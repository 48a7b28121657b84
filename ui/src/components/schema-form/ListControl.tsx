import { Plus, X } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../Button";
import type { ControlProps } from "./SchemaControl";
import styles from "./SchemaForm.module.css";
import { isKept } from "./schema";

/** Several lines of text, such as the addresses a widget may stand on. */
export function ListControl({ field, value, error, onValue, onLeave }: ControlProps) {
  const { t } = useTranslation();
  const lines = Array.isArray(value) ? value.map(String) : [];
  const change = (index: number, text: string) => onValue(lines.map((line, at) => (at === index ? text : line)));
  return (
    <Lines {...{ field, error }} onAdd={() => onValue([...lines, ""])}>
      {lines.map((line, index) => (
        <div className={styles.line} data-single key={index}>
          <input
            aria-label={`${field.title} ${index + 1}`}
            value={line}
            spellCheck={false}
            onChange={(event) => change(index, event.target.value)}
            onBlur={onLeave}
          />
          <Remove what={line || String(index + 1)} onClick={() => onValue(lines.filter((_, at) => at !== index))} />
        </div>
      ))}
      {lines.length === 0 ? <span className="sr-only">{t("common.none")}</span> : null}
    </Lines>
  );
}

/** Names with values, such as the headers of an own tool; the values may be secrets. */
export function MapControl({ field, value, error, onValue, onLeave }: ControlProps) {
  const { t } = useTranslation();
  const pairs = Object.entries((typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>);
  const put = (next: [string, unknown][]) => onValue(Object.fromEntries(next));
  return (
    <Lines
      {...{ field, error }}
      onAdd={() => put([...pairs, [pairs.some(([name]) => name === "") ? `name-${pairs.length + 1}` : "", ""]])}
    >
      {pairs.map(([name, one], index) => (
        <div className={styles.line} key={index}>
          <input
            aria-label={`${field.title} ${index + 1}: ${t("form.name")}`}
            placeholder={t("form.name")}
            value={name}
            spellCheck={false}
            onChange={(event) => put(pairs.map((pair, at) => (at === index ? [event.target.value, pair[1]] : pair)))}
          />
          <input
            aria-label={`${field.title} ${index + 1}: ${t("form.value")}`}
            placeholder={isKept(one) ? t("form.saved") : t("form.value")}
            type={field.secretValues ? "password" : "text"}
            autoComplete="off"
            value={isKept(one) ? "" : String(one ?? "")}
            onChange={(event) => put(pairs.map((pair, at) => (at === index ? [pair[0], event.target.value] : pair)))}
            onBlur={onLeave}
          />
          <Remove what={name || String(index + 1)} onClick={() => put(pairs.filter((_, at) => at !== index))} />
        </div>
      ))}
    </Lines>
  );
}

function Lines({
  field,
  error,
  onAdd,
  children,
}: Pick<ControlProps, "field" | "error"> & { onAdd: () => void; children: React.ReactNode }) {
  const { t } = useTranslation();
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [added, setAdded] = useState(0);
  // Who asked for a line wants to write in it.
  useEffect(() => {
    if (added > 0) [...(box.current?.children ?? [])].findLast(isLine)?.querySelector("input")?.focus();
  }, [added]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would draw a frame inside the frame of the group.
    <div role="group" aria-labelledby={id}>
      <span className={styles.title} id={id}>
        {field.title}
        {field.required ? null : <span className={styles.optional}> {t("form.optional")}</span>}
      </span>
      {field.help ? <p className={styles.help}>{field.help}</p> : null}
      <div className={styles.lines} ref={box}>
        {children}
        <Button
          size="sm"
          onClick={() => {
            onAdd();
            setAdded((count) => count + 1);
          }}
          aria-describedby={id}
        >
          <Plus size={15} strokeWidth={1.8} aria-hidden />
          {t("form.add_line")}
        </Button>
        {error ? <span className={styles.error}>{error}</span> : null}
      </div>
    </div>
  );
}

const isLine = (one: Element) => one.classList.contains(styles.line ?? "");

function Remove({ what, onClick }: { what: string; onClick: () => void }) {
  const { t } = useTranslation();
  return (
    <Button look="quiet" icon aria-label={t("form.remove_line", { what })} onClick={onClick}>
      <X size={16} strokeWidth={1.8} aria-hidden />
    </Button>
  );
}
