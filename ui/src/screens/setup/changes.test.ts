import { expect, it } from "vitest";
import { fieldsOf } from "../../components/schema-form/schema";
import { changesOf } from "./changes";

const fields = fieldsOf({
  type: "object",
  properties: {
    name: { type: "string" },
    note: { type: "string" },
    token: { type: "string", writeOnly: true },
    smtp: { type: "object", properties: { host: { type: "string" }, password: { type: "string", writeOnly: true } } },
  },
});
const before = { name: "a", note: "b", token: { set: true }, smtp: { host: "h", password: { set: true } } };

it("leaves kept secrets alone", () => {
  expect(changesOf(fields, before, before)).toEqual({ name: "a", note: "b", smtp: { host: "h" } });
});

it("takes away what was emptied", () => {
  expect(
    changesOf(fields, before, { name: "x", note: "", token: "", smtp: { host: "", password: { set: true } } }),
  ).toEqual({
    name: "x",
    note: null,
    token: "",
    smtp: { host: null },
  });
});
