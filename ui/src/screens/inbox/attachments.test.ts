import { expect, it } from "vitest";
import { i18next } from "../../i18n";
import { hubTakes, kindOf, limitWords, refusal, within } from "./attachments";

const mb = 1_000_000;
const file = (name: string, type: string, bytes: number) =>
  Object.defineProperty(new File(["x"], name, { type }), "size", { value: bytes }) as File;
const limits = { image: 5 * mb, audio: 16 * mb, video: 16 * mb, document: 100 * mb };

it("refuses by the kind of the file and the rules of the channel", () => {
  expect(refusal(file("cake.jpg", "image/jpeg", 7 * mb), limits)).toEqual({
    type: "too_big",
    kind: "image",
    most: 5 * mb,
  });
  expect(refusal(file("cake.jpg", "image/jpeg", 5 * mb), limits)).toBeUndefined();
  // The same photo goes as a file.
  expect(refusal(file("cake.jpg", "image/jpeg", 7 * mb), limits, "document")).toBeUndefined();
  expect(refusal(file("film.mp4", "video/mp4", mb), { image: mb })).toEqual({ type: "not_taken", kind: "video" });
  expect(refusal(file("nothing.txt", "text/plain", 0), limits)).toEqual({ type: "empty" });
  expect(refusal(file("prize.exe", "application/octet-stream", mb), limits)).toEqual({ type: "kind" });
  // Until the rules are known, the hub decides.
  expect(refusal(file("cake.jpg", "image/jpeg", 70 * mb), undefined)).toBeUndefined();
});

it("tells kinds apart as phones do", () => {
  expect(["image/png", "image/heic", "audio/ogg", "video/mp4", "text/csv", ""].map(kindOf)).toEqual([
    "image",
    "document",
    "audio",
    "video",
    "document",
    "document",
  ]);
});

it("says the limits in words, in each language", () => {
  const say = (given: Record<string, number>, language: string) =>
    limitWords(given, i18next.getFixedT(language), language);
  expect(say(limits, "en")).toBe("Photos up to 5 MB, films up to 16 MB, sound up to 16 MB, files up to 100 MB.");
  expect(say({ image: 10 * mb, video: 25 * mb, audio: 25 * mb, document: 25 * mb }, "en")).toBe(
    "Photos up to 10 MB, anything else up to 25 MB.",
  );
  expect(say({ image: 25 * mb, video: 25 * mb, audio: 25 * mb, document: 25 * mb }, "pt-BR")).toBe(
    "Arquivos até 25 MB.",
  );
  expect(say({ image: 5 * mb }, "es")).toBe("Fotos hasta 5 MB.");
  expect(say({}, "en")).toBe("No files here.");
});

it("never promises more than the hub itself takes", () => {
  expect(within({ image: 5 * mb, document: 2000 * mb })).toEqual({ image: 5 * mb, document: hubTakes });
});
