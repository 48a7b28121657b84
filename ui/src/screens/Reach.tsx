import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Button } from "../components/Button";
import { EmptyState } from "../components/EmptyState";
import { Page } from "../components/Page";
import { Skeleton } from "../components/Skeleton";
import { registrations, tunnel } from "../queries/reach";
import { sentence } from "../words/error";
import { History } from "./reach/History";
import { Registrations } from "./reach/Registrations";
import { Standing } from "./reach/Standing";
import { Way } from "./reach/Way";
import { Group } from "./settings/Setting";

/** The public address: whether one is needed, how it is made, how it is, and what each service was told of it. */
export function Reach() {
  const { t } = useTranslation();
  const state = useQuery({ ...tunnel(), refetchInterval: 10_000 });
  const told = useQuery({ ...registrations(), refetchInterval: 20_000 });
  const failed = state.isError ? state : told.isError ? told : undefined;
  return (
    <Page title={t("reach.title")} lead={t("reach.lead")}>
      {failed ? (
        <EmptyState title={t("reach.unread")} text={sentence(failed.error, t)}>
          <Button onClick={() => void failed.refetch()}>{t("common.try_again")}</Button>
        </EmptyState>
      ) : state.data === undefined || told.data === undefined ? (
        <Skeleton rows={6} />
      ) : (
        <>
          <Group title={t("reach.now")} text={t("reach.now_text")}>
            <Standing state={state.data} needed={told.data.some((one) => one.called)} />
          </Group>
          <Group title={t("reach.way")} text={t("reach.way_text")}>
            <Way state={state.data} />
          </Group>
          <Group title={t("reach.told")} text={t("reach.told_text")}>
            <Registrations rows={told.data} />
          </Group>
          <Group title={t("reach.history")} text={t("reach.history_text")}>
            <History rows={state.data.history} />
          </Group>
        </>
      )}
    </Page>
  );
}
