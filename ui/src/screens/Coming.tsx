import { useTranslation } from "react-i18next";
import { Skeleton } from "../components/Skeleton";

/** In place of a screen whose code is still on its way: nothing at first, then grey lines. */
export function Coming() {
  const { t } = useTranslation();
  return (
    <main id="main" tabIndex={-1} aria-busy="true">
      <h1 className="sr-only">{t("common.loading")}</h1>
      <Skeleton rows={5} />
    </main>
  );
}
