import { useTranslation } from "react-i18next";

/** What a contact is called. Who gave no name (a website's visitor, mostly) is told apart from the others by a short sign. */
export function useContactName(): (contact: { id: string; name: string }) => string {
  const { t } = useTranslation();
  return ({ id, name }) => name.trim() || t("inbox.nameless", { sign: id.slice(-4).toUpperCase() });
}
