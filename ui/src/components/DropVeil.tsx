import { Upload } from "lucide-react";
import styles from "./DropVeil.module.css";

/** Over the whole window while files are held over it: what will happen to them. */
export function DropVeil({ text, more }: { text: string; more?: string | undefined }) {
  return (
    <div className={styles.veil} aria-hidden="true">
      <span>
        <Upload size={24} strokeWidth={1.8} />
        <span>
          {text}
          {more ? <small>{more}</small> : null}
        </span>
      </span>
    </div>
  );
}
