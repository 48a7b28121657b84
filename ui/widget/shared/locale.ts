/** Which of our languages to speak, and which way the page reads. */

export type Language = "en" | "pt-BR" | "es";

/** The nearest of our languages to what the page, then the browser, asks for; English when none is near. */
export function language(wanted: readonly (string | undefined)[]): Language {
  for (const tag of wanted) {
    const two = (tag ?? "").slice(0, 2).toLowerCase();
    if (two === "pt") return "pt-BR";
    if (two === "es" || two === "en") return two;
  }
  return "en";
}

/** A tag that `Intl` accepts: the wanted one if it can be used (so that en-GB keeps its times), else the language. */
export function intlTag(wanted: string | undefined, spoken: Language): string {
  try {
    if (wanted && wanted.slice(0, 2).toLowerCase() === spoken.slice(0, 2))
      return Intl.getCanonicalLocales(wanted)[0] ?? spoken;
  } catch {
    // Not a language tag at all: the language we speak will do.
  }
  return spoken;
}
