import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Segmented } from "../components/Segmented";
import { connections } from "../queries/connections";
import styles from "./Activity.module.css";
import { type ArrivalFilter, Arrivals } from "./activity/Arrivals";
import { Outbox, useAttention } from "./activity/Outbox";
import type { ActivitySearch } from "./activity/search";
import { Turns } from "./activity/Turns";
import { useNow } from "./useNow";

const verdicts: ArrivalFilter[] = ["all", "handled", "repeat", "nothing", "not_understood", "parked", "refused"];

/** Everything that rang, what went out and how agents answered: what became of it, and the way to do it again. */
export function Activity() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const search: ActivitySearch = useSearch({ strict: false });
  const show = search.show ?? "arrivals";
  const list = useQuery(connections());
  const attention = useAttention(search.on);
  const now = useNow();
  const go = (next: ActivitySearch) => void navigate({ to: "/activity", search: next, replace: true });
  const open = (id: string | undefined) => go({ ...search, open: id });
  const known = list.data?.items ?? [];
  const of = verdicts.find((one) => one === search.of) ?? "all";

  return (
    <main className={styles.page} id="main" tabIndex={-1}>
      <header className={styles.head}>
        <div className={styles.title}>
          <h1>{t("activity.title_page")}</h1>
          <p>{t("activity.lead")}</p>
        </div>
        <Segmented
          label={t("activity.what")}
          value={show}
          onValue={(value) => go({ show: value, on: search.on })}
          choices={[
            { value: "arrivals", label: t("activity.arrivals") },
            { value: "outbox", label: t("activity.outbox"), count: attention.items.length, hot: true },
            { value: "turns", label: t("activity.turns") },
          ]}
        />
        {show === "arrivals" ? (
          <select
            className={styles.pick}
            aria-label={t("activity.by_verdict")}
            value={of}
            onChange={(event) => go({ ...search, of: event.target.value, open: undefined })}
          >
            {verdicts.map((one) => (
              <option key={one} value={one}>
                {t(one === "all" ? "activity.any_verdict" : `activity.verdict.${one}`)}
              </option>
            ))}
          </select>
        ) : show === "outbox" ? (
          <select
            className={styles.pick}
            aria-label={t("activity.by_status")}
            value={search.of === "all" ? "all" : "attention"}
            onChange={(event) => go({ ...search, of: event.target.value, open: undefined })}
          >
            <option value="attention">{t("activity.outbox_attention")}</option>
            <option value="all">{t("activity.outbox_all")}</option>
          </select>
        ) : null}
        {show === "turns" ? null : (
          <select
            className={styles.pick}
            aria-label={t("activity.by_channel")}
            value={search.on ?? ""}
            onChange={(event) => go({ ...search, on: event.target.value || undefined, open: undefined })}
          >
            <option value="">{t("activity.all_channels")}</option>
            {known.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
        )}
      </header>
      {show === "arrivals" ? (
        <Arrivals
          filter={of}
          connection={search.on}
          connections={known}
          open={search.open}
          onOpen={open}
          onTurn={(id) => go({ show: "turns", open: id })}
          now={now}
        />
      ) : show === "outbox" ? (
        <Outbox
          filter={search.of === "all" ? "all" : "attention"}
          connection={search.on}
          connections={known}
          open={search.open}
          onOpen={open}
          onAll={() => go({ ...search, of: "all" })}
          now={now}
        />
      ) : (
        <Turns open={search.open} onOpen={open} now={now} />
      )}
    </main>
  );
}
