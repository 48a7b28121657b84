import { QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Settings, UpdateSettings } from "../bindings";

let kept: Settings;
const asked: UpdateSettings[] = [];
vi.mock("../bridge", async (real) => ({
  ...(await real<object>()),
  call: async (name: string, change: UpdateSettings) => {
    if (name === "update_settings") {
      asked.push(change);
      kept = { ...kept, ...change } as Settings;
    }
    return kept;
  },
}));
const { queryClient } = await import("../queries/client");
const { settings } = await import("../queries/hub");
const { KeySheet } = await import("./KeySheet");
const { KeysProvider, useKey } = await import("../keys/KeysProvider");
const { useQuery } = await import("@tanstack/react-query");

const did: string[] = [];
function Inbox() {
  const shop = useQuery(settings());
  return (
    <KeysProvider single={shop.data?.single_keys !== false} changed={shop.data?.keys}>
      <Handlers />
    </KeysProvider>
  );
}
function Handlers() {
  useKey("snooze", () => did.push("snooze"));
  useKey("take", () => did.push("take"));
  useKey("go_inbox", () => did.push("inbox"));
  return null;
}
async function draw() {
  const drawn = render(
    <QueryClientProvider client={queryClient}>
      <Inbox />
      <KeySheet open onOpen={() => {}} />
    </QueryClientProvider>,
  );
  // The dialog takes the focus.
  await settle();
  return drawn;
}
const press = (key: string) => fireEvent.keyDown(document.activeElement ?? document.body, { key });
const change = (what: string) => fireEvent.click(screen.getByRole("button", { name: new RegExp(`“${what}”`) }));
const settle = () => act(async () => void (await vi.advanceTimersByTimeAsync(1500)));

beforeEach(() => {
  vi.useFakeTimers();
  kept = { single_keys: true, keys: {} } as unknown as Settings;
  queryClient.setQueryData(settings().queryKey, kept);
  asked.length = 0;
  did.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
  queryClient.clear();
});

it("changes a key, which then works in its new place and no longer in its old one", async () => {
  const sheet = await draw();
  change("Snooze");
  press("x");
  await settle();
  expect(asked).toEqual([{ keys: { snooze: "x" } }]);
  sheet.rerender(
    <QueryClientProvider client={queryClient}>
      <Inbox />
    </QueryClientProvider>,
  );
  fireEvent.keyDown(document.body, { key: "z" });
  fireEvent.keyDown(document.body, { key: "x" });
  expect(did).toEqual(["snooze"]);
});

it("tells a conflict before anything is changed, and gives the key over when asked", async () => {
  await draw();
  change("Snooze");
  press("t");
  await settle();
  expect(asked).toEqual([]);
  expect(screen.getByRole("alert").textContent).toContain("T is “Take over, hand back” already.");
  fireEvent.click(screen.getByRole("button", { name: "Use it here, and none there" }));
  await settle();
  expect(asked).toEqual([{ keys: { take: "", snooze: "t" } }]);
  expect(screen.getByRole("button", { name: /Take over.*no key/ })).toBeTruthy();
});

it("takes two keys after each other, none at all, and gives up with Esc", async () => {
  await draw();
  change("Inbox");
  press("g");
  press("h");
  await settle();
  change("Snooze");
  press("Backspace");
  await settle();
  change("Private note");
  press("Escape");
  await settle();
  expect(asked).toEqual([{ keys: { go_inbox: "g h" } }, { keys: { go_inbox: "g h", snooze: "" } }]);
});

it("refuses keys with Ctrl and says why", async () => {
  await draw();
  change("Snooze");
  fireEvent.keyDown(document.body, { key: "s", ctrlKey: true });
  await settle();
  expect(asked).toEqual([]);
  expect(screen.getByText(/belong to the browser/)).toBeTruthy();
});

it("puts all keys back", async () => {
  kept = { ...kept, keys: { snooze: "x" } };
  queryClient.setQueryData(settings().queryKey, kept);
  await draw();
  fireEvent.click(screen.getByRole("button", { name: "Put all keys back" }));
  await settle();
  expect(asked).toEqual([{ keys: {} }]);
});
