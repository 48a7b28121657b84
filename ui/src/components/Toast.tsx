import { Check } from "lucide-react";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import styles from "./Toast.module.css";

type ToastAction = { label: string; onAction: () => void };
type ToastEntry = { id: number; text: string; icon?: ReactNode; action?: ToastAction | undefined };
/** Shows one line at the bottom left. Errors are never toasts: they stay where they happened. */
type Say = (text: string, options?: { icon?: ReactNode; action?: ToastAction }) => void;

const ToastContext = createContext<Say>(() => {});

/** `say("Saved")`, with an optional way back. */
export const useToast = (): Say => useContext(ToastContext);

/** Holds at most three toasts: 5 s, 10 s with an action, longer while hovered or focused. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<ToastEntry[]>([]);
  const next = useRef(1);
  const drop = useCallback((id: number) => setToasts((all) => all.filter((one) => one.id !== id)), []);
  const say = useCallback<Say>((text, options = {}) => {
    const id = next.current++;
    setToasts((all) => [...all.slice(-2), { id, text, icon: options.icon, action: options.action }]);
  }, []);
  const list = useMemo(
    () => toasts.map((toast) => <OneToast key={toast.id} toast={toast} onDrop={drop} />),
    [toasts, drop],
  );
  return (
    <ToastContext value={say}>
      {children}
      <div className={styles.stack} role="status" aria-live="polite">
        {list}
      </div>
    </ToastContext>
  );
}

function OneToast({ toast, onDrop }: { toast: ToastEntry; onDrop: (id: number) => void }) {
  const [held, setHeld] = useState(false);
  const { id, action } = toast;
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => onDrop(id), action ? 10_000 : 5_000);
    return () => clearTimeout(timer);
  }, [held, id, action, onDrop]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the pointer only holds the toast; nothing is done by it.
    <div
      className={styles.toast}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      {toast.icon ?? <Check size={17} strokeWidth={1.8} aria-hidden />}
      <span className="grow">{toast.text}</span>
      {action ? (
        <button
          type="button"
          onClick={() => {
            action.onAction();
            onDrop(id);
          }}
        >
          {action.label}
        </button>
      ) : null}
    </div>
  );
}
