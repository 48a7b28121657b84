import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import type { ReactNode, RefObject } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./Button";
import styles from "./Dialog.module.css";

type Props = {
  open: boolean;
  onOpen: (open: boolean) => void;
  title: string;
  text?: ReactNode;
  /** The buttons at the foot, the main one last. */
  actions?: ReactNode;
  wide?: boolean;
  /** Where the focus goes when it opens; else to the first control. */
  focus?: RefObject<HTMLElement | null>;
  children?: ReactNode;
};

/** A question over the window. Focus stays inside and goes back to where it came from. */
export function Dialog({ open, onOpen, title, text, actions, wide, focus, children }: Props) {
  const { t } = useTranslation();
  return (
    <Base.Root open={open} onOpenChange={onOpen}>
      <Base.Portal>
        <Base.Backdrop className={styles.scrim} />
        <Base.Popup initialFocus={focus} className={`${styles.dialog} ${wide ? styles.wideDialog : ""}`}>
          <div className={styles.head}>
            <Base.Title className={styles.title}>{title}</Base.Title>
            <Base.Close
              render={
                <Button look="quiet" icon size="sm" aria-label={t("common.close")}>
                  <X size={17} strokeWidth={1.8} aria-hidden />
                </Button>
              }
            />
          </div>
          {text ? <Base.Description className={styles.text}>{text}</Base.Description> : null}
          {children}
          {actions ? <div className={styles.actions}>{actions}</div> : null}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
