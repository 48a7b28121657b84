import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Button } from "../components/Button";
import { EmptyState } from "../components/EmptyState";
import { Page } from "../components/Page";
import { Skeleton } from "../components/Skeleton";
import { connections, connectors } from "../queries/connections";
import { sentence } from "../words/error";
import { Setup } from "./setup/Setup";

/** Sets up a new connection (`/connections/new/<connector>`) or goes on with one (`/connections/con_…`). */
export function ConnectionSetup() {
  const { t } = useTranslation();
  const params = useParams({ strict: false });
  const yours = useQuery(connections());
  const kinds = useQuery(connectors());
  const failed = yours.isError ? yours : kinds.isError ? kinds : undefined;

  if (failed)
    return (
      <Page title={t("connections.title")}>
        <EmptyState title={t("connections.unread")} text={sentence(failed.error, t)}>
          <Button onClick={() => void failed.refetch()}>{t("common.try_again")}</Button>
        </EmptyState>
      </Page>
    );
  if (yours.data === undefined || kinds.data === undefined)
    return (
      <Page title={t("connections.title")}>
        <Skeleton rows={6} />
      </Page>
    );

  const connection = yours.data.items.find((one) => one.id === params.connection);
  const connector = kinds.data.items.find((one) => one.kind === (params.connector ?? connection?.connector));
  if (connector === undefined || (params.connection !== undefined && connection === undefined))
    return (
      <Page title={t("connections.title")}>
        <EmptyState title={t("setup.gone")} text={t("setup.gone_text")}>
          <Link to="/connections" className="link">
            {t("setup.all")}
          </Link>
        </EmptyState>
      </Page>
    );
  return <Setup key={connection?.id ?? connector.kind} connector={connector} connection={connection} />;
}
