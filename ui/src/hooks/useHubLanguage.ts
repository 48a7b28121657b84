import { useEffect, useRef } from "react";
import { speak } from "../i18n";
import { queryClient } from "../queries/client";

/**
 * Speaks the shop's language. After a change everything is asked again: many of the hub's answers are sentences, and those
 * that were fetched before stand in the old language.
 */
export function useHubLanguage(language: string | undefined): void {
  const before = useRef(language);
  useEffect(() => {
    if (language === undefined) return;
    speak(language);
    if (before.current !== undefined && before.current !== language) void queryClient.invalidateQueries();
    before.current = language;
  }, [language]);
}
