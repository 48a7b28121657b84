import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { connections } from "../queries/connections";
import { health } from "../queries/hub";
import { useLinkDown } from "../queries/link";
import { Popover } from "./Popover";
import styles from "./Rail.module.css";

/** How the bell hangs: it tells the truth about receiving. */
export type BellState = "ringing" | "quiet" | "deaf";

/** The bell at the head of the rail. A click opens the sentence behind it. */
export function RailBell() {
  const { t } = useTranslation();
  const state = useQuery(health());
  const list = useQuery(connections());
  const lost = useLinkDown();
  const channels = list.data?.items.filter((one) => one.status === "active").length ?? 0;
  const bell: BellState =
    lost || state.isError || state.data?.receiving === false
      ? "deaf"
      : state.data && channels > 0
        ? "ringing"
        : "quiet";
  const sentence =
    bell === "ringing"
      ? t("bell.ringing", { count: channels })
      : bell === "quiet"
        ? t(list.isPending ? "bell.starting" : "bell.quiet")
        : lost
          ? t("link.down")
          : (state.data?.receiving_reason ?? t("bell.deaf"));

  return (
    <Popover
      side="right"
      trigger={
        <button type="button" className={styles.bell} data-state={bell} aria-label={`${t("bell.label")}: ${sentence}`}>
          {bell === "ringing" ? (
            <img src="/bell.svg" alt="" width="40" height="40" />
          ) : (
            <StillBell struck={bell === "deaf"} />
          )}
        </button>
      }
    >
      <p className={styles.sentence}>{sentence}</p>
    </Popover>
  );
}

function StillBell({ struck }: { struck: boolean }) {
  return (
    <svg
      width="26"
      height="26"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d="M10.3 21a2 2 0 0 0 3.4 0" />
      <path d="M12 2.8c-3.9 0-6 2.9-6 6.7v2.8c0 1.5-.7 2.5-1.6 3.4-.7.7-.3 1.8.7 1.8h13.8c1 0 1.4-1.1.7-1.8-.9-.9-1.6-1.9-1.6-3.4V9.5c0-3.8-2.1-6.7-6-6.7z" />
      {struck ? <path d="m3 3 18 18" /> : null}
    </svg>
  );
}
