import { useQuery } from "@tanstack/react-query";
import { Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { type ChangeEvent, onChanges, onSignedOut, signInLinkRefused } from "./bridge";
import { useHubLanguage } from "./hooks/useHubLanguage";
import { speak } from "./i18n";
import { KeysProvider } from "./keys/KeysProvider";
import { invalidate } from "./queries/changes";
import { health, settings } from "./queries/hub";
import { noteLink } from "./queries/link";
import { noteTyping } from "./queries/typing";
import { Connecting } from "./screens/Connecting";
import { SignIn } from "./screens/SignIn";
import { Unlock } from "./screens/Unlock";
import { keptTheme, paint } from "./theme";

/** Decides what may be seen: signing in, the vault, the first run, and then the shop. */
export function App() {
  const [signedOut, setSignedOut] = useState(false);
  const state = useQuery(health());
  const vault = state.data?.vault;
  const open = vault === "open";
  const shop = useQuery({ ...settings(), enabled: open });
  const navigate = useNavigate();
  // What is drawn, not what the address says: the address is ahead of it for a moment, and the screens ask the hub at once.
  const welcoming = useRouterState({ select: (router) => router.matches.some((one) => one.routeId === "/welcome") });
  const firstRun = state.data !== undefined && !state.data.first_run_done;

  useEffect(() => onSignedOut(() => setSignedOut(true)), []);
  useEffect(() => (open && !signedOut ? onChanges(hear) : undefined), [open, signedOut]);
  useHubLanguage(shop.data?.language);
  // A locked vault gives no settings; the language it is asked in stands with how the hub is.
  useEffect(() => {
    if (vault === "locked" && state.data?.language) speak(state.data.language);
  }, [vault, state.data?.language]);
  useEffect(() => {
    if (shop.data?.theme && shop.data.theme !== keptTheme()) paint(shop.data.theme);
  }, [shop.data?.theme]);
  useEffect(() => {
    if (firstRun && vault !== "locked" && !welcoming) void navigate({ to: "/welcome", replace: true });
  }, [firstRun, vault, welcoming, navigate]);

  if (signedOut) return <SignIn used={signInLinkRefused()} />;
  if (state.data === undefined) return <Connecting failed={state.isError} onRetry={() => void state.refetch()} />;
  if (vault === "locked" || (vault === "none" && !firstRun)) return <Unlock make={vault === "none"} />;
  if (firstRun && !welcoming) return null;
  return (
    <KeysProvider single={shop.data?.single_keys !== false} changed={shop.data?.keys}>
      <Outlet />
    </KeysProvider>
  );
}

function hear(event: ChangeEvent): void {
  invalidate(event);
  noteTyping(event);
  noteLink(event);
}
