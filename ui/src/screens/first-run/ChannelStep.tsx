import { useMutation, useQuery } from "@tanstack/react-query";
import { Check, Copy, ExternalLink } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { call, openExternal } from "../../bridge";
import { Button } from "../../components/Button";
import { LocalOnly } from "../../components/LocalOnly";
import { sentence } from "../../words/error";
import { worksHereOnly } from "../../words/reach";
import { StepFrame } from "./StepFrame";
import styles from "./Steps.module.css";

/** Step 4: the chat on the shop's own page. The test page shows the whole path at work. */
export function ChannelStep({ onBack, onFinish }: { onBack: () => void; onFinish: () => Promise<void> }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const [copied, setCopied] = useState(false);
  const snippet = useQuery({
    queryKey: ["snippet", "first-run"],
    queryFn: async () => {
      const { items } = await call("list_connections", { limit: 200 });
      const own = items.find((one) => one.connector === "website");
      const id =
        own?.id ??
        (await call("create_connection", { connector: "website", name: t("first_run.website"), config: {} })).id;
      return call("website_snippet", { id });
    },
  });
  const fact2 = snippet.data && worksHereOnly(snippet.data.snippet) ? "fact_2_local" : "fact_2";
  const finish = useMutation({ mutationFn: onFinish });
  const copy = async () => {
    if (snippet.data === undefined) return;
    await navigator.clipboard.writeText(snippet.data.snippet);
    setCopied(true);
    setTimeout(() => setCopied(false), 4000);
  };
  const openPage = () => {
    if (snippet.data === undefined) return;
    void openExternal(snippet.data.test_page_url);
    setOpened(true);
  };
  const trouble = finish.isError ? finish.error : snippet.isError ? snippet.error : undefined;

  return (
    <StepFrame
      title={t("first_run.channel_title")}
      lead={t("first_run.channel_lead")}
      onBack={onBack}
      onNext={opened || snippet.isError ? () => finish.mutate() : openPage}
      next={t(opened || snippet.isError ? "first_run.to_inbox" : "first_run.open_test")}
      busy={finish.isPending || snippet.isPending}
      error={trouble ? sentence(trouble, t) : undefined}
      beside={
        opened ? (
          <button type="button" className="link" onClick={openPage}>
            {t("first_run.open_again")}
          </button>
        ) : (
          <button type="button" className="link" onClick={() => finish.mutate()}>
            {t("first_run.later")}
          </button>
        )
      }
    >
      <ul className={styles.facts}>
        {(["fact_1", fact2, "fact_3"] as const).map((fact) => (
          <li key={fact}>
            <Check size={18} strokeWidth={1.8} aria-hidden />
            {t(`first_run.${fact}`)}
          </li>
        ))}
      </ul>
      {snippet.data ? (
        <div>
          <span className={styles.label}>{t("first_run.snippet")}</span>
          <LocalOnly line={snippet.data.snippet} />
          <div className={styles.snippet}>
            {/* biome-ignore lint/a11y/useSemanticElements: a region because it scrolls. */}
            <code tabIndex={0} role="region" aria-label={t("first_run.snippet")}>
              {snippet.data.snippet}
            </code>
            <Button onClick={() => void copy()} aria-live="polite">
              {copied ? (
                <Check size={16} strokeWidth={1.8} aria-hidden />
              ) : (
                <Copy size={16} strokeWidth={1.8} aria-hidden />
              )}
              {t(copied ? "common.copied" : "common.copy")}
            </Button>
          </div>
        </div>
      ) : null}
      {opened ? (
        <p className="row" role="status">
          <ExternalLink size={16} strokeWidth={1.8} aria-hidden />
          {t("first_run.opened")}
        </p>
      ) : null}
    </StepFrame>
  );
}
