import { useQuery } from "@tanstack/react-query";
import { Bot, Plug, Radio, Server, Volume2, Wrench } from "lucide-react";
import type { ConnectorType } from "../bindings";
import { connectors } from "../queries/connections";
import styles from "./ChannelMark.module.css";

/**
 * The mark of a service on a square of its colour. Picture and colour come with the connector; the picture is SVG text, shown
 * as an image so that nothing in it can run. Until it is known, a sign for its type stands there.
 */
export function ChannelMark({ connector, size = 36 }: { connector: string; size?: number }) {
  const { data } = useQuery(connectors());
  const known = data?.items.find((one) => one.kind === connector);
  const radius = size >= 36 ? 9 : size >= 30 ? 8 : 5;
  const box = { width: size, height: size, borderRadius: radius, ...(known?.color ? { background: known.color } : {}) };
  const inside = Math.round(size * 0.6);
  const Icon = known === undefined ? Radio : (signs[known.type] ?? Plug);
  return (
    <span className={styles.mark} style={box} aria-hidden="true">
      {known?.icon.startsWith("<") ? (
        <img src={`data:image/svg+xml;utf8,${encodeURIComponent(known.icon)}`} width={inside} height={inside} alt="" />
      ) : (
        <Icon size={inside} strokeWidth={1.8} />
      )}
    </span>
  );
}

const signs: Partial<Record<ConnectorType, typeof Bot>> = {
  Agent: Bot,
  Channel: Radio,
  "Tool - Native": Wrench,
  "Tool - User": Wrench,
  "MCP - External": Server,
  "STT & TTS": Volume2,
};
