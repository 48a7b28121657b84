import "./styles/fonts.css";
import "./styles/tokens.css";
import "./styles/global.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { prepareBridge } from "./bridge";
import { ToastProvider } from "./components/Toast";
import { prepareWords } from "./i18n";
import { queryClient } from "./queries/client";
import { fetchScreens, router } from "./routes";
import { followSystem } from "./theme";

/** Signs in if the address brings a link, then draws the screens. */
async function start() {
  const place = document.getElementById("root");
  if (place === null) throw new Error("index.html has no #root");
  const root = createRoot(place);
  followSystem();
  await Promise.all([prepareBridge(), prepareWords()]);
  root.render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <ToastProvider>
          <RouterProvider router={router} />
        </ToastProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
  fetchScreens();
}

void start();
