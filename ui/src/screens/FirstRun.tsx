import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../bridge";
import { useMedia } from "../hooks/useMedia";
import { agents } from "../queries/agents";
import { health, settings } from "../queries/hub";
import styles from "./FirstRun.module.css";
import { AgentStep } from "./first-run/AgentStep";
import { Awning } from "./first-run/Awning";
import { ChannelStep } from "./first-run/ChannelStep";
import { KnowStep } from "./first-run/KnowStep";
import { ShopStep } from "./first-run/ShopStep";
import { TryCard } from "./first-run/TryCard";

/** From nothing to an answered question: your shop, what the agent may know, the agent, the website chat. */
export function FirstRun() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const wide = useMedia("(min-width: 1100px)");
  const state = useQuery(health());
  const open = state.data?.vault === "open";
  const shop = useQuery({ ...settings(), enabled: open });
  const known = useQuery({ ...agents(), enabled: open });
  const [chosen, setChosen] = useState<number | undefined>();
  const [draftName, setDraftName] = useState<string | undefined>();

  const kept = Math.min(3, shop.data?.first_run_step ?? state.data?.setup_step ?? 0);
  const step = open ? (chosen ?? kept) : 0;
  const agent = known.data?.items.find((one) => one.default) ?? known.data?.items[0];
  const go = (next: number) => {
    setChosen(next);
    if (next > kept)
      void call("update_settings", { first_run_step: next }).then((saved) =>
        client.setQueryData(settings().queryKey, saved),
      );
  };
  const finish = async () => {
    client.setQueryData(
      settings().queryKey,
      await call("update_settings", { first_run_done: true, first_run_step: 4 }),
    );
    await client.invalidateQueries({ queryKey: ["health"] });
    await navigate({ to: "/inbox" });
  };

  const card = (
    <TryCard
      shopName={shop.data?.shop_name ?? ""}
      agent={agent?.id}
      draft={draftName ? { name: draftName } : undefined}
      notYet={open && step > 0 ? undefined : t("try.not_yet")}
    />
  );
  const parts = { onBack: () => go(Math.max(0, step - 1)), onNext: () => go(step + 1) };
  return (
    <main className={styles.frame} id="main">
      <section className={styles.left} aria-label={t("first_run.label")}>
        <div className={styles.brand}>
          <img src="/bell.svg" alt="" width="36" height="36" />
          Shopbell
          <span className={styles.dots} role="img" aria-label={t("first_run.step", { step: step + 1, of: 4 })}>
            <span aria-hidden="true">{t("first_run.step", { step: step + 1, of: 4 })}</span>
            {[0, 1, 2, 3].map((one) => (
              <i key={one} data-state={one < step ? "done" : one === step ? "now" : "next"} />
            ))}
          </span>
        </div>
        {step === 0 ? <ShopStep shop={shop.data} health={state.data} onNext={parts.onNext} /> : null}
        {step === 1 ? <KnowStep {...parts} /> : null}
        {step === 2 ? (
          <AgentStep {...parts} agent={agent} onName={setDraftName}>
            {wide ? null : card}
          </AgentStep>
        ) : null}
        {step === 3 ? <ChannelStep {...parts} onFinish={finish} /> : null}
      </section>
      {wide ? (
        <aside className={styles.right} aria-label={t("try.title")}>
          <Awning />
          {card}
        </aside>
      ) : null}
    </main>
  );
}
