import { Bot } from "lucide-react";
import styles from "./Avatar.module.css";
import { ChannelMark } from "./ChannelMark";

type Props = {
  name: string;
  size?: number;
  /** An agent: a bot instead of letters. */
  bot?: boolean;
  /** The kind of the connection, as a small mark at the corner. */
  channel?: string | undefined;
};

/** A person by the first letters of the name, always in the same colour. */
export function Avatar({ name, size = 36, bot, channel }: Props) {
  const tone = bot ? styles.bot : styles[`a${(hash(name) % 6) + 1}`];
  return (
    <span
      className={`${styles.avatar} ${tone}`}
      style={{ width: size, height: size, fontSize: Math.round(size * 0.34) }}
      aria-hidden="true"
    >
      {bot ? <Bot size={Math.round(size * 0.58)} strokeWidth={1.8} /> : initials(name)}
      {channel ? (
        <span className={styles.corner}>
          <ChannelMark connector={channel} size={17} />
        </span>
      ) : null}
    </span>
  );
}

/** The first letters of the first and the last word that begin with a letter or a digit. */
export function initials(name: string): string {
  const words = name.split(/[\s·,()_-]+/).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const first = words[0] ?? "";
  const last = words.length > 1 ? (words[words.length - 1] ?? "") : "";
  return ([...first][0] ?? "?").toUpperCase() + ([...last][0] ?? "").toUpperCase();
}

function hash(text: string): number {
  let sum = 7;
  for (const letter of text) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return sum;
}
