import { Check, Copy } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./Button";
import styles from "./CopyBox.module.css";

/** Something to paste elsewhere, with the button that copies it. `label` names what it is. */
export function CopyBox({ text, label, long }: { text: string; label: string; long?: boolean }) {
  return (
    <div className={`${styles.box} ${long ? styles.long : ""}`}>
      <code className={long ? styles.lines : `${styles.text} cut`}>{text}</code>
      <CopyButton text={text} label={label} />
    </div>
  );
}

/** Copies `text` and says so. Where the clipboard is closed to us, it says that instead. */
export function CopyButton({ text, label, word }: { text: string; label: string; word?: string }) {
  const { t } = useTranslation();
  const [state, setState] = useState<"rest" | "done" | "refused">("rest");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setState("done"),
      () => setState("refused"),
    );
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setState("rest"), 2500);
  };
  const Icon = state === "done" ? Check : Copy;
  const said = state === "done" ? t("common.copied") : state === "refused" ? t("setup.copy_refused") : "";
  return (
    <>
      <Button
        look={word ? "plain" : "quiet"}
        size="sm"
        icon={word === undefined}
        onClick={copy}
        aria-label={word ? undefined : `${t("common.copy")}: ${label}`}
        title={said || undefined}
      >
        <Icon size={16} strokeWidth={1.8} aria-hidden />
        {word ? (state === "done" ? t("common.copied") : word) : null}
      </Button>
      <span className="sr-only" role="status">
        {said}
      </span>
    </>
  );
}
