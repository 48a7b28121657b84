import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Agent } from "../../bindings";
import { i18next } from "../../i18n";
import { AgentStep } from "./AgentStep";

const asked: { command: string; body: Record<string, unknown> }[] = [];
beforeEach(async () => {
  await i18next.changeLanguage("en");
  asked.length = 0;
  vi.stubGlobal("fetch", async (url: string, init: { body: string }) => {
    asked.push({ command: url.replace("/api/v1/", ""), body: JSON.parse(init.body) });
    return new Response("{}");
  });
});
afterEach(() => vi.unstubAllGlobals());

const nina = { id: "agt_1", name: "Nina", instructions: "Whatever its owner wrote." } as Agent;
function step(onNext: () => void) {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <AgentStep agent={nina} onName={() => {}} onBack={() => {}} onNext={onNext} />
    </QueryClientProvider>,
  );
}

it("gives the agent its name and leaves alone what it is told", async () => {
  const onNext = vi.fn();
  step(onNext);
  fireEvent.change(screen.getByLabelText("Name"), { target: { value: "Clara " } });
  fireEvent.click(screen.getByRole("button", { name: "Continue" }));
  await waitFor(() => expect(onNext).toHaveBeenCalled());
  expect(asked).toEqual([{ command: "update_agent", body: { id: "agt_1", name: "Clara" } }]);
});

it("writes the chosen tone, with the shop's name as a gap that the hub fills", async () => {
  const onNext = vi.fn();
  step(onNext);
  fireEvent.click(screen.getByRole("button", { name: "Formal" }));
  fireEvent.click(screen.getByRole("button", { name: "Continue" }));
  await waitFor(() => expect(onNext).toHaveBeenCalled());
  expect(asked[0]?.body.instructions).toMatch(
    /^You are Nina, who answers customers of \{\{shop\.name\}\} in their own language\. Be polite/,
  );
});
