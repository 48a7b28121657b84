import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { i18next } from "../../i18n";
import { WebsiteActions } from "../connections/WebsiteActions";
import { ChannelStep } from "./ChannelStep";

/** The address in the line. */
let base: string;
beforeEach(async () => {
  await i18next.changeLanguage("en");
  vi.stubGlobal("fetch", async (url: string) =>
    Response.json(
      url.endsWith("list_connections")
        ? { items: [{ id: "con_1", connector: "website" }] }
        : {
            snippet: `<script>(e=>{})({base:"${base}",key:"k",words:{}})</script>`,
            test_page_url: "http://127.0.0.1:1/widget/v1/test/k",
          },
    ),
  );
});
afterEach(() => vi.unstubAllGlobals());

const draw = (what: React.ReactElement) =>
  render(<QueryClientProvider client={new QueryClient()}>{what}</QueryClientProvider>);
const step = () => draw(<ChannelStep onBack={() => {}} onFinish={async () => {}} />);

it.each(["http://127.0.0.1:7411", "http://localhost:7411", "http://[::1]:7411"])(
  "says in the first run and on the connection's page that a line with %s works on this computer only",
  async (local) => {
    base = local;
    step();
    expect((await screen.findByRole("note")).textContent).toMatch(/on this computer only.*Settings/);
    expect(screen.queryByText(/when you want it public/)).toBeNull();
    expect(screen.getByText(/needs a public address first/)).toBeTruthy();
    cleanup();
    draw(<WebsiteActions id="con_1" />);
    await screen.findByRole("note");
    expect(screen.getByRole("link", { name: "Open Settings" }).getAttribute("href")).toBe("#/settings");
  },
);

it("says nothing of the kind once there is a public address", async () => {
  base = "https://bakery.example";
  step();
  await screen.findByText(/bakery\.example/);
  expect(screen.getByText(/when you want it public/)).toBeTruthy();
  draw(<WebsiteActions id="con_1" />);
  await screen.findByRole("button", { name: "Open test page" });
  expect(screen.queryByRole("note")).toBeNull();
});
