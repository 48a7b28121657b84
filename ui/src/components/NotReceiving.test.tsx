import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Health } from "../bindings";
import { i18next } from "../i18n";

let now: Partial<Health>;
vi.mock("../bridge", async (real) => ({
  ...(await real<object>()),
  call: async (name: string) => (name === "health" ? now : { items: [] }),
}));
vi.mock("@tanstack/react-router", async (real) => ({ ...(await real<object>()), useNavigate: () => () => {} }));
const { NotReceiving } = await import("./NotReceiving");

const settle = (wait: number) => act(async () => void (await vi.advanceTimersByTimeAsync(wait)));
beforeEach(async () => {
  await i18next.changeLanguage("en");
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

it("says in the hub's words why nothing is received, and goes by itself once it is", async () => {
  now = { receiving: true };
  render(
    <QueryClientProvider client={new QueryClient()}>
      <NotReceiving />
    </QueryClientProvider>,
  );
  await settle(100);
  expect(screen.queryByRole("alert")).toBeNull();
  now = { receiving: false, receiving_reason: "The disk is full. Messages wait at the services until there is room." };
  await settle(31_000);
  expect(screen.getByRole("alert").textContent).toContain("Shopbell is not receiving. The disk is full.");
  now = { receiving: true, receiving_reason: null };
  await settle(6_000);
  expect(screen.queryByRole("alert")).toBeNull();
});

it("says what not receiving means when the hub gives no reason", async () => {
  now = { receiving: false, receiving_reason: null };
  render(
    <QueryClientProvider client={new QueryClient()}>
      <NotReceiving />
    </QueryClientProvider>,
  );
  await settle(100);
  expect(screen.getByRole("alert").textContent).toContain("Messages wait at the services that try again");
});

it("says that the clock was set back, while messages come in", async () => {
  now = { receiving: true, clock_reason: "This computer's clock was set back: it shows 2026-11-20 09:00." };
  render(
    <QueryClientProvider client={new QueryClient()}>
      <NotReceiving />
    </QueryClientProvider>,
  );
  await settle(100);
  expect(screen.getByRole("status").textContent).toContain("Check the date and time. This computer's clock was set back");
});
