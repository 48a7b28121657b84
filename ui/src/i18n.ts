/** The three languages. All words are in the bundle, so that nothing is fetched and nothing flickers. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import en from "./locales/en.json";
import es from "./locales/es.json";
import ptBR from "./locales/pt-BR.json";

export const languages = [
  { code: "en", name: "English" },
  { code: "pt-BR", name: "Português (Brasil)" },
  { code: "es", name: "Español" },
] as const;
export type LanguageCode = (typeof languages)[number]["code"];

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof en };
  }
}

/** The language we have that fits best: the kept choice first, then what the system prefers. */
export function bestLanguage(wanted: readonly string[]): LanguageCode {
  for (const one of wanted) {
    const exact = languages.find((known) => known.code.toLowerCase() === one.toLowerCase());
    if (exact) return exact.code;
    const near = languages.find((known) => known.code.split("-")[0] === one.toLowerCase().split("-")[0]);
    if (near) return near.code;
  }
  return "en";
}

/** Switches every word to `language`, and tells the page so that screen readers speak it. */
export function speak(language: string): void {
  const code = bestLanguage([language]);
  document.documentElement.lang = code;
  try {
    localStorage.setItem("shopbell.language", code);
  } catch {
    // Storage can be switched off; the hub remembers the language as well.
  }
  if (i18next.language !== code) void i18next.changeLanguage(code);
}

function kept(): string[] {
  try {
    const language = localStorage.getItem("shopbell.language");
    return language === null ? [] : [language];
  } catch {
    return [];
  }
}

const first = bestLanguage([...kept(), ...(navigator.languages ?? [])]);
document.documentElement.lang = first;
void i18next.use(initReactI18next).init({
  resources: { en: { translation: en }, "pt-BR": { translation: ptBR }, es: { translation: es } },
  lng: first,
  fallbackLng: "en",
  interpolation: { escapeValue: false },
  returnNull: false,
});

export { i18next };
