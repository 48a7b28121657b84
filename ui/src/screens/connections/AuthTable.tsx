import { useMutation, useQuery } from "@tanstack/react-query";
import { RefreshCw, TriangleAlert } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import type { AuthRow, Connector } from "../../bindings";
import { call } from "../../bridge";
import { Button } from "../../components/Button";
import { queryClient } from "../../queries/client";
import { signIns } from "../../queries/signIn";
import { sentence } from "../../words/error";
import { ago, fullTime } from "../../words/time";
import styles from "./AuthTable.module.css";
import { typeKey } from "./Catalogue";

/** Every connection: how it proves who it is, until when, and when that is renewed. Asked for when somebody wants to see it. */
export function AuthTable({ kinds, now }: { kinds: Connector[]; now: number }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  return (
    <details className={styles.section} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("oauth.table.title")}</summary>
      <p className="sub">{t("oauth.table.text")}</p>
      {open ? <Table kinds={kinds} now={now} /> : null}
    </details>
  );
}

function Table({ kinds, now }: { kinds: Connector[]; now: number }) {
  const { t } = useTranslation();
  const titleId = useId();
  const rows = useQuery(signIns());
  if (rows.isError)
    return (
      <p className={styles.bad} role="alert">
        {sentence(rows.error, t)}
      </p>
    );
  if (rows.data === undefined) return <p className="sub">{t("common.loading")}</p>;
  return (
    <section className={styles.scroll} tabIndex={0} aria-labelledby={titleId}>
      <table className={styles.table}>
        <caption id={titleId} className="sr-only">
          {t("oauth.table.title")}
        </caption>
        <thead>
          <tr>
            <th scope="col">{t("oauth.table.connection")}</th>
            <th scope="col">{t("oauth.table.type")}</th>
            <th scope="col">{t("oauth.table.auth")}</th>
            <th scope="col">{t("oauth.table.expires")}</th>
            <th scope="col">{t("oauth.table.refreshed")}</th>
            <th scope="col">{t("oauth.table.next")}</th>
            <th scope="col">{t("oauth.table.action")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.data.items.map((row) => (
            <Row
              key={row.connection}
              row={row}
              kind={kinds.find((one) => one.kind === row.connector)?.name ?? row.connector}
              now={now}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ row, kind, now }: { row: AuthRow; kind: string; now: number }) {
  const { t, i18n } = useTranslation();
  const renew = useMutation({
    mutationFn: () => call("refresh_sign_in", { id: row.connection }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["connections"] }),
  });
  const when = (at: number | null | undefined) =>
    at ? <time title={fullTime(at, i18n.language)}>{ago(at, now, i18n.language)}</time> : "–";
  const works = row.state === "active" || row.state === "degraded";
  const trouble = renew.isError ? sentence(renew.error, t) : row.state === "active" ? undefined : row.error;
  return (
    <tr>
      <th scope="row">
        <span dir="auto">{row.name}</span>
        <small dir="auto">{row.account ? `${kind} · ${row.account}` : kind}</small>
      </th>
      <td>{row.type ? t(`connections.type_one.${typeKey[row.type]}`) : "–"}</td>
      <td>
        {row.auth ? t(`oauth.table.auths.${row.auth}`) : "–"}
        {row.state ? (
          <small className={row.state === "active" ? undefined : styles.bad}>
            {t(`oauth.table.states.${row.state}`)}
          </small>
        ) : null}
        {trouble ? (
          <small className={styles.bad}>
            <TriangleAlert size={13} strokeWidth={1.8} aria-hidden /> {trouble}
          </small>
        ) : null}
      </td>
      <td>
        {works && !row.expires_at
          ? t("oauth.table.never")
          : row.expires_at
            ? when(row.expires_at)
            : row.auth === "api_key" || row.auth === "basic"
              ? t("oauth.table.unknown")
              : "–"}
      </td>
      <td>{when(row.refreshed_at)}</td>
      <td>{when(row.refresh_at)}</td>
      <td>
        {works && row.refresh_at ? (
          <Button
            size="sm"
            busy={renew.isPending}
            aria-label={t("oauth.table.refresh_of", { name: row.name })}
            onClick={() => renew.mutate()}
          >
            <RefreshCw size={14} strokeWidth={1.8} aria-hidden />
            {t("oauth.table.refresh")}
          </Button>
        ) : (
          "–"
        )}
      </td>
    </tr>
  );
}
