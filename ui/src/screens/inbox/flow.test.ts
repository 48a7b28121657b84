import { expect, it } from "vitest";
import type { Message } from "../../bindings";
import type { Pending } from "../../queries/pending";
import { countAfter, firstOfLast, flowRows, guessedHeight, merged } from "./flow";

const at = Date.UTC(2026, 10, 20, 9);
const said = (id: string, by: "contact" | "agent" | "system", minutes = 0, text = "Hello") =>
  ({
    id,
    author: { type: by, id: null },
    direction: by === "contact" ? "in" : "out",
    content: [{ type: "text", text }],
    sent_at: at + minutes * 60_000,
    sources: [],
  }) as unknown as Message;

it("begins a day, a run of one author and the unread ones", () => {
  const all = [
    said("a", "contact"),
    said("b", "contact", 1),
    said("c", "agent", 2),
    said("d", "agent", 30),
    said("e", "agent", 60 * 30),
  ];
  const rows = flowRows(all, "b", true);
  const signs = rows.map((row) =>
    row.type === "typing" ? "…" : `${row.newDay ? "D" : ""}${row.unreadLine ? "U" : ""}${row.first ? "F" : ""}`,
  );
  expect(signs).toEqual(["DF", "U", "F", "F", "DF", "…"]);
});

it("shows what is pending once, also when the hub lists it already", () => {
  const mine = { ...said("pending_1", "agent"), client_key: "k1" } as Pending;
  expect(merged([said("b", "contact"), said("a", "contact")], [mine]).map((one) => one.id)).toEqual([
    "a",
    "b",
    "pending_1",
  ]);
  const listed = { ...said("msg_9", "agent"), client_key: "k1" };
  expect(merged([listed, said("a", "contact")], [mine]).map((one) => one.id)).toEqual(["a", "msg_9"]);
});

it("counts what came below, activity lines left out", () => {
  const all = [said("a", "contact"), said("s", "system", 1), said("b", "contact", 2), said("c", "agent", 3)];
  const rows = flowRows(all, undefined, false);
  expect([countAfter(rows, "a"), countAfter(rows, "c"), countAfter(rows, undefined)]).toEqual([2, 0, 0]);
  expect([firstOfLast(all, 1), firstOfLast(all, 9), firstOfLast(all, 0)]).toEqual(["b", "a", undefined]);
});

it("guesses longer messages higher", () => {
  const [short, long] = flowRows(
    [said("a", "contact", 0, "Hi"), said("b", "contact", 1, "word ".repeat(100))],
    undefined,
    false,
  );
  expect(short && long && guessedHeight(long) > guessedHeight(short) + 100).toBe(true);
});
