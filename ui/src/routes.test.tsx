import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { i18next } from "./i18n";

vi.mock("./bridge", async (real) => ({
  ...(await real<object>()),
  onChanges: () => () => {},
  call: async (name: string) =>
    name === "health" ? { vault: "open", receiving: true, first_run_done: true } : { language: "en", items: [] },
}));
// jsdom has no pages to scroll.
vi.stubGlobal("scrollTo", () => {});
const { queryClient } = await import("./queries/client");
const { ToastProvider } = await import("./components/Toast");
const { router } = await import("./routes");

it.each(["/nope", "/agents/agt_1/nope", "/inbox/cnv_1/nope"])(
  "says of an unknown address (%s) that there is no such page, with a way to the inbox",
  async (address) => {
    await i18next.changeLanguage("en");
    router.history.push(address);
    render(
      <QueryClientProvider client={queryClient}>
        <ToastProvider>
          <RouterProvider router={router} />
        </ToastProvider>
      </QueryClientProvider>,
    );
    expect(await screen.findByRole("heading", { level: 1, name: "There is no such page" })).toBeTruthy();
    expect(screen.getAllByRole("main")).toHaveLength(1);
    expect(screen.getByRole("link", { name: "Go to the inbox" }).getAttribute("href")).toBe("#/inbox");
  },
);
