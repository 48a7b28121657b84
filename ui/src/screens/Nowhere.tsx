import { useTranslation } from "react-i18next";
import { EmptyState } from "../components/EmptyState";

/** An address that no screen has: mistyped, or from another version. */
export function Nowhere() {
  const { t } = useTranslation();
  return (
    <main id="main" tabIndex={-1} style={{ height: "100%" }}>
      <EmptyState title={t("connecting.nowhere")} text={t("connecting.nowhere_text")} alone>
        <a href="#/inbox" className="link">
          {t("connecting.to_inbox")}
        </a>
      </EmptyState>
    </main>
  );
}
