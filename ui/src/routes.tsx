/**
 * Every screen and its address. The address lives behind a `#`, so that it works the same in the window's own scheme, on the
 * hub's admin port and behind somebody's proxy.
 */
import {
  createHashHistory,
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { App } from "./App";
import { Shell } from "./components/Shell";
import { activitySearch } from "./screens/activity/search";
import { Coming } from "./screens/Coming";
import { Inbox } from "./screens/Inbox";
import { inboxSearch } from "./screens/inbox/search";
import { Nowhere } from "./screens/Nowhere";

/** The inbox is there at once; every other screen is fetched when it is first wanted, or when the browser has nothing else to do. */
const screens = {
  Activity: lazyRouteComponent(() => import("./screens/Activity"), "Activity"),
  AgentEdit: lazyRouteComponent(() => import("./screens/AgentEdit"), "AgentEdit"),
  Agents: lazyRouteComponent(() => import("./screens/Agents"), "Agents"),
  Connections: lazyRouteComponent(() => import("./screens/Connections"), "Connections"),
  ConnectionSetup: lazyRouteComponent(() => import("./screens/ConnectionSetup"), "ConnectionSetup"),
  FirstRun: lazyRouteComponent(() => import("./screens/FirstRun"), "FirstRun"),
  Knowledge: lazyRouteComponent(() => import("./screens/Knowledge"), "Knowledge"),
  Lab: lazyRouteComponent(() => import("./screens/Lab"), "Lab"),
  Reach: lazyRouteComponent(() => import("./screens/Reach"), "Reach"),
  Settings: lazyRouteComponent(() => import("./screens/Settings"), "Settings"),
};

/** Fetches the other screens once the browser has nothing else to do, so that they open at once, also when the hub is gone by then. */
export function fetchScreens(): void {
  const fetchAll = () => {
    for (const screen of Object.values(screens)) {
      // One that cannot be fetched now is fetched when it is opened.
      void screen.preload?.()?.catch(() => {});
    }
  };
  if ("requestIdleCallback" in window) window.requestIdleCallback(fetchAll, { timeout: 5_000 });
  else setTimeout(fetchAll, 2_000);
}

const root = createRootRoute({ component: App, notFoundComponent: Nowhere });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/inbox" });
  },
});
const welcome = createRoute({ getParentRoute: () => root, path: "/welcome", component: screens.FirstRun });
const shell = createRoute({ getParentRoute: () => root, id: "shell", component: Shell });

/** The list stays while conversations are opened: the address of one is a child of the list's. */
const inbox = createRoute({
  getParentRoute: () => shell,
  path: "/inbox",
  component: Inbox,
  validateSearch: inboxSearch,
});
const inboxNone = createRoute({ getParentRoute: () => inbox, path: "/", component: () => null });
const inboxOpen = createRoute({ getParentRoute: () => inbox, path: "/$conversation", component: () => null });
const connections = createRoute({ getParentRoute: () => shell, path: "/connections", component: screens.Connections });
/** `new/<connector>` starts a connection, `con_…` goes on with one. */
const connectionNew = createRoute({
  getParentRoute: () => shell,
  path: "/connections/new/$connector",
  component: screens.ConnectionSetup,
});
const connectionOpen = createRoute({
  getParentRoute: () => shell,
  path: "/connections/$connection",
  component: screens.ConnectionSetup,
});
const agents = createRoute({ getParentRoute: () => shell, path: "/agents", component: screens.Agents });
/** `agt_…` or `new`. */
const agentOpen = createRoute({ getParentRoute: () => shell, path: "/agents/$agent", component: screens.AgentEdit });
const knowledge = createRoute({ getParentRoute: () => shell, path: "/knowledge", component: screens.Knowledge });
const activity = createRoute({
  getParentRoute: () => shell,
  path: "/activity",
  component: screens.Activity,
  validateSearch: activitySearch,
});
const lab = createRoute({ getParentRoute: () => shell, path: "/lab", component: screens.Lab });
const reach = createRoute({ getParentRoute: () => shell, path: "/reach", component: screens.Reach });
const settings = createRoute({ getParentRoute: () => shell, path: "/settings", component: screens.Settings });

export const router = createRouter({
  history: createHashHistory(),
  notFoundMode: "root",
  // A screen that is still on its way: nothing at first, then grey lines.
  defaultPendingMs: 100,
  defaultPendingComponent: Coming,
  routeTree: root.addChildren([
    home,
    welcome,
    shell.addChildren([
      inbox.addChildren([inboxNone, inboxOpen]),
      connections,
      connectionNew,
      connectionOpen,
      agents,
      agentOpen,
      knowledge,
      activity,
      lab,
      reach,
      settings,
    ]),
  ]),
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
