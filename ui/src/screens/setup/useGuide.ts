import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Connection, Connector } from "../../bindings";
import { ago } from "../../words/time";
import { lastMessage } from "../golive/evidence";
import { doneOf, useOwnTicks } from "../golive/GoLive";
import { goLive } from "../golive/list";
import { useEvidence } from "../golive/useEvidence";
import type { useSetup } from "./useSetup";

/** What the steps and the list before going live may claim, and which of the two ways to look at a connection is chosen. */
export function useGuide(
  connector: Connector,
  connection: Connection | undefined,
  setup: ReturnType<typeof useSetup>,
  now: number,
) {
  const { t, i18n } = useTranslation();
  // Only a channel that is not a page of our own has a way that can be broken elsewhere.
  const isChannel = connector.type === "Channel" && !connector.page;
  const known = useEvidence(connector, isChannel ? connection : undefined, setup.changed ? undefined : setup.result);
  const [view, setView] = useState<"settings" | "live">("settings");
  const [ticks, tick] = useOwnTicks(connection?.id ?? "");
  const items = known.evidence ? goLive(known.evidence) : [];
  const came = known.evidence && lastMessage(known.evidence);
  const { result, errors } = setup;
  const tested = result?.ok
    ? t("setup.test.ok")
    : connection?.last_proven_at
      ? t("connections.evidence.proven", { ago: ago(connection.last_proven_at, now, i18n.language) })
      : undefined;
  const nothingOpen = result ? result.ok && result.checks.every((one) => one.ok) : tested !== undefined;
  const wrong = Object.keys(errors).length > 0;

  return {
    ...known,
    /** What is wrong with the form stands in the form. */
    view: wrong || known.evidence === undefined ? ("settings" as const) : view,
    setView,
    ticks,
    tick,
    done: doneOf(items, ticks),
    total: items.length,
    // What the account answered lies behind; the last step is for a message to come in, and none came by without the others.
    step: came
      ? connector.steps.length
      : isChannel && nothingOpen
        ? Math.max(setup.step, connector.steps.length - 1)
        : setup.step,
    // With a message and nothing left open in the test there is no doubt; for what is no channel, the test is the last step.
    proven: isChannel
      ? came && result?.ok && nothingOpen
        ? t("setup.steps_proven", { when: ago(came.received_at, now, i18n.language) })
        : undefined
      : connector.steps.length > 0
        ? tested
        : undefined,
  };
}
