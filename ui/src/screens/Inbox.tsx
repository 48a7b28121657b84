import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useKept } from "../hooks/useKept";
import { useMedia } from "../hooks/useMedia";
import { useKey } from "../keys/KeysProvider";
import styles from "./Inbox.module.css";
import { ContactPanel } from "./inbox/ContactPanel";
import { Conversation } from "./inbox/Conversation";
import { ConversationList } from "./inbox/ConversationList";
import { NothingOpen } from "./inbox/NothingOpen";
import type { InboxSearch } from "./inbox/search";

/** Answer people: the list, the conversation, who is at the other end. */
export function Inbox() {
  const { t } = useTranslation();
  const { conversation } = useParams({ strict: false });
  const search = useSearch({ strict: false }) as InboxSearch;
  const navigate = useNavigate();
  const wide = useMedia("(min-width: 1180px)");
  const [panel, keepPanel] = useKept("panel", "shown");
  const [drawer, keepDrawer] = useKept("drawer", "hidden");
  const shown = conversation !== undefined && (wide ? panel : drawer) === "shown";
  const toggle = () => (wide ? keepPanel : keepDrawer)(shown ? "hidden" : "shown");
  const step = useRef<(by: 1 | -1) => void>(() => {});

  const open = useCallback(
    (id: string | undefined) =>
      void (id === undefined
        ? navigate({ to: "/inbox", search })
        : navigate({ to: "/inbox/$conversation", params: { conversation: id }, search })),
    [navigate, search],
  );
  useKey("panel", toggle, conversation !== undefined);
  useEffect(() => {
    if (!wide) keepDrawer("hidden");
  }, [wide, keepDrawer]);

  return (
    <main
      className={styles.inbox}
      data-open={conversation !== undefined || undefined}
      data-panel={shown || undefined}
      id="main"
      tabIndex={-1}
    >
      <h1 className="sr-only">{t("inbox.title")}</h1>
      <ConversationList open={conversation} search={search} onOpen={open} step={step} />
      {conversation === undefined ? (
        <NothingOpen />
      ) : (
        <Conversation
          key={conversation}
          id={conversation}
          panelShown={shown}
          onPanel={toggle}
          onBack={() => open(undefined)}
          onNext={() => step.current(1)}
        />
      )}
      {shown && conversation !== undefined ? (
        <>
          {wide ? null : (
            <button
              type="button"
              className={styles.scrim}
              aria-label={t("inbox.hide_panel")}
              onClick={toggle}
              tabIndex={-1}
            />
          )}
          <ContactPanel id={conversation} drawer={!wide} onClose={toggle} />
        </>
      ) : null}
    </main>
  );
}
