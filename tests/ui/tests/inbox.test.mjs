/** The inbox at work: a visitor writes, a person takes over, answers, hands back, searches, and sees what did not arrive. */
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { bakery } from "../bakery.mjs";
import { openShop, scene } from "../scene.mjs";
import { axe, hubGone, noSidewaysScroll, picture, until } from "../stage.mjs";
import { Telegram, token } from "../telegram.mjs";
import { Chat } from "../visitor.mjs";

let shop;
let telegram;
before(async () => {
  telegram = await Telegram.start();
});
after(() => telegram?.close());
const here = scene({
  prepare: async (here) => {
    shop = await openShop(here, { text: bakery });
    await here.hub.call("create_connection", { connector: "telegram", name: "Telegram", config: { bot_token: token, base_url: telegram.url } });
  },
});

/** A visitor on the test page, with the chat open. */
async function visitor() {
  const page = await here.page({ viewport: { width: 900, height: 760 } });
  await page.goto(shop.snippet.test_page_url);
  const chat = new Chat(page);
  await chat.open();
  return chat;
}

const rows = (page) => page.getByRole("region", { name: "Conversations" }).locator("[data-row]");
const log = (page) => page.getByRole("log", { name: "Messages" });
const reply = (page) => page.getByRole("textbox", { name: /^Reply to/ });
const note = (page) => page.getByRole("textbox", { name: /^Private note about/ });

here.test("a person takes over with one key, answers, notes, and hands back", async () => {
  const page = await here.owner();
  const other = await here.owner();
  const chat = await visitor();
  await rows(page).count();
  await chat.say("Do you deliver to Mill Street?");
  const row = rows(page).filter({ hasText: /deliver/ }).or(rows(page).first());
  await row.first().waitFor();
  await until("the agent's answer", async () => (await chat.bubbles()).length === 2);

  // By keyboard alone: the next conversation, take over, write, send.
  await page.keyboard.press("j");
  await log(page).getByText("Do you deliver to Mill Street?").waitFor();
  await page.keyboard.press("t");
  await reply(page).waitFor();
  await page.getByRole("button", { name: /^Hand back/ }).waitFor();
  await until("the cursor in the reply", () => reply(page).evaluate((field) => field === document.activeElement));
  await page.keyboard.type("Yes, this is Marta. Until 6 pm.");
  await page.keyboard.press("Control+Enter");
  await until("the reply at the visitor's", async () => (await chat.bubbles()).at(-1) === "Yes, this is Marta. Until 6 pm.");
  await log(page).locator("article").filter({ hasText: "this is Marta" }).getByText(/^(Sent|Delivered|Read)$/).waitFor({ state: "attached" });
  await picture(page, "inbox-mine-light-1280");

  // The agent stays quiet while a person holds the conversation; the other page of the shop sees it all without a reload.
  await chat.say("How much is the sourdough?");
  await log(page).getByText("How much is the sourdough?").waitFor();
  await other.getByRole("region", { name: "Conversations" }).getByText("How much is the sourdough?").waitFor();

  // A note is for the team.
  await page.keyboard.press("Escape");
  await page.keyboard.press("n");
  await until("the cursor in the note", () => note(page).evaluate((field) => field === document.activeElement));
  await page.keyboard.type("Regular customer, be nice");
  await page.keyboard.press("Control+Enter");
  await log(page).getByRole("article", { name: /Private note/ }).getByText("Regular customer, be nice").waitFor();
  await page.waitForTimeout(1500);
  const seen = await chat.bubbles();
  assert.equal(seen.filter((text) => text.includes("this is Marta")).length, 1, "the reply arrived once");
  assert.ok(!seen.some((text) => text.includes("Regular customer")), "a note stays in the team");
  assert.ok(!seen.some((text) => text.includes("8.50")), "the agent stays quiet");
  await chat.page.reload();
  await chat.open();
  assert.deepEqual(await until("the whole conversation again", async () => ((await chat.bubbles()).length === 4 ? chat.bubbles() : undefined)), seen);

  // Handing back takes one line of context; the agent answers what was left open.
  await page.keyboard.press("Escape");
  await page.keyboard.press("t");
  const dialog = page.getByRole("dialog", { name: "Hand back to the agent" });
  await dialog.waitFor();
  await axe(page, "handing back");
  await page.keyboard.type("She wants the price of the sourdough");
  await page.keyboard.press("Control+Enter");
  await dialog.waitFor({ state: "hidden" });
  await until("the agent's answer after the hand-back", async () => (await chat.bubbles()).at(-1).includes("8.50"));
  assert.ok(!(await chat.bubbles()).some((text) => text.includes("She wants")), "what the agent is told is not told to the visitor");
  await picture(page, "inbox-agent-light-1280");
  page.watch.clean();
  other.watch.clean();
  chat.page.watch.clean();
});

here.test("the search finds what was said and what was noted", async () => {
  const page = await here.owner();
  await rows(page).first().waitFor();
  for (const [words, found] of [
    ["Marta", 1],
    ["regular customer", 1],
    ["aardvark", 0],
  ]) {
    await page.keyboard.press("/");
    await page.getByRole("searchbox", { name: "Search people and messages" }).fill(words);
    await page.waitForURL((url) => decodeURIComponent(url.hash).replaceAll("+", " ").includes(words));
    if (found === 0) await page.getByText("Nobody found").waitFor();
    else await until(`${words} in the list`, async () => (await rows(page).count()) === found);
    await page.keyboard.press("Escape");
  }
  // The palette looks everywhere.
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("Marta");
  await page.getByRole("option", { name: /Marta/ }).first().waitFor();
  await picture(page, "palette-light-1280");
  await axe(page, "the palette");
  await page.keyboard.press("Escape");
  page.watch.clean();
});

here.test("what did not arrive says why, and can be tried again", async () => {
  const page = await here.owner();
  telegram.says("Is my cake ready?");
  const row = rows(page).filter({ hasText: "Rafael Nunes" });
  await row.click();
  await log(page).getByText("Is my cake ready?").waitFor();
  await until("an answer at Telegram", () => telegram.sent.length === 1);
  await page.keyboard.press("t");
  await reply(page).waitFor();

  telegram.next.push({ error_code: 403, description: "Forbidden: bot was blocked by the user" });
  await reply(page).fill("It is ready at four.");
  await reply(page).press("Control+Enter");
  const message = log(page).locator("article").filter({ hasText: "It is ready at four." });
  await message.getByText("The customer has blocked this bot.").waitFor();
  await picture(page, "inbox-failed-light-1280");
  await axe(page, "a reply that was refused");
  await message.getByRole("button", { name: "Try again" }).click();
  await until("the second attempt", () => telegram.sent.some((one) => one.text === "It is ready at four."));
  await message.getByText(/^(Sent|Delivered)$/).waitFor({ state: "attached" });

  telegram.next.push({ error_code: 400, description: "Bad Request: message is too strange" });
  await reply(page).fill("Bring the box back.");
  await reply(page).press("Control+Enter");
  const strange = log(page).locator("article").filter({ hasText: "Bring the box back." });
  await strange.getByText("message is too strange").waitFor();

  // Telegram took it and its answer was lost: nobody can know, and nobody claims to.
  telegram.next.push("cut");
  await reply(page).fill("See you soon.");
  await reply(page).press("Control+Enter");
  const unsure = log(page).locator("article").filter({ hasText: "See you soon." });
  await unsure.getByText("We are not sure this arrived.").waitFor();
  await picture(page, "inbox-unconfirmed-light-1280");
  await axe(page, "a reply nobody knows of");
  assert.equal(telegram.sent.filter((one) => one.text === "See you soon.").length, 1, "it is not sent again by itself");
  await unsure.getByRole("button", { name: "Send again, it may arrive twice" }).click();
  await until("the second copy", () => telegram.sent.filter((one) => one.text === "See you soon.").length === 2);
  await unsure.getByText(/^(Sent|Delivered)$/).waitFor({ state: "attached" });

  // The outbox lists what needs a look.
  await here.go(page, "/activity?show=outbox");
  await page.getByText("message is too strange").first().click();
  await page.getByRole("region", { name: /Rafael|Opened|Outbox/ }).or(page.locator("#opened")).first().getByText("Bring the box back.").waitFor();
  await picture(page, "activity-outbox-light-1280");
  await axe(page, "the outbox");
  page.watch.clean();
});

here.test("the list, a conversation and the panel fit a narrow window in the dark", async () => {
  await here.hub.call("update_settings", { theme: "dark" });
  const page = await here.owner("/inbox", { viewport: { width: 380, height: 800 }, theme: "dark" });
  await rows(page).first().waitFor();
  await picture(page, "inbox-list-dark-380");
  await axe(page, "the list at 380");
  await noSidewaysScroll(page, "the list at 380");
  await rows(page).first().click();
  await log(page).locator("article").first().waitFor();
  await picture(page, "inbox-open-dark-380");
  await axe(page, "a conversation at 380");
  await noSidewaysScroll(page, "a conversation at 380");
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Show the contact" }).click();
  await page.getByRole("complementary").waitFor();
  await picture(page, "inbox-panel-dark-380");
  await axe(page, "the panel at 380");
  await noSidewaysScroll(page, "the panel at 380");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Back to the list" }).click();
  await rows(page).first().waitFor();
  await here.hub.call("update_settings", { theme: "system" });
  page.watch.clean();
});

here.test("after a power cut the page says so, and catches up by itself", async () => {
  const page = await here.owner("/inbox", { allow: [hubGone] });
  await rows(page).first().waitFor();
  await here.hub.kill();
  await page.getByText("The line to Shopbell is down.").waitFor();
  await picture(page, "inbox-link-down-light-1280");
  await axe(page, "the banner");
  telegram.says("Written while the shop was dark");
  await here.hub.up();
  await page.getByRole("region", { name: "Conversations" }).getByText("Written while the shop was dark").waitFor({ timeout: 40_000 });
  await page.getByText("The line to Shopbell is down.").waitFor({ state: "hidden" });
  page.watch.clean();
});
