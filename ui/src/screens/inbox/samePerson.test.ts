import { expect, it } from "vitest";
import { byPerson } from "./SamePerson";

const line = (id: string, connector: string) => ({ id, name: id, phone: "+5511988774410", connector });

it("offers somebody with the number on two channels once, with both grounds", () => {
  const [first, second, ...rest] = byPerson([line("a", "sms"), line("b", "sms"), line("a", "wa")]);
  expect(first?.[0].id).toBe("a");
  expect(first?.[1].map((one) => one.connector)).toEqual(["sms", "wa"]);
  expect(second?.[1]).toHaveLength(1);
  expect(rest).toEqual([]);
});
