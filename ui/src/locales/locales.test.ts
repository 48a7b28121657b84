/** Every word is in every language; a value equal to the English one is a forgotten translation unless it is listed. */
import { describe, expect, it } from "vitest";
import en from "./en.json";
import es from "./es.json";
import ptBR from "./pt-BR.json";
import sameWord from "./same-word.json";

type Words = { [key: string]: string | Words };
const flat = (words: Words, before = ""): Record<string, string> =>
  Object.fromEntries(
    Object.entries(words).flatMap(([key, value]) =>
      typeof value === "string" ? [[before + key, value]] : Object.entries(flat(value, `${before}${key}.`)),
    ),
  );
const english = flat(en);
const allowed = sameWord as Record<string, string[]>;

describe.each([
  ["pt-BR", flat(ptBR)],
  ["es", flat(es)],
] as const)("the words in %s", (language, words) => {
  it("are the same set of keys as in English", () => {
    expect(Object.keys(words).sort()).toEqual(Object.keys(english).sort());
  });

  it("are translated, or listed in same-word.json", () => {
    const forgotten = Object.keys(english).filter(
      (key) => words[key] === english[key] && !allowed[key]?.includes(language),
    );
    expect(forgotten).toEqual([]);
  });

  it("take the same values as the English sentence", () => {
    const taken = (text = "") => [...new Set([...text.matchAll(/\{\{\s*(\w+)/g)].map((match) => match[1]))].sort();
    const different = Object.keys(english).filter(
      (key) => !key.endsWith("_one") && taken(words[key]).join() !== taken(english[key]).join(),
    );
    expect(different).toEqual([]);
  });

  it("have no empty value", () => {
    expect(Object.keys(words).filter((key) => words[key]?.trim() === "")).toEqual([]);
  });
});

describe.each([
  ["en", english],
  ["pt-BR", flat(ptBR)],
  ["es", flat(es)],
] as const)("a shop owner reading %s", (_, words) => {
  const all = Object.entries(words);

  it("meets the words of programmers in brackets at most", () => {
    const bare = /webhook|proxy|polling|tool call/i;
    expect(all.filter(([, text]) => bare.test(text.replaceAll(/\([^)]*\)/g, "")))).toEqual([]);
  });

  it("is told both limits of a file wherever files are asked for", () => {
    const promises = all.filter(([, text]) => text.includes("20 MB") && text.includes("CSV"));
    expect(promises).toHaveLength(3);
    for (const [key, text] of promises) expect(text, key).toMatch(/5 mil/);
  });
});
