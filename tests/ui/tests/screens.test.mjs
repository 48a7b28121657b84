/** Every screen: it opens without a complaint, fits wide and narrow, in light and dark, in three languages, and says what axe wants to hear. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";
import { bakery } from "../bakery.mjs";
import { openShop, scene } from "../scene.mjs";
import { axe, narrow, noSidewaysScroll, picture, until, wide } from "../stage.mjs";
import { Telegram, token } from "../telegram.mjs";

let shop;
let telegram;
before(async () => {
  telegram = await Telegram.start();
});
after(() => telegram?.close());
const here = scene({
  prepare: async (here) => {
    shop = await openShop(here, { text: bakery });
    const { id } = await here.hub.call("create_connection", { connector: "telegram", name: "Telegram", config: { bot_token: token, base_url: telegram.url } });
    shop.telegram = id;
    telegram.says("Do you have gluten-free bread?");
    await until("an answer", () => telegram.sent.length === 1);
  },
});

/** Name, address, what must be on it before it is looked at. */
const screens = () => [
  ["inbox", "/inbox", "[data-row]"],
  ["connections", "/connections", "h2"],
  ["setup-new", "/connections/new/telegram", "form"],
  ["setup-telegram", `/connections/${shop.telegram}`, "form"],
  ["setup-website", `/connections/${shop.website.id}`, "form"],
  ["agents", "/agents", "h1"],
  ["agent", `/agents/${shop.agent.id}`, "form"],
  ["knowledge", "/knowledge", "main li"],
  ["activity", "/activity", "[data-row], #main button"],
  ["activity-turns", "/activity?show=turns", "#main button"],
  ["activity-outbox", "/activity?show=outbox", "#main"],
  ["settings", "/settings", "h2"],
];

/** The screens fetch what they show: looked at when nothing is on its way any more. */
async function settled(page, mark) {
  await page.locator(mark).first().waitFor();
  await until("what is being read", async () => (await page.locator("[aria-busy=true]").count()) === 0);
  await page.evaluate(() => document.fonts.ready);
}

for (const theme of ["light", "dark"]) {
  for (const [size, viewport] of [
    ["1280", wide],
    ["380", narrow],
  ]) {
    here.test(`every screen opens well, ${theme}, ${size} wide`, async (context) => {
      const page = await here.owner("/inbox", { viewport, theme });
      for (const [name, path, mark] of screens()) {
        await context.test(name, async () => {
          await here.go(page, path);
          await settled(page, mark);
          await picture(page, `${name}-${theme}-${size}`);
          await axe(page, `${name}, ${theme}, ${size}`);
          await noSidewaysScroll(page, `${name}, ${theme}, ${size}`);
          assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), theme);
          page.watch.clean();
        });
      }
    });
  }
}

/** A few words of each screen that a person sees first. */
const words = {
  "pt-BR": {
    "/inbox": ["Conversas", "Todas"],
    "/connections": ["Conexões"],
    "/connections/new/telegram": ["Nome", "Salvar e testar"],
    "/agents": ["Agentes"],
    "/knowledge": ["Conteúdo"],
    "/activity": ["Atividade"],
    "/settings": ["Ajustes", "Idioma"],
  },
  es: {
    "/inbox": ["Bandeja"],
    "/connections": ["Conexiones"],
    "/connections/new/telegram": ["Nombre"],
    "/agents": ["Agentes"],
    "/knowledge": ["Contenido"],
    "/activity": ["Actividad"],
    "/settings": ["Ajustes", "Idioma"],
  },
};

/** Every sentence that stands still: those of the screens, and those of the hub about its services. */
async function wordsOf(language) {
  const strings = (value) => (typeof value === "string" ? [value] : value && typeof value === "object" ? Object.values(value).flatMap(strings) : []);
  const file = join(import.meta.dirname, `../../../ui/src/locales/${language}.json`);
  await here.hub.call("update_settings", { language });
  const { items } = await here.hub.call("list_connectors", {});
  return new Set([...strings(JSON.parse(readFileSync(file, "utf8"))), ...strings(items)].filter((one) => one.length > 2 && !one.includes("{{")));
}

for (const [language, screensOf] of Object.entries(words)) {
  here.test(`no screen falls back to English in ${language}`, async (context) => {
    const english = await wordsOf("en");
    for (const same of await wordsOf(language)) english.delete(same);
    // Names of connections are their owner's.
    for (const { name } of (await here.hub.call("list_connections", {})).items) english.delete(name);
    const page = await here.owner("/inbox", { locale: language, viewport: narrow });
    await until("the language", async () => (await page.evaluate(() => document.documentElement.lang)) === language);
    for (const [path, some] of Object.entries(screensOf)) {
      await context.test(path, async () => {
        await here.go(page, path);
        await settled(page, "#main");
        const text = await until(`${some.join(", ")} on ${path}`, async () => {
          const text = await page.locator("body").innerText();
          return some.every((word) => text.includes(word)) ? text : undefined;
        });
        const left = text.split("\n").filter((line) => english.has(line.trim()));
        assert.deepEqual(left, [], `English on ${path}`);
        await noSidewaysScroll(page, `${path} in ${language}`);
        await picture(page, `${path.replaceAll("/", "_")}-${language}-380`);
      });
    }
    page.watch.clean();
  });
}

here.test("back to English for who comes next", async () => {
  await here.hub.call("update_settings", { language: "en" });
});

here.test("the skip link, the rail and the panes work by keyboard", async () => {
  const page = await here.owner("/inbox");
  await page.locator("[data-row]").first().waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to the content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
  for (const [keys, hash] of [
    ["gc", "#/connections"],
    ["ga", "#/agents"],
    ["gb", "#/knowledge"],
    ["gy", "#/activity"],
    ["gs", "#/settings"],
    ["gi", "#/inbox"],
  ]) {
    for (const key of keys) await page.keyboard.press(key);
    await page.waitForURL((url) => url.hash.startsWith(hash));
  }
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await picture(page, "keys-light-1280");
  await axe(page, "the key sheet");
  await page.keyboard.press("Escape");
  await page.keyboard.press("F6");
  assert.equal(await page.evaluate(() => document.activeElement?.hasAttribute("data-pane")), true);
  page.watch.clean();
});
