import { fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import { i18next } from "../../i18n";
import { HandBack } from "./HandBack";

beforeEach(() => i18next.changeLanguage("en"));

it("shows the key that hands back, and the key does it", () => {
  const onHandBack = vi.fn();
  render(<HandBack open onOpen={() => {}} busy={false} error={undefined} onHandBack={onHandBack} />);
  const button = screen.getByRole("button", { name: /^Hand back/ });
  expect([...button.querySelectorAll("kbd")].map((key) => key.textContent)).toEqual(["Ctrl", "↵"]);
  const field = screen.getByRole("textbox");
  fireEvent.change(field, { target: { value: "She wants the price" } });
  fireEvent.keyDown(field, { key: "Enter", ctrlKey: true });
  expect(onHandBack).toHaveBeenCalledExactlyOnceWith("She wants the price");
});
