import { expect, it } from "vitest";
import { apiError } from "./error";

it("reads an error of either host", () => {
  const inner = { code: "invalid", message: "Look again.", fields: { name: "Too long." } };
  for (const answer of [inner, { error: inner }]) {
    const error = apiError(answer);
    expect([error.code, error.message, error.fields]).toEqual(["invalid", "Look again.", { name: "Too long." }]);
  }
});

it("survives an answer that is none", () => {
  expect(apiError(null, "http_502").code).toBe("http_502");
  expect(apiError("the pipe broke").message).toBe("the pipe broke");
});
