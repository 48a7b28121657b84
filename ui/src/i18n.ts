/** The three languages. One is fetched before anything is drawn, so that nothing flickers; the others when somebody wants them. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import type en from "./locales/en.json";

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

const words: Record<LanguageCode, () => Promise<{ default: object }>> = {
  en: () => import("./locales/en.json"),
  "pt-BR": () => import("./locales/pt-BR.json"),
  es: () => import("./locales/es.json"),
};

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

let wanted: LanguageCode;

/** Switches every word to `language`, and tells the page so that screen readers speak it. */
export function speak(language: string): void {
  const code = bestLanguage([language]);
  try {
    localStorage.setItem("shopbell.language", code);
  } catch {
    // Storage can be switched off; the hub remembers the language as well.
  }
  wanted = code;
  // What cannot be fetched now is asked for again with the next change; until then the words stay as they are.
  if (i18next.language !== code) have(code).catch((cause: unknown) => console.warn(cause));
}

/** Fetches a language if it is not there yet and speaks it, unless another one was wanted meanwhile. */
async function have(code: LanguageCode): Promise<void> {
  if (!i18next.hasResourceBundle(code, "translation"))
    i18next.addResourceBundle(code, "translation", (await words[code]()).default);
  if (wanted !== code) return;
  document.documentElement.lang = code;
  await i18next.changeLanguage(code);
}

function kept(): string[] {
  try {
    const language = localStorage.getItem("shopbell.language");
    return language === null ? [] : [language];
  } catch {
    return [];
  }
}

/** Gets the words ready that fit best. Nothing can be said before that. */
export async function prepareWords(): Promise<void> {
  wanted = bestLanguage([...kept(), ...(navigator.languages ?? [])]);
  const { default: translation } = await words[wanted]();
  document.documentElement.lang = wanted;
  await i18next.use(initReactI18next).init({
    resources: { [wanted]: { translation } },
    lng: wanted,
    // Every language has every word: a test says so.
    fallbackLng: false,
    interpolation: { escapeValue: false },
    returnNull: false,
  });
}

export { i18next };
