import { Menu as Base } from "@base-ui/react/menu";
import { useNavigate } from "@tanstack/react-router";
import { Check } from "lucide-react";
import type { ComponentProps, ReactElement, ReactNode } from "react";
import styles from "./Menu.module.css";

/** A button that opens a few choices. With `open` a key can open it as well. */
export function Menu({
  trigger,
  children,
  align = "end",
  open,
  onOpen,
  focusAfter,
}: {
  trigger: ReactElement;
  children: ReactNode;
  align?: "start" | "end";
  open?: boolean | undefined;
  onOpen?: ((open: boolean) => void) | undefined;
  /** Where the focus goes when it closes, if not to its button. */
  focusAfter?: ComponentProps<typeof Base.Popup>["finalFocus"];
}) {
  return (
    <Base.Root open={open} onOpenChange={onOpen && ((next) => onOpen(next))}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={6} align={align} className={styles.place} collisionPadding={8}>
          <Base.Popup className={styles.menu} finalFocus={focusAfter}>
            {children}
          </Base.Popup>
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

/** Choices that belong together, under a word. */
export function MenuGroup({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Base.Group>
      <Base.GroupLabel className={styles.group}>{label}</Base.GroupLabel>
      {children}
    </Base.Group>
  );
}

/** A choice that is on or off. */
export function MenuCheck({
  icon,
  checked,
  onChecked,
  children,
}: {
  icon?: ReactNode;
  checked: boolean;
  onChecked: (checked: boolean) => void;
  children: ReactNode;
}) {
  return (
    <Base.CheckboxItem className={styles.item} checked={checked} onCheckedChange={onChecked} closeOnClick>
      {icon}
      <span className="grow cut">{children}</span>
      <Base.CheckboxItemIndicator render={<Check size={15} strokeWidth={2} aria-hidden />} />
    </Base.CheckboxItem>
  );
}
