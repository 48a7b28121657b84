import { useTranslation } from "react-i18next";
import { Button } from "../components/Button";
import { EmptyState } from "../components/EmptyState";

/** Before the hub has answered once. Empty for the first moment, then words, then a way to try again. */
export function Connecting({ failed, onRetry }: { failed: boolean; onRetry: () => void }) {
  const { t } = useTranslation();
  if (!failed) return <p className="sr-only">{t("connecting.starting")}</p>;
  return (
    <main>
      <EmptyState title={t("connecting.title")} text={t("connecting.text")} alone>
        <Button look="primary" size="lg" onClick={onRetry}>
          {t("common.try_again")}
        </Button>
      </EmptyState>
    </main>
  );
}
