import { Dialog as Base } from "@base-ui/react/dialog";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import {
  Activity,
  BookOpen,
  Bot,
  Check,
  Clock,
  FilePen,
  Hand,
  Inbox,
  Keyboard,
  type LucideIcon,
  MessageSquare,
  Moon,
  PanelRight,
  Plug,
  Reply,
  Search,
  Settings,
  Sun,
  Tag,
  User,
  UserCheck,
} from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useContactName } from "../hooks/useContactName";
import { useKept } from "../hooks/useKept";
import { useRunKey } from "../keys/KeysProvider";
import type { KeyId } from "../keys/keymap";
import { found } from "../queries/search";
import { paint } from "../theme";
import { fold } from "../words/fold";
import { plain } from "../words/highlight";
import dialogStyles from "./Dialog.module.css";
import { KeyHint } from "./Kbd";
import styles from "./Palette.module.css";

type Item = {
  id: string;
  group: "conversation" | "people" | "go" | "settings";
  icon: LucideIcon;
  label: string;
  note?: string;
  keys?: KeyId;
  run: () => void;
};
const groupOrder = ["conversation", "people", "go", "settings"] as const;

/** Everything, by typing: this conversation first, then people, places, settings. Empty: what was used last. */
export function Palette({ open, onOpen }: { open: boolean; onOpen: (open: boolean) => void }) {
  const { t } = useTranslation();
  return (
    <Base.Root open={open} onOpenChange={onOpen}>
      <Base.Portal>
        <Base.Backdrop className={dialogStyles.scrim} />
        <Base.Popup className={styles.palette} aria-label={t("palette.title")}>
          {open ? <Inside onClose={() => onOpen(false)} /> : null}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

function Inside({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const run = useRunKey();
  const called = useContactName();
  const { conversation } = useParams({ strict: false });
  const list = useId();
  const [words, setWords] = useState("");
  const [asked, setAsked] = useState("");
  const [at, setAt] = useState(0);
  const [recent, keepRecent] = useKept("palette", "[]");
  const hits = useQuery({ ...found(asked), enabled: asked.length > 1 });

  useEffect(() => {
    const timer = setTimeout(() => setAsked(words.trim()), 180);
    return () => clearTimeout(timer);
  }, [words]);

  const commands = useMemo<Item[]>(() => {
    const key = (id: KeyId, group: Item["group"], icon: LucideIcon): Item => ({
      id,
      group,
      icon,
      label: t(`keys.${id}`),
      keys: id,
      run: () => run(id),
    });
    const go = (id: KeyId, icon: LucideIcon, to: string): Item => ({
      id,
      group: "go",
      icon,
      label: t(`keys.${id}`),
      keys: id,
      run: () => void navigate({ to }),
    });
    return [
      ...(conversation === undefined
        ? []
        : [
            key("take", "conversation", Hand),
            key("assign", "conversation", UserCheck),
            key("reply", "conversation", Reply),
            key("note", "conversation", FilePen),
            key("resolve", "conversation", Check),
            key("snooze", "conversation", Clock),
            key("label", "conversation", Tag),
            key("panel", "conversation", PanelRight),
          ]),
      go("go_inbox", Inbox, "/inbox"),
      go("go_agents", Bot, "/agents"),
      go("go_knowledge", BookOpen, "/knowledge"),
      go("go_connections", Plug, "/connections"),
      go("go_activity", Activity, "/activity"),
      go("go_settings", Settings, "/settings"),
      { id: "light", group: "settings", icon: Sun, label: t("palette.light"), run: () => paint("light") },
      { id: "dark", group: "settings", icon: Moon, label: t("palette.dark"), run: () => paint("dark") },
      { ...key("sheet", "settings", Keyboard), label: t("keys.title") },
    ];
  }, [conversation, navigate, run, t]);

  const items = useMemo<Item[]>(() => {
    const wanted = fold(words.trim());
    if (wanted === "") {
      const last = parse(recent).flatMap((id) => commands.find((one) => one.id === id) ?? []);
      const rest = commands.filter((one) => !last.includes(one));
      return [...last.map((one) => ({ ...one, group: one.group })), ...rest].slice(0, 12);
    }
    const matching = commands.filter((one) => fold(one.label).includes(wanted));
    const people = (hits.data?.items ?? []).slice(0, 8).map(
      (hit): Item => ({
        id: `hit-${hit.type}-${hit.id}`,
        group: "people",
        icon: hit.type === "contact" ? User : hit.type === "note" ? FilePen : MessageSquare,
        label: called({ id: hit.contact, name: hit.title, address: hit.address }),
        note: plain(hit.excerpt),
        run: () =>
          void (hit.conversation
            ? navigate({ to: "/inbox/$conversation", params: { conversation: hit.conversation } })
            : navigate({ to: "/inbox", search: { q: hit.title } })),
      }),
    );
    return [...matching, ...people];
  }, [words, recent, commands, hits.data, navigate, called]);

  const ordered = groupOrder.flatMap((group) => items.filter((item) => item.group === group));
  const chosen = Math.min(at, Math.max(0, ordered.length - 1));
  const choose = (item: Item) => {
    if (commands.some((one) => one.id === item.id))
      keepRecent(JSON.stringify([item.id, ...parse(recent).filter((id) => id !== item.id)].slice(0, 5)));
    onClose();
    // After the palette has gone and the focus is back: the command may move it again.
    setTimeout(item.run, 60);
  };
  const keys = (event: KeyboardEvent) => {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (by !== 0) {
      event.preventDefault();
      const next = (chosen + by + ordered.length) % Math.max(1, ordered.length);
      setAt(next);
      document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: "nearest" });
    }
    const item = ordered[chosen];
    if (event.key === "Enter" && item !== undefined) {
      event.preventDefault();
      choose(item);
    }
  };

  const option = (item: Item): ReactNode => {
    const index = ordered.indexOf(item);
    const Icon = item.icon;
    return (
      // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are on the field, which keeps the focus.
      // biome-ignore lint/a11y/useFocusableInteractive: the field names the active option.
      <div
        key={item.id}
        id={`${list}-${index}`}
        role="option"
        aria-selected={index === chosen}
        className={styles.option}
        onClick={() => choose(item)}
        onPointerMove={() => setAt(index)}
      >
        <Icon size={18} strokeWidth={1.8} aria-hidden />
        <span className="cut">{item.label}</span>
        {item.note ? <span className={`${styles.note} cut`}>{item.note}</span> : <span className="grow" />}
        {item.keys ? <KeyHint id={item.keys} /> : null}
      </div>
    );
  };

  return (
    <>
      <div className={styles.field}>
        <Search size={18} strokeWidth={1.8} aria-hidden />
        <input
          role="combobox"
          aria-expanded="true"
          aria-controls={list}
          aria-activedescendant={ordered.length > 0 ? `${list}-${chosen}` : undefined}
          aria-label={t("palette.title")}
          placeholder={t("palette.hint")}
          value={words}
          onChange={(event) => {
            setWords(event.target.value);
            setAt(0);
          }}
          onKeyDown={keys}
        />
        <kbd>Esc</kbd>
      </div>
      <div className={styles.list} id={list} role="listbox" aria-label={t("palette.title")}>
        {groupOrder.map((group) => {
          const own = ordered.filter((item) => item.group === group);
          return own.length === 0 ? null : (
            // biome-ignore lint/a11y/useSemanticElements: a group inside a listbox.
            <div key={group} role="group" aria-label={t(`palette.${group}`)}>
              <p aria-hidden="true">{t(`palette.${group}`)}</p>
              {own.map(option)}
            </div>
          );
        })}
      </div>
      {ordered.length === 0 ? <p className={styles.none}>{t("palette.none")}</p> : null}
    </>
  );
}

function parse(kept: string): string[] {
  try {
    const value: unknown = JSON.parse(kept);
    return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}
