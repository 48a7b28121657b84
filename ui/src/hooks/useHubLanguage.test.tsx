import { QueryClientProvider, useQuery } from "@tanstack/react-query";
import { act, fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import type { Settings, UpdateSettings } from "../bindings";

/** A hub whose answers are in the language that it was told last. */
let kept: Settings;
const asked: string[] = [];
vi.mock("../bridge", async (real) => ({
  ...(await real<object>()),
  call: async (name: string, change: UpdateSettings) => {
    asked.push(name);
    if (name === "update_settings") kept = { ...kept, ...change } as Settings;
    if (name === "list_connectors")
      return { items: [{ summary: kept.language === "es" ? "Pega la clave" : "Paste the key" }] };
    return kept;
  },
}));
const { queryClient } = await import("../queries/client");
const { connectors } = await import("../queries/connections");
const { settings } = await import("../queries/hub");
const { useSaving } = await import("../screens/settings/useSaving");
const { ToastProvider } = await import("../components/Toast");
const { useHubLanguage } = await import("./useHubLanguage");

function Shop() {
  useHubLanguage(useQuery(settings()).data?.language);
  const kinds = useQuery(connectors());
  const { save } = useSaving();
  return (
    <>
      <p>{kinds.data?.items[0]?.summary}</p>
      <button type="button" onClick={() => save({ language: "es" })}>
        Español
      </button>
    </>
  );
}

beforeEach(() => {
  kept = { language: "en" } as Settings;
  asked.length = 0;
  queryClient.clear();
});

it("asks again for what the hub says in words once the language has changed, and not before", async () => {
  render(
    <QueryClientProvider client={queryClient}>
      <ToastProvider>
        <Shop />
      </ToastProvider>
    </QueryClientProvider>,
  );
  await screen.findByText("Paste the key");
  await act(async () => void (await new Promise((done) => setTimeout(done, 50))));
  expect(asked.filter((name) => name === "list_connectors")).toHaveLength(1);
  fireEvent.click(screen.getByRole("button", { name: "Español" }));
  await screen.findByText("Pega la clave");
});
