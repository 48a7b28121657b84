import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/Button";
import { ChannelMark } from "../../components/ChannelMark";
import { TextField } from "../../components/Field";
import { connections, connectors } from "../../queries/connections";
import styles from "./AgentForm.module.css";
import { useUnknownVariables } from "./variables";

type Props = { value: Record<string, string>; onValue: (value: Record<string, string>) => void };

/** What the agent is told besides on one kind of channel: short on Telegram, formal by e-mail. */
export function ChannelAdditions({ value, onValue }: Props) {
  const { t } = useTranslation();
  const unknown = useUnknownVariables();
  const kinds = useQuery(connectors());
  const yours = useQuery(connections());
  const channels = kinds.data?.items.filter((one) => one.type === "Channel") ?? [];
  const used = new Set(yours.data?.items.map((one) => one.connector));
  const open = channels
    .filter((one) => value[one.kind] === undefined && (one.status === "available" || used.has(one.kind)))
    .sort((one, other) => Number(used.has(other.kind)) - Number(used.has(one.kind)));
  const nameOf = (kind: string) => channels.find((one) => one.kind === kind)?.name ?? kind;

  return (
    <div className={styles.additions}>
      {Object.entries(value).map(([kind, text]) => (
        <div key={kind} className={styles.addition}>
          <TextField
            label={
              <span className="row">
                <ChannelMark connector={kind} size={20} />
                {t("agents.on_channel", { name: nameOf(kind) })}
              </span>
            }
            value={text}
            error={unknown(text)}
            rows={3}
            dir="auto"
            placeholder={t("agents.addition_example")}
            onChange={(event) => onValue({ ...value, [kind]: event.target.value })}
          />
          <Button
            look="quiet"
            size="sm"
            icon
            aria-label={t("agents.remove_addition", { name: nameOf(kind) })}
            onClick={() => onValue(Object.fromEntries(Object.entries(value).filter(([one]) => one !== kind)))}
          >
            <X size={16} strokeWidth={1.8} aria-hidden />
          </Button>
        </div>
      ))}
      {open.length > 0 ? (
        <label className={styles.addTo}>
          <span>{t("agents.add_addition")}</span>
          <select value="" onChange={(event) => event.target.value && onValue({ ...value, [event.target.value]: "" })}>
            <option value="">{t("form.choose")}</option>
            {open.map((one) => (
              <option key={one.kind} value={one.kind}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
      ) : null}
    </div>
  );
}
