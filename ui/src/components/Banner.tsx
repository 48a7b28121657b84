import { BellOff, History, Info, X } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import styles from "./Banner.module.css";
import { Button } from "./Button";

type Props = {
  /** `deaf`: not receiving, over all panes, cannot be dismissed. `gap`: something rang and was missed. */
  look: "deaf" | "gap" | "info";
  strong: string;
  children?: ReactNode;
  actions?: ReactNode;
  onDismiss?: () => void;
};

/** A sentence across the window. One at a time, gravest first. */
export function Banner({ look, strong, children, actions, onDismiss }: Props) {
  const { t } = useTranslation();
  const Icon = look === "deaf" ? BellOff : look === "gap" ? History : Info;
  return (
    <div className={`${styles.banner} ${styles[look]}`} role={look === "deaf" ? "alert" : "status"}>
      <Icon size={18} strokeWidth={1.8} aria-hidden />
      <span className="grow">
        <b>{strong}</b> {children}
      </span>
      {actions}
      {onDismiss ? (
        <Button look="quiet" size="sm" icon aria-label={t("common.dismiss")} onClick={onDismiss}>
          <X size={16} strokeWidth={1.8} aria-hidden />
        </Button>
      ) : null}
    </div>
  );
}
