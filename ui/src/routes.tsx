/**
 * Every screen and its address. The address lives behind a `#`, so that it works the same in the window's own scheme, on the
 * hub's admin port and behind somebody's proxy.
 */
import { createHashHistory, createRootRoute, createRoute, createRouter, redirect } from "@tanstack/react-router";
import { App } from "./App";
import { Shell } from "./components/Shell";
import { Activity } from "./screens/Activity";
import { AgentEdit } from "./screens/AgentEdit";
import { Agents } from "./screens/Agents";
import { activitySearch } from "./screens/activity/search";
import { ConnectionSetup } from "./screens/ConnectionSetup";
import { Connections } from "./screens/Connections";
import { FirstRun } from "./screens/FirstRun";
import { Inbox } from "./screens/Inbox";
import { inboxSearch } from "./screens/inbox/search";
import { Knowledge } from "./screens/Knowledge";
import { Settings } from "./screens/Settings";

const root = createRootRoute({ component: App, notFoundComponent: () => null });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/inbox" });
  },
});
const welcome = createRoute({ getParentRoute: () => root, path: "/welcome", component: FirstRun });
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
const connections = createRoute({ getParentRoute: () => shell, path: "/connections", component: Connections });
/** `new/<connector>` starts a connection, `con_…` goes on with one. */
const connectionNew = createRoute({
  getParentRoute: () => shell,
  path: "/connections/new/$connector",
  component: ConnectionSetup,
});
const connectionOpen = createRoute({
  getParentRoute: () => shell,
  path: "/connections/$connection",
  component: ConnectionSetup,
});
const agents = createRoute({ getParentRoute: () => shell, path: "/agents", component: Agents });
/** `agt_…` or `new`. */
const agentOpen = createRoute({ getParentRoute: () => shell, path: "/agents/$agent", component: AgentEdit });
const knowledge = createRoute({ getParentRoute: () => shell, path: "/knowledge", component: Knowledge });
const activity = createRoute({
  getParentRoute: () => shell,
  path: "/activity",
  component: Activity,
  validateSearch: activitySearch,
});
const settings = createRoute({ getParentRoute: () => shell, path: "/settings", component: Settings });

export const router = createRouter({
  history: createHashHistory(),
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
      settings,
    ]),
  ]),
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
