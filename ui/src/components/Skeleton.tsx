import { useEffect, useState } from "react";
import styles from "./Skeleton.module.css";

/** Grey lines at the real row height, after 300 ms; before that nothing, so that a quick answer does not flicker. */
export function Skeleton({ rows = 6, height = 72 }: { rows?: number; height?: number }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 300);
    return () => clearTimeout(timer);
  }, []);
  if (!late) return null;
  return (
    <div aria-hidden="true">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className={styles.row} style={{ height }}>
          <i style={{ width: `${34 + ((row * 17) % 30)}%` }} />
          <i style={{ width: `${58 + ((row * 23) % 34)}%` }} />
        </div>
      ))}
    </div>
  );
}
