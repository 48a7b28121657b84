import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { pressed } from "../keys/keymap";
import { Kbd } from "./Kbd";
import styles from "./KeySheet.module.css";

/** So long a second key is waited for. */
const patience = 900;

/** Listens for one key, or two after each other. Backspace: none; Esc: as it was. */
export function KeyCapture({ onKeys, onGiveUp }: { onKeys: (keys: string) => void; onGiveUp: () => void }) {
  const { t } = useTranslation();
  const [first, setFirst] = useState("");
  const [wrong, setWrong] = useState(false);
  const place = useRef<HTMLButtonElement>(null);
  const latest = useRef({ onKeys, onGiveUp });
  useEffect(() => {
    latest.current = { onKeys, onGiveUp };
  });
  useEffect(() => place.current?.focus(), []);
  useEffect(() => {
    if (first === "") return;
    const timer = setTimeout(() => latest.current.onKeys(first), patience);
    return () => clearTimeout(timer);
  }, [first]);
  useEffect(() => {
    // Before everything else that listens: the dialog would close with Esc.
    const listen = (event: KeyboardEvent) => {
      if (event.key === "Tab" || event.key === "Shift") return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key === "Escape") return latest.current.onGiveUp();
      if (event.key === "Backspace" || event.key === "Delete") return latest.current.onKeys("");
      if (event.key === "Enter" && first !== "") return latest.current.onKeys(first);
      const key = pressed(event);
      if (key?.startsWith("mod+") || event.altKey) setWrong(event.key.length === 1);
      else if (key === undefined || key.endsWith("F6")) return;
      else if (first === "") setFirst(key);
      else latest.current.onKeys(`${first} ${key}`);
    };
    window.addEventListener("keydown", listen, { capture: true });
    return () => window.removeEventListener("keydown", listen, { capture: true });
  }, [first]);
  return (
    <span className={styles.capture}>
      <button ref={place} type="button" className={styles.key} onBlur={() => latest.current.onGiveUp()}>
        {first === "" ? t("keys.press") : <Kbd keys={first} spoken />}
      </button>
      <small role="status">{t(wrong ? "keys.with_ctrl" : "keys.press_help")}</small>
    </span>
  );
}
