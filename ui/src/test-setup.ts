import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";
import { i18next, prepareWords } from "./i18n";
import en from "./locales/en.json";
import es from "./locales/es.json";
import ptBR from "./locales/pt-BR.json";

await prepareWords();
// A test may ask for any language without waiting for it.
for (const [code, words] of Object.entries({ en, es, "pt-BR": ptBR }))
  i18next.addResourceBundle(code, "translation", words);

afterEach(cleanup);
