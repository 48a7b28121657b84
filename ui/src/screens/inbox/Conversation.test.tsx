import { QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import { i18next } from "../../i18n";
import { KeysProvider } from "../../keys/KeysProvider";

let refusal: unknown;
vi.mock("../../bridge", async (real) => ({
  ...(await real<object>()),
  call: async () => {
    throw refusal;
  },
}));
const { ApiError } = await import("../../bridge");
const { queryClient } = await import("../../queries/client");
const { ToastProvider } = await import("../../components/Toast");
const { Conversation } = await import("./Conversation");

beforeEach(async () => {
  await i18next.changeLanguage("en");
  queryClient.clear();
});
const draw = () =>
  render(
    <QueryClientProvider client={queryClient}>
      <ToastProvider>
        <KeysProvider single changed={{}}>
          <Conversation id="cnv_1" panelShown={false} onPanel={() => {}} onBack={() => {}} onNext={() => {}} />
        </KeysProvider>
      </ToastProvider>
    </QueryClientProvider>,
  );

it("says of a conversation that is gone only that it is, without a second sentence or a useless button", async () => {
  refusal = new ApiError("not_found", "This conversation is not there any more.");
  draw();
  await screen.findByRole("heading", { name: "This conversation is not here any more" });
  expect(screen.queryByText(/could not be read|not there any more/)).toBeNull();
  expect(screen.queryByRole("button", { name: "Try again" })).toBeNull();
  expect(screen.getByRole("button", { name: "Back to the list" })).toBeTruthy();
});

it("says of one that could not be read why, with a way to try again", async () => {
  refusal = new ApiError("internal", "The database is busy.");
  draw();
  await screen.findByRole("heading", { name: /could not be read/ });
  expect(screen.getByText("The database is busy.")).toBeTruthy();
  expect(screen.getByRole("button", { name: "Try again" })).toBeTruthy();
});
