import { Link } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import { Lock, Plus } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Connector, ConnectorType } from "../../bindings";
import { ChannelMark } from "../../components/ChannelMark";
import { Segmented } from "../../components/Segmented";
import styles from "./Catalogue.module.css";

export type TypeFilter = ConnectorType | "all";
const types: TypeFilter[] = ["all", "Channel", "Agent", "Tool - Native", "Tool - User", "MCP - External", "STT & TTS"];
/** The six types as words of the locale. */
export const typeKey = {
  all: "all",
  Channel: "channel",
  Agent: "agent",
  "Tool - Native": "native",
  "Tool - User": "user",
  "MCP - External": "mcp",
  "STT & TTS": "speech",
} as const satisfies Record<TypeFilter, string>;

type Props = {
  connectors: Connector[];
  /** What is looked for, as typed. */
  query: string;
  type: TypeFilter;
  onType: (type: TypeFilter) => void;
  onClear: () => void;
};

/** Every service that can be connected, by type. What is switched off stays in sight, with its reason. */
export function Catalogue({ connectors, query, type, onType, onClear }: Props) {
  const { t } = useTranslation();
  const wanted = fold(query);
  const found = connectors
    .filter((one) => type === "all" || one.type === type)
    .filter((one) => wanted === "" || fold(`${one.name} ${one.kind} ${one.summary ?? ""} ${one.type}`).includes(wanted))
    .sort((one, other) => Number(isOff(one)) - Number(isOff(other)));

  return (
    <section aria-labelledby="catalogue">
      <div className={styles.head}>
        <h2 id="catalogue" className={styles.title}>
          {t("connections.add_another")}
        </h2>
        <Segmented
          label={t("connections.type_label")}
          value={type}
          onValue={onType}
          choices={types.map((one) => ({ value: one, label: t(`connections.types.${typeKey[one]}`) }))}
        />
      </div>
      {found.length === 0 ? (
        <p className={styles.none}>
          {query === "" ? t("connections.none_of_type") : t("connections.not_found", { query })}{" "}
          <button type="button" className="link" onClick={onClear}>
            {t("connections.show_all")}
          </button>
        </p>
      ) : (
        <ul className={styles.kinds}>
          {found.map((one) => (
            <li key={one.kind}>
              <Kind connector={one} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Kind({ connector }: { connector: Connector }) {
  const { t } = useTranslation();
  const off = isOff(connector);
  const line = off
    ? (connector.disabled_reason ?? t("connections.coming_soon"))
    : [t(`connections.type_one.${typeKey[connector.type]}`), connector.summary ?? authWord(connector, t)]
        .filter(Boolean)
        .join(" · ");
  const inside = (
    <>
      <ChannelMark connector={connector.kind} size={32} />
      <span className={styles.words}>
        <b>{connector.name}</b>
        <small>{line}</small>
      </span>
      {off ? <Lock size={16} strokeWidth={1.8} aria-hidden /> : <Plus size={17} strokeWidth={1.8} aria-hidden />}
    </>
  );
  if (off)
    return (
      <div className={`card ${styles.kind} ${styles.off}`}>
        {inside}
        <span className="sr-only">{t("connections.off")}</span>
      </div>
    );
  return (
    <Link
      to="/connections/new/$connector"
      params={{ connector: connector.kind }}
      className={`card ${styles.kind}`}
      title={line}
      data-kind={connector.kind}
    >
      {inside}
    </Link>
  );
}

const isOff = (connector: Connector): boolean => connector.status !== "available" || Boolean(connector.disabled_reason);
const auths = ["none", "api_key", "basic", "oauth"] as const;

function authWord(connector: Connector, t: TFunction): string | undefined {
  const known = auths.find((auth) => auth === connector.auth);
  return known === undefined ? undefined : t(`connections.auth.${known}`);
}

/** Lower case without accents, so that "cafe" finds "Café". */
function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();
}
