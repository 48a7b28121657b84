/** A bakery that nobody runs, in the language of the screens: to try Shopbell before one's own files are at hand. */
import en from "./en.txt?raw";
import es from "./es.txt?raw";
import ptBR from "./pt-BR.txt?raw";

const texts: Record<string, { name: string; text: string }> = {
  en: { name: "sample-bakery.txt", text: en },
  "pt-BR": { name: "padaria-exemplo.txt", text: ptBR },
  es: { name: "panaderia-ejemplo.txt", text: es },
};

/** The sample as a file. */
export function sampleFile(language: string): File {
  const { name, text } = texts[language] ?? { name: "sample-bakery.txt", text: en };
  return new File([text], name, { type: "text/plain" });
}
