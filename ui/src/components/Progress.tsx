import styles from "./Progress.module.css";

/** How far something is. `done` of `total`; without a total it only says that it goes on. */
export function Progress({
  label,
  done,
  total,
}: {
  label: string;
  done?: number | undefined;
  total?: number | undefined;
}) {
  const known = done !== undefined && total !== undefined && total > 0;
  const percent = known ? Math.min(100, Math.round((done / total) * 100)) : undefined;
  return (
    <div
      className={styles.progress}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <i style={{ width: known ? `${percent}%` : "38%" }} data-unknown={known ? undefined : true} />
    </div>
  );
}
