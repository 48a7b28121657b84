import { Popover as Base } from "@base-ui/react/popover";
import { useQuery } from "@tanstack/react-query";
import { Check, Plus } from "lucide-react";
import { type KeyboardEvent, type ReactElement, type RefObject, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { LabelDot } from "../../components/LabelDot";
import menu from "../../components/Menu.module.css";
import { labels } from "../../queries/labels";
import { fold } from "../../words/fold";
import styles from "./LabelPicker.module.css";

type Props = {
  /** The labels of the conversation. */
  on: string[];
  open: boolean;
  onOpen: (open: boolean) => void;
  onLabel: (name: string, on: boolean) => void;
  /** The button that opens it, or what it opens beside. */
  trigger?: ReactElement;
  anchor?: RefObject<HTMLElement | null>;
};

/** Put labels on and take them off: type to find one, Enter changes it, a word that is new makes one. */
export function LabelPicker({ open, onOpen, trigger, anchor, ...inside }: Props) {
  const { t } = useTranslation();
  return (
    <Base.Root open={open} onOpenChange={(next) => onOpen(next)}>
      {trigger ? <Base.Trigger render={trigger} /> : null}
      <Base.Portal>
        <Base.Positioner
          anchor={anchor}
          side="bottom"
          align="end"
          sideOffset={6}
          collisionPadding={8}
          className={menu.place}
        >
          <Base.Popup className={styles.picker} aria-label={t("label.change")}>
            <Choices {...inside} />
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

function Choices({ on, onLabel }: Pick<Props, "on" | "onLabel">) {
  const { t } = useTranslation();
  const id = useId();
  const known = useQuery(labels());
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  const wanted = words.trim();
  const names = [...new Set([...on, ...(known.data?.items.map((one) => one.name) ?? [])])];
  const fitting = names.filter((name) => fold(name).includes(fold(wanted)));
  const isNew = wanted !== "" && !names.some((name) => fold(name) === fold(wanted));
  const choices = [...fitting, ...(isNew ? [wanted] : [])];
  const chosen = Math.min(at, Math.max(0, choices.length - 1));

  const choose = (name: string) => {
    onLabel(name, !on.includes(name));
    setWords("");
    setAt(0);
  };
  const keys = (event: KeyboardEvent) => {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (by !== 0) {
      event.preventDefault();
      const next = (chosen + by + choices.length) % Math.max(1, choices.length);
      setAt(next);
      document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: "nearest" });
    }
    const name = choices[chosen];
    if (event.key === "Enter" && name !== undefined) {
      event.preventDefault();
      choose(name);
    }
  };

  return (
    <>
      <input
        className={styles.field}
        role="combobox"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={choices.length > 0 ? `${id}-${chosen}` : undefined}
        aria-label={t("label.find")}
        placeholder={t("label.find")}
        value={words}
        maxLength={40}
        dir="auto"
        onChange={(event) => {
          setWords(event.target.value);
          setAt(0);
        }}
        onKeyDown={keys}
      />
      <div id={id} className={styles.list} role="listbox" aria-label={t("label.title")} aria-multiselectable="true">
        {choices.map((name, index) => {
          const fresh = isNew && index === choices.length - 1;
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are on the field, which keeps the focus.
            // biome-ignore lint/a11y/useFocusableInteractive: the field names the active option.
            <div
              key={fresh ? "new" : name}
              id={`${id}-${index}`}
              role="option"
              aria-selected={on.includes(name)}
              data-at={index === chosen || undefined}
              className={styles.option}
              onClick={() => choose(name)}
              onPointerMove={() => setAt(index)}
            >
              {fresh ? (
                <>
                  <Plus size={15} strokeWidth={1.8} aria-hidden />
                  <span className="cut">{t("label.make", { name })}</span>
                </>
              ) : (
                <>
                  <LabelDot label={name} />
                  <span className="grow" />
                  {on.includes(name) ? <Check size={15} strokeWidth={2} aria-hidden /> : null}
                </>
              )}
            </div>
          );
        })}
      </div>
      {choices.length === 0 && !known.isPending ? <p className={styles.none}>{t("label.none")}</p> : null}
    </>
  );
}
