import { useQuery } from "@tanstack/react-query";
import { ExternalLink } from "lucide-react";
import { useTranslation } from "react-i18next";
import { openExternal } from "../../bridge";
import { Button } from "../../components/Button";
import { CopyButton } from "../../components/CopyBox";
import { LocalOnly } from "../../components/LocalOnly";
import { snippet } from "../../queries/connections";
import { sentence } from "../../words/error";
import styles from "./WebsiteActions.module.css";

/** The line for the shop's own website, and a page of our own to try the chat on. */
export function WebsiteActions({ id }: { id: string }) {
  const { t } = useTranslation();
  const line = useQuery(snippet(id));
  if (line.isError) return <p className={styles.error}>{sentence(line.error, t)}</p>;
  if (line.data === undefined) return <div className={styles.actions} />;
  const page = line.data.test_page_url;
  return (
    <div className={styles.actions}>
      <LocalOnly line={line.data.snippet} leave />
      <CopyButton text={line.data.snippet} label={t("connections.snippet")} word={t("connections.copy_snippet")} />
      <Button size="sm" onClick={() => void openExternal(page)}>
        <ExternalLink size={15} strokeWidth={1.8} aria-hidden />
        {t("connections.test_page")}
      </Button>
    </div>
  );
}
