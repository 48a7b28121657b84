/** What a person does with conversations besides answering: put off, label, give away, find again; and the keys for it. */
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { openShop, scene } from "../scene.mjs";
import { axe, narrow, noSidewaysScroll, picture, until } from "../stage.mjs";
import { Telegram, token } from "../telegram.mjs";

let telegram;
let shop;
before(async () => {
  telegram = await Telegram.start();
});
after(() => telegram?.close());
const people = [
  [4711, "Rafael", "Nunes", "Is my cake ready?"],
  [4712, "Beatriz", "Tanaka", "May I pay when I come?"],
  [4713, "Helena", "Souza", "Do you have rye bread?"],
];
const here = scene({
  prepare: async (here) => {
    shop = await openShop(here);
    await here.hub.call("create_agent", { name: "Otto", instructions: "You are Otto.", connection: shop.agent.connection });
    await here.hub.call("create_connection", { connector: "telegram", name: "Telegram", config: { bot_token: token, base_url: telegram.url } });
    for (const [id, first_name, last_name, words] of people) {
      telegram.says(words, { id, first_name, last_name });
      await until(first_name, async () => (await here.hub.call("list_conversations", {})).items.some((one) => one.contact.name.startsWith(first_name)));
    }
    await until("the answers", () => telegram.sent.length === people.length);
  },
});

const rows = (page) => page.getByRole("region", { name: "Conversations" }).locator("[data-row]");
const row = (page, name) => rows(page).filter({ hasText: name });
const head = (page) => page.getByRole("region", { name: /^Conversation with/ }).locator("header");
const toast = (page, text) => page.locator("[role=status]").filter({ hasText: text });
const of = async (name) => (await here.hub.call("list_conversations", {})).items.find((one) => one.contact.name.startsWith(name));
const open = async (page, name) => {
  await row(page, name).click();
  await head(page).getByRole("heading", { name: new RegExp(name) }).waitFor();
};

here.test("a conversation is put off by key, comes back by undo, and is found among the snoozed", async () => {
  const page = await here.owner();
  await open(page, "Rafael");
  await page.keyboard.press("z");
  const menu = page.getByRole("menu");
  await menu.getByRole("menuitem", { name: /^Tomorrow/ }).waitFor();
  await picture(page, "snooze-menu-light-1280");
  await axe(page, "the snooze menu");
  await menu.getByRole("menuitem", { name: /^Tomorrow/ }).click();
  await toast(page, /Snoozed until .*08:00/).waitFor();
  await row(page, "Rafael").waitFor({ state: "detached" });
  const put = await of("Rafael");
  assert.equal(put.status, "snoozed");
  // The browser stands in Lisbon.
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "Europe/Lisbon" });
  assert.equal(clock.format(put.snoozed_until), "08:00");
  await head(page).getByText(/Snoozed until .*08:00/).waitFor();
  await page.getByRole("log").getByText(/You snoozed this until/).waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await row(page, "Rafael").waitFor();
  assert.equal((await of("Rafael")).status, "open");

  // Until the customer writes.
  await page.keyboard.press("z");
  await menu.getByRole("menuitem", { name: "Until they write" }).click();
  await toast(page, "Snoozed until they write").waitFor();
  assert.equal((await of("Rafael")).snoozed_until ?? null, null);
  await page.getByRole("button", { name: /^Filter/ }).click();
  await menu.getByRole("menuitemcheckbox", { name: "Snoozed" }).click();
  await row(page, "Rafael").waitFor();
  assert.equal(await rows(page).count(), 1);
  await picture(page, "filter-snoozed-light-1280");
  await axe(page, "the snoozed ones");
  // Nothing moves under the pointer.
  await page.mouse.move(700, 400);
  telegram.says("Hello?", { id: 4711, first_name: "Rafael", last_name: "Nunes" });
  await page.getByText("No conversation is like that").waitFor();
  await page.getByRole("button", { name: "Show all open ones" }).click();
  await page.mouse.move(700, 400);
  await row(page, "Rafael").waitFor();

  // A moment of one's own, which has to be still to come.
  await head(page).getByRole("button", { name: "Snooze" }).click();
  await menu.getByRole("menuitem", { name: "Choose a moment…" }).click();
  const dialog = page.getByRole("dialog", { name: "Until when?" });
  await dialog.getByLabel("Snoozed until").fill("2020-01-01T08:00");
  await dialog.getByRole("button", { name: "Snooze" }).click();
  await dialog.getByText("Choose a moment that is still to come").waitFor();
  await picture(page, "snooze-moment-light-1280");
  await axe(page, "the moment to come back");
  const friday = new Date(Date.now() + 9 * 86_400_000).toISOString().slice(0, 10);
  await dialog.getByLabel("Snoozed until").fill(`${friday}T15:30`);
  await page.keyboard.press("Enter");
  await toast(page, /Snoozed until .*15:30/).waitFor();
  await page.getByRole("complementary").getByRole("button", { name: "Bring it back now" }).click();
  await toast(page, "Back in the list").waitFor();
  await row(page, "Rafael").waitFor();
  page.watch.clean();
});

here.test("labels are put on by key, shown in list and panel, filtered by, and taken off with a way back", async () => {
  const page = await here.owner();
  await open(page, "Beatriz");
  await page.keyboard.press("l");
  const picker = page.getByRole("dialog", { name: "Change labels" });
  await picker.getByText("No labels yet. Type a word to make one.").waitFor();
  await page.keyboard.type("Wholesale");
  await picker.getByRole("option", { name: "Make “Wholesale”" }).waitFor();
  await page.keyboard.press("Enter");
  await toast(page, "Label “Wholesale” put on").waitFor();
  await page.keyboard.type("Complaint");
  await page.keyboard.press("Enter");
  await until("both labels", async () => (await of("Beatriz")).labels.join() === "Wholesale,Complaint");
  await picker.getByRole("option", { name: "Complaint", selected: true }).waitFor();
  await picture(page, "label-picker-light-1280");
  await axe(page, "the label picker");
  await page.keyboard.press("Escape");
  await picker.waitFor({ state: "hidden" });
  await row(page, "Beatriz").getByText("Wholesale").waitFor();
  const panel = page.getByRole("complementary", { name: /Beatriz/ });
  await panel.getByText("Complaint").waitFor();

  // In the panel: one is taken off, and put back by undo.
  await panel.getByRole("button", { name: "Take off Complaint" }).click();
  await toast(page, "Label “Complaint” taken off").waitFor();
  await panel.getByText("Complaint").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Undo" }).last().click();
  await panel.getByText("Complaint").waitFor();

  // The list by label.
  await page.getByRole("button", { name: /^Filter/ }).click();
  await page.getByRole("menuitemcheckbox", { name: "Wholesale" }).waitFor();
  await picture(page, "filter-menu-light-1280");
  await axe(page, "the filters");
  await page.getByRole("menuitemcheckbox", { name: "Wholesale" }).click();
  await until("one row", async () => (await rows(page).count()) === 1);
  await row(page, "Beatriz").waitFor();
  assert.match(page.url(), /label=Wholesale/);
  await picture(page, "filter-label-light-1280");
  await page.getByRole("button", { name: "Show all again: without Wholesale" }).click();
  await until("all rows", async () => (await rows(page).count()) === 3);
  page.watch.clean();
});

here.test("a conversation is given to an agent and back to a person, by key and with undo", async () => {
  const page = await here.owner();
  await open(page, "Helena");
  await page.keyboard.press("a");
  const menu = page.getByRole("menu");
  await menu.getByRole("menuitemcheckbox", { name: "Nina", checked: true }).waitFor();
  await picture(page, "owner-menu-light-1280");
  await axe(page, "who answers");
  await menu.getByRole("menuitemcheckbox", { name: "Otto" }).click();
  await toast(page, "Otto answers from now on").waitFor();
  await head(page).getByText("Otto is answering").waitFor();
  assert.equal((await of("Helena")).owner.name, "Otto");
  await page.getByRole("button", { name: "Undo" }).click();
  await head(page).getByText("Nina is answering").waitFor();

  await page.keyboard.press("a");
  await menu.getByRole("menuitemcheckbox", { name: "You" }).click();
  await toast(page, "It is yours now").waitFor();
  await page.getByRole("textbox", { name: /^Reply to/ }).waitFor();
  assert.equal((await of("Helena")).owner.type, "person");
  await page.getByRole("button", { name: "Undo" }).click();
  await head(page).getByText("Nina is answering").waitFor();

  // The palette knows the same.
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("snoo");
  await page.getByRole("option", { name: /^Snooze/ }).click();
  await menu.getByRole("menuitem", { name: "Until they write" }).waitFor();
  await page.keyboard.press("Escape");
  page.watch.clean();
});

here.test("the key sheet lists every key, and each can be changed, on every page of the shop", async () => {
  const page = await here.owner();
  const other = await here.owner();
  await open(page, "Helena");
  await page.keyboard.press("?");
  const sheet = page.getByRole("dialog", { name: "Keys" });
  await sheet.waitFor();
  for (const name of ["Snooze", "Labels", "Add a connection", "Try this connection now", "New agent", "Delete this document", "Copy as it came", "Save", "Find a document"]) {
    await sheet.getByText(name, { exact: true }).first().waitFor();
  }
  await picture(page, "keys-light-1280");
  await axe(page, "the key sheet");

  const key = (what) => sheet.getByRole("button", { name: new RegExp(`“${what}”`) });
  await key("Snooze").click();
  await picture(page, "keys-press-light-1280");
  await page.keyboard.press("t");
  await sheet.getByRole("alert").filter({ hasText: "T is “Take over, hand back” already." }).waitFor();
  await picture(page, "keys-conflict-light-1280");
  await axe(page, "a key that is taken");
  await sheet.getByRole("button", { name: "Leave both" }).click();
  await key("Snooze").click();
  await page.keyboard.press("x");
  await until("the changed key", async () => (await here.hub.call("get_settings", {})).keys.snooze === "x");
  await until("the new key on the sheet", async () => (await key("Snooze").getAttribute("aria-label")).includes("now x"));
  await page.keyboard.press("Escape");
  await sheet.waitFor({ state: "hidden" });
  await page.keyboard.press("z");
  assert.equal(await page.getByRole("menu").count(), 0, "the old key does nothing");
  await page.keyboard.press("x");
  await page.getByRole("menu").waitFor();
  await page.keyboard.press("Escape");

  // The other page heard of it.
  await open(other, "Helena");
  await other.keyboard.press("x");
  await other.getByRole("menu").waitFor();
  await other.keyboard.press("Escape");

  // Off all together, and back.
  await page.keyboard.press("?");
  await sheet.getByRole("switch").click();
  await until("single letters off", async () => (await here.hub.call("get_settings", {})).single_keys === false);
  await page.keyboard.press("Escape");
  await sheet.waitFor({ state: "hidden" });
  await page.keyboard.press("x");
  await page.keyboard.press("?");
  assert.equal(await page.getByRole("menu").count(), 0);
  assert.equal(await sheet.count(), 0);
  assert.equal(await head(page).locator("kbd").count(), 0, "no key is shown that does not work");
  await here.go(page, "/settings");
  await page.getByRole("button", { name: "See and change all keys" }).click();
  await sheet.getByRole("switch").click();
  await sheet.getByRole("button", { name: "Put all keys back" }).click();
  await until("all as usual", async () => {
    const { keys, single_keys } = await here.hub.call("get_settings", {});
    return single_keys && Object.keys(keys).length === 0;
  });
  page.watch.clean();
  other.watch.clean();
});

here.test("all of it fits a narrow window, in the dark", async () => {
  await here.hub.call("update_settings", { theme: "dark" });
  const page = await here.owner("/inbox", { viewport: narrow, theme: "dark" });
  await open(page, "Beatriz");
  const menu = page.getByRole("menu");
  await head(page).getByRole("button", { name: "Snooze" }).click();
  await menu.waitFor();
  await picture(page, "snooze-menu-dark-380");
  await axe(page, "the snooze menu at 380");
  await noSidewaysScroll(page, "the snooze menu at 380");
  await page.keyboard.press("Escape");
  await head(page).getByRole("button", { name: "More actions" }).click();
  await menu.getByRole("menuitem", { name: "Labels" }).click();
  const picker = page.getByRole("dialog", { name: "Change labels" });
  await picker.getByRole("option", { name: "Complaint" }).waitFor();
  await picture(page, "label-picker-dark-380");
  await axe(page, "the label picker at 380");
  await noSidewaysScroll(page, "the label picker at 380");
  await page.keyboard.press("Escape");
  await head(page).getByRole("button", { name: /^Who answers/ }).click();
  await menu.getByRole("menuitemcheckbox", { name: "Otto" }).waitFor();
  await picture(page, "owner-menu-dark-380");
  await page.keyboard.press("Escape");
  await menu.waitFor({ state: "hidden" });
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await picture(page, "keys-dark-380");
  await axe(page, "the key sheet at 380");
  await noSidewaysScroll(page, "the key sheet at 380");
  page.watch.clean();
});
