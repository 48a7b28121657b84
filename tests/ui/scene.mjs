/** What every file of tests begins with: a hub, a browser, and the owner of the shop in front of it. */
import { after, before, test } from "node:test";
import { Hub } from "./hub.mjs";
import { launch, picture, watch, wide } from "./stage.mjs";

/** A hub and a browser for the tests of one file; both are closed behind them. */
export function scene({ vault = "open", lab = false, prepare } = {}) {
  const here = { pages: [] };
  before(async () => {
    [here.hub, here.browser] = await Promise.all([Hub.start({ vault, lab }), launch()]);
    await prepare?.(here);
  });
  after(async () => {
    await here.browser?.close();
    await here.hub?.close();
  });

  /** A test; when it fails, pictures of what was on the screens stay behind. */
  here.test = (name, body) =>
    test(name, async (context) => {
      here.pages = [];
      try {
        await body(context);
      } catch (error) {
        for (const [at, page] of here.pages.entries()) {
          if (!page.isClosed()) await picture(page, `failed-${name}-${at}`, true).catch(() => {});
        }
        throw error;
      } finally {
        for (const page of here.pages) await page.context().close();
      }
    });

  /** A page in a browser profile of its own, watched. */
  here.page = async (options = {}) => {
    const { allow = [], theme, ...rest } = options;
    const context = await here.browser.newContext({ viewport: wide, locale: "en-US", timezoneId: "Europe/Lisbon", colorScheme: theme ?? "light", ...rest });
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    page.watch = watch(page, allow);
    here.pages.push(page);
    return page;
  };

  /** A page of the owner, signed in and at `path`. */
  here.owner = async (path = "/inbox", options = {}) => {
    const page = await here.page(options);
    await here.signIn(page);
    await here.go(page, path);
    return page;
  };

  /** Lets the browser in with the session of the first sign-in, since a link works once per start of the hub. */
  here.signIn = async (page) => {
    if (here.cookies === undefined) {
      await page.goto(await here.hub.link());
      await page.locator("#main, main").first().waitFor();
      here.cookies = await page.context().cookies();
    } else {
      await page.context().addCookies(here.cookies);
      await page.goto(here.hub.adminUrl);
    }
  };

  /** Goes to a screen of the shop. */
  here.go = async (page, path) => {
    await page.goto(`${here.hub.adminUrl}/#${path}`);
    await page.locator("#main").first().waitFor();
  };
  return here;
}

/** Brings a hub past the first run, as the guide does: a name, a file, an agent, the website chat. */
export async function openShop({ hub }, { text, language = "en" } = {}) {
  await hub.call("update_settings", { shop_name: "Golden Crust Bakery", language, first_run_done: true, first_run_step: 4 });
  const { items } = await hub.call("list_connections", {});
  const website = items.find((one) => one.connector === "website") ?? (await hub.call("create_connection", { connector: "website", name: "Website chat", config: {} }));
  const builtIn = items.find((one) => one.connector === "built-in") ?? (await hub.call("create_connection", { connector: "built-in", name: "Built-in answers", config: {} }));
  let agent = (await hub.call("list_agents", {})).items[0];
  agent ??= await hub.call("create_agent", { name: "Nina", instructions: "You are Nina.", connection: builtIn.id });
  await hub.call("set_default_agent", { agent: agent.id });
  if (text) await hub.call("add_knowledge", { name: "bakery.txt", base64: Buffer.from(text).toString("base64") });
  const snippet = await hub.call("website_snippet", { id: website.id });
  return { website, agent, snippet };
}
