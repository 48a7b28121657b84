import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Raw } from "../../bindings";
import { CopyButton } from "../../components/CopyBox";
import { Segmented } from "../../components/Segmented";
import { pieces, pretty } from "./json";
import styles from "./RawView.module.css";

/** Longer bodies are shown from their beginning; the copy is whole. */
const shown = 60_000;

/** A request as it came, secrets hidden. */
export function RawView({ raw }: { raw: Raw }) {
  const { t } = useTranslation();
  const [part, setPart] = useState<"body" | "headers">("body");
  const body = useMemo(() => pretty(raw.body), [raw.body]);
  const cut = useMemo(() => {
    const text = body.text.slice(0, shown);
    return body.json ? pieces(text) : [{ kind: "plain" as const, text }];
  }, [body]);
  const headers = raw.headers.map((one) => `${one.name}: ${one.value}`).join("\n");
  const line = `${raw.method} ${raw.path || "/"}${raw.query ? `?${raw.query}` : ""}`;

  return (
    <div className={styles.raw}>
      <div className={styles.head}>
        <b>{t("activity.as_it_came")}</b>
        <span className={styles.hidden}>{t("activity.secrets_hidden")}</span>
        <span className="grow" />
        <Segmented
          label={t("activity.part")}
          value={part}
          onValue={setPart}
          choices={[
            { value: "body", label: t("activity.body") },
            { value: "headers", label: t("activity.headers") },
          ]}
        />
        <CopyButton
          text={part === "body" ? raw.body : headers}
          label={t(part === "body" ? "activity.body" : "activity.headers")}
        />
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: text as it came; a region because it scrolls. */}
      <pre tabIndex={0} role="region" aria-label={t(part === "body" ? "activity.body" : "activity.headers")}>
        <span className={styles.mask}>{line}</span>
        {"\n"}
        {part === "headers"
          ? headers || t("activity.no_headers")
          : cut.map((piece, n) => (
              <span key={n} className={piece.kind === "plain" ? undefined : styles[piece.kind]}>
                {piece.text}
              </span>
            ))}
        {part === "body" && raw.body === "" ? t("activity.no_body") : null}
        {part === "body" && body.text.length > shown ? `\n${t("activity.rest_cut")}` : null}
      </pre>
    </div>
  );
}
