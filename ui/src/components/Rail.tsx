import { useQuery } from "@tanstack/react-query";
import { Link, useRouterState } from "@tanstack/react-router";
import { Activity, BookOpen, Bot, Ellipsis, FlaskConical, Inbox, Plug, Settings } from "lucide-react";
import type { ComponentType, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { conversationCounts } from "../queries/conversations";
import { health } from "../queries/hub";
import { Menu, MenuItem } from "./Menu";
import styles from "./Rail.module.css";
import { RailBell } from "./RailBell";

type Entry = {
  id: "inbox" | "agents" | "knowledge" | "connections" | "activity" | "lab" | "settings";
  icon: ComponentType<{ size?: number; strokeWidth?: number }>;
};

const entries: Entry[] = [
  { id: "inbox", icon: Inbox },
  { id: "agents", icon: Bot },
  { id: "knowledge", icon: BookOpen },
  { id: "connections", icon: Plug },
  { id: "activity", icon: Activity },
  { id: "lab", icon: FlaskConical },
];
/** On a narrow window these are behind "More". */
const behindMore = new Set(["knowledge", "lab", "settings"]);

/** The door: every screen, the bell that tells whether we are receiving, the counts that ring. */
export function Rail() {
  const { t } = useTranslation();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const here = path.split("/")[1];
  const counts = useQuery(conversationCounts());
  const state = useQuery(health());
  const waiting = counts.data?.needs_person ?? 0;
  const profile = state.data?.profile;

  const item = ({ id, icon: Icon }: Entry, extra?: ReactNode) => (
    <Link
      key={id}
      to={`/${id}`}
      className={`${styles.item} ${behindMore.has(id) ? "wide-only" : ""}`}
      aria-current={here === id ? "page" : undefined}
      title={t(`rail.${id}`)}
    >
      <Icon size={20} strokeWidth={1.8} />
      <span className={styles.word}>{t(`rail.${id}`)}</span>
      {extra}
    </Link>
  );

  return (
    <nav className={styles.rail} aria-label={t("rail.label")}>
      <div className={`${styles.head} wide-only`}>
        <RailBell />
        {profile && profile !== "default" && profile !== "main" ? (
          <span className={styles.profile} title={t("rail.profile", { name: profile })}>
            {profile}
          </span>
        ) : null}
      </div>
      <div className={styles.items}>
        {entries.map((entry) =>
          item(
            entry,
            entry.id === "inbox" && waiting > 0 ? (
              <b className={styles.count}>
                {waiting > 99 ? "99+" : waiting}
                <span className="sr-only"> {t("rail.need_a_person", { count: waiting })}</span>
              </b>
            ) : null,
          ),
        )}
        <div className="narrow-only">
          <Menu
            trigger={
              <button
                type="button"
                className={styles.item}
                data-current={(here !== undefined && behindMore.has(here)) || undefined}
              >
                <Ellipsis size={20} strokeWidth={1.8} aria-hidden />
                <span className={styles.word}>{t("rail.more")}</span>
              </button>
            }
          >
            <MenuItem icon={<BookOpen size={16} strokeWidth={1.8} />} to="/knowledge">
              {t("rail.knowledge")}
            </MenuItem>
            <MenuItem icon={<FlaskConical size={16} strokeWidth={1.8} />} to="/lab">
              {t("rail.lab")}
            </MenuItem>
            <MenuItem icon={<Settings size={16} strokeWidth={1.8} />} to="/settings">
              {t("rail.settings")}
            </MenuItem>
          </Menu>
        </div>
      </div>
      <div className="wide-only">{item({ id: "settings", icon: Settings })}</div>
    </nav>
  );
}
