import styles from "./LabelDot.module.css";

const tones = ["brick", "sky", "straw", "door", "brass"];

/** A label: a coloured dot and its word. The same word always has the same colour. */
export function LabelDot({ label }: { label: string }) {
  let sum = 5;
  for (const letter of label) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  const tone = tones[sum % tones.length];
  return (
    <span className={styles.label} data-tone={tone}>
      {label}
    </span>
  );
}
