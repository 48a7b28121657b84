import { render, screen } from "@testing-library/react";
import { beforeEach, expect, it } from "vitest";
import { i18next } from "../../i18n";
import { Instructions } from "./Instructions";
import { unknownVariables } from "./variables";

beforeEach(() => i18next.changeLanguage("en"));

it("marks a variable that the hub does not know and names those it does", () => {
  render(<Instructions value="You work for {{nope}}, {{ shop.name }}." onValue={() => {}} />);
  const field = screen.getByRole("textbox");
  expect(field.getAttribute("aria-invalid")).toBe("true");
  const said = document.getElementById(field.getAttribute("aria-describedby") ?? "")?.textContent;
  expect(said).toContain("does not know {{nope}}");
  expect(said).toContain("{{shop.name}}, {{customer.name}}");
});

it("leaves alone what the hub fills, and what is not finished", () => {
  render(<Instructions value="{{shop.name}} on {{ weekday }}, {{cust" onValue={() => {}} />);
  expect(screen.getByRole("textbox").getAttribute("aria-invalid")).toBeNull();
  expect(unknownVariables("{{a}} {{ a }} {{Shop.name}} {{}}")).toEqual(["a", "Shop.name", ""]);
});
