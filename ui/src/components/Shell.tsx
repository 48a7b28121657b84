import { useQuery } from "@tanstack/react-query";
import { Outlet, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { movePane, useKey } from "../keys/KeysProvider";
import { health } from "../queries/hub";
import { KeySheet } from "./KeySheet";
import { NotReceiving } from "./NotReceiving";
import { Palette } from "./Palette";
import { Rail } from "./Rail";
import styles from "./Shell.module.css";

/** The window: what is wrong on top, the rail, and one screen beside it. The window itself never scrolls. */
export function Shell() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const lab = useQuery(health()).data?.lab;
  const [palette, setPalette] = useState(false);
  const [sheet, setSheet] = useState(false);
  useKey("palette", () => setPalette((open) => !open));
  useKey("sheet", () => setSheet(true));
  useKey("pane_next", () => movePane(1));
  useKey("pane_previous", () => movePane(-1));
  useKey("panes", () => movePane(1));
  useKey("panes_back", () => movePane(-1));
  useKey("go_inbox", () => void navigate({ to: "/inbox" }));
  useKey("go_agents", () => void navigate({ to: "/agents" }));
  useKey("go_knowledge", () => void navigate({ to: "/knowledge" }));
  useKey("go_connections", () => void navigate({ to: "/connections" }));
  useKey("go_activity", () => void navigate({ to: "/activity" }));
  useKey("go_lab", () => void navigate({ to: "/lab" }));
  useKey("go_settings", () => void navigate({ to: "/settings" }));

  return (
    <div className={styles.window}>
      <button type="button" className={styles.skip} onClick={() => document.getElementById("main")?.focus()}>
        {t("shell.skip")}
      </button>
      <Rail />
      <div className={styles.page}>
        {lab ? (
          <aside className={styles.lab} aria-label={t("lab.title")}>
            {t("lab.edge")}
          </aside>
        ) : null}
        <NotReceiving />
        <Outlet />
      </div>
      <Palette open={palette} onOpen={setPalette} />
      <KeySheet open={sheet} onOpen={setSheet} />
    </div>
  );
}
