import { Menu as Base } from "@base-ui/react/menu";
import { useNavigate } from "@tanstack/react-router";
import type { ReactElement, ReactNode } from "react";
import styles from "./Menu.module.css";

/** A button that opens a few choices. */
export function Menu({
  trigger,
  children,
  align = "end",
}: {
  trigger: ReactElement;
  children: ReactNode;
  align?: "start" | "end";
}) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={6} align={align} className={styles.place}>
          <Base.Popup className={styles.menu}>{children}</Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

type ItemProps = {
  icon?: ReactNode;
  /** Shown at the right: the key that does the same. */
  hint?: ReactNode;
  danger?: boolean;
  disabled?: boolean;
  /** Goes to a screen instead of calling `onSelect`. */
  to?: string;
  onSelect?: () => void;
  children: ReactNode;
};

/** One choice. */
export function MenuItem({ icon, hint, danger, disabled, to, onSelect, children }: ItemProps) {
  const navigate = useNavigate();
  return (
    <Base.Item
      className={`${styles.item} ${danger ? styles.danger : ""}`}
      disabled={disabled}
      onClick={() => (to === undefined ? onSelect?.() : void navigate({ to }))}
    >
      {icon}
      <span className="grow">{children}</span>
      {hint}
    </Base.Item>
  );
}

/** A line between groups of choices. */
export function MenuLine() {
  return <Base.Separator className={styles.line} />;
}
