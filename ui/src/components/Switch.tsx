import { Switch as Base } from "@base-ui/react/switch";
import styles from "./Switch.module.css";

type Props = {
  id?: string;
  checked: boolean;
  onChecked: (checked: boolean) => void;
  disabled?: boolean;
  "aria-label"?: string;
};

/** On or off, at once. */
export function Switch({ onChecked, ...rest }: Props) {
  return (
    <Base.Root {...rest} className={styles.switch} onCheckedChange={onChecked}>
      <Base.Thumb className={styles.thumb} />
    </Base.Root>
  );
}
