import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { health } from "../queries/hub";
import { useLinkDown } from "../queries/link";
import { Banner } from "./Banner";
import { Button } from "./Button";
import { NeedsOwner } from "./NeedsOwner";
import { StandsStill } from "./StandsStill";

/** The gravest thing that is wrong, over all panes: the hub is gone, it does not receive, something waits for the owner. Not to be dismissed. */
export function NotReceiving() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const lost = useLinkDown();
  // While it is deaf it is asked often, so that the sentence goes soon after its reason.
  const state = useQuery({
    ...health(),
    refetchInterval: (query) => (query.state.data?.receiving === false ? 5_000 : 30_000),
  });
  const again = (
    <Button size="sm" onClick={() => void state.refetch()}>
      {t("common.try_again")}
    </Button>
  );
  if (lost) {
    return (
      <Banner look="deaf" strong={t("link.down")} actions={again}>
        {t("link.down_text")}
      </Banner>
    );
  }
  const moved = state.data?.moved;
  if (moved && !moved.confirmed_at) return <StandsStill moved={moved} />;
  if (state.data?.receiving !== false) {
    const clock = state.data?.clock_reason;
    if (!clock) return <NeedsOwner />;
    return (
      <Banner look="info" strong={t("bell.clock")} actions={again}>
        {clock}
      </Banner>
    );
  }
  return (
    <Banner
      look="deaf"
      strong={t("bell.deaf")}
      actions={
        <>
          <Button size="sm" onClick={() => void navigate({ to: "/connections" })}>
            {t("bell.see_why")}
          </Button>
          {again}
        </>
      }
    >
      {reasonAfter(t("bell.deaf"), state.data.receiving_reason) || t("bell.deaf_text")}
    </Banner>
  );
}

/** The hub's sentence without the words that stand in bold before it. */
const reasonAfter = (strong: string, reason: string | null | undefined): string =>
  reason?.startsWith(strong) ? reason.slice(strong.length).trim() : (reason ?? "");
