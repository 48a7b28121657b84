import { describe, expect, it } from "vitest";
import type { Template } from "../../bindings";
import { blanks, filled, matches } from "./template";

const ready: Template = {
  id: "1",
  name: "order_ready",
  language: "pt_BR",
  category: "utility",
  status: "approved",
  header: "Pedido {{1}}",
  body: "Olá {{1}}, seu pedido está pronto.",
  footer: null,
  buttons: [],
  gaps: [
    { key: "header.1", label: "1", example: null, kind: "text" },
    { key: "body.1", label: "1", example: "Ana", kind: "text" },
  ],
};

describe("a template", () => {
  it("reads with its gaps filled, each in its own place", () => {
    expect(filled(ready, { "header.1": "77", "body.1": "Ana" })).toBe("Pedido 77\n\nOlá Ana, seu pedido está pronto.");
  });
  it("shows an empty gap by its name", () => {
    expect(filled(ready, { "body.1": " " })).toContain("Olá {{1}},");
    expect(blanks(ready, { "header.1": "77", "body.1": " " })).toEqual(["body.1"]);
  });
  it("is found by its words in any case", () => {
    expect(matches(ready, "PEDIDO")).toBe(true);
    expect(matches(ready, "bolo")).toBe(false);
  });
});
