import { expect, it } from "vitest";
import { pieces, pretty } from "./json";

it("tells keys, strings and numbers apart, and loses no letter", () => {
  const text = '{"a\\"b": "x: \\"y\\"", "n": -1.5e3, "t": true}';
  const cut = pieces(text);
  expect(cut.map((one) => one.text).join("")).toBe(text);
  expect(cut.filter((one) => one.kind === "key").map((one) => one.text)).toEqual(['"a\\"b"', '"n"', '"t"']);
  expect(cut.filter((one) => one.kind === "string").map((one) => one.text)).toEqual(['"x: \\"y\\""']);
});

it("shows what is not JSON as it came", () => {
  expect(pretty("Body=hello&From=%2B55")).toEqual({ text: "Body=hello&From=%2B55", json: false });
});
