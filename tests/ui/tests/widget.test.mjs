/** The chat on somebody else's website: nothing lost and nothing doubled, whatever happens to the page, the line and the hub. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after } from "node:test";
import { bakery } from "../bakery.mjs";
import { openShop, scene } from "../scene.mjs";
import { axe, hubGone, picture, until } from "../stage.mjs";
import { Chat } from "../visitor.mjs";

let shop;
const sites = [];
after(() => {
  for (const site of sites) {
    site.closeAllConnections();
    site.close();
  }
});
const here = scene({
  prepare: async (here) => {
    shop = await openShop(here, { text: bakery });
    shop.site = await website(() => shop.snippet.snippet);
    shop.stranger = await website(() => shop.snippet.snippet);
    await here.hub.call("update_connection", { id: shop.website.id, config: { allowed_origins: [shop.site] } });
  },
});

/** A website of its own origin with the pasted line on it; gives its address. */
async function website(line) {
  const server = createServer((_, answer) => {
    answer.setHeader("content-type", "text/html; charset=utf-8");
    answer.end(`<!doctype html><html lang="en"><head><title>Bakery</title><meta name="viewport" content="width=device-width"></head><body><main><h1>Our bread</h1></main>${line()}</body></html>`);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  sites.push(server);
  return `http://127.0.0.1:${server.address().port}`;
}

/** A visitor on the website, with the chat open. */
async function visit(options = {}) {
  const page = await here.page({ viewport: { width: 900, height: 760 }, ...options });
  await page.goto(shop.site);
  const chat = new Chat(page);
  await chat.open();
  return chat;
}

/** What the hub has of the newest conversation, oldest first: who said what. */
async function kept() {
  const { items } = await here.hub.call("list_conversations", {});
  const { items: messages } = await here.hub.call("list_messages", { conversation: items[0].id, limit: 200 });
  return messages
    .filter((one) => one.direction !== "note")
    .toReversed()
    .map((one) => `${one.direction} ${one.content[0].text}`);
}
const answered = (chat, count) => until(`${count} bubbles`, async () => ((await chat.bubbles()).length === count ? chat.bubbles() : undefined), 40);

here.test("a visitor of another origin is answered, in a reloaded page too", async () => {
  const chat = await visit();
  await chat.say("When do you open on Sunday?");
  const first = await answered(chat, 2);
  assert.match(first[1], /7 am to 1 pm/);
  await picture(chat.page, "widget-light-900");
  await axe(chat.page, "a website with the chat");
  await chat.page.reload();
  await chat.open();
  assert.deepEqual(await answered(chat, 2), first);
  await chat.say("How much is the sourdough?");
  await answered(chat, 4);
  assert.equal((await kept()).length, 4);
  chat.page.watch.clean();
});

here.test("a website that is not allowed gets no chat, and nothing is stored", async () => {
  const before = (await here.hub.call("list_conversations", {})).items.length;
  const page = await here.page({ allow: [/blocked by CORS|ERR_FAILED|403|frame-ancestors|ERR_BLOCKED_BY_RESPONSE|Framing/] });
  await page.goto(shop.stranger);
  const chat = new Chat(page);
  await chat.launcher.click();
  await page.locator("shopbell-chat").getByRole("alert").getByText(/\S/).first().waitFor();
  await picture(page, "widget-stranger-light-1280");
  assert.equal((await here.hub.call("list_conversations", {})).items.length, before);
  page.watch.clean();
});

here.test("what is written without a line arrives once it is back", async () => {
  const chat = await visit({ allow: [hubGone] });
  await chat.say("Do you take cards?");
  await answered(chat, 2);
  await chat.page.context().setOffline(true);
  await chat.say("And cash?");
  await until("a message that waits", async () => (await chat.bubbles()).length === 3);
  await picture(chat.page, "widget-offline-light-900");
  assert.equal((await kept()).length, 2);
  await chat.page.context().setOffline(false);
  const said = await answered(chat, 4);
  assert.equal(said.filter((text) => text === "And cash?").length, 1);
  assert.equal((await kept()).filter((text) => text === "in And cash?").length, 1);
  chat.page.watch.clean();
});

here.test("a power cut at the shop loses and doubles nothing", async () => {
  const chat = await visit({ allow: [hubGone] });
  await chat.say("Where do you deliver?");
  await answered(chat, 2);
  // Written and gone in the same moment: perhaps stored, perhaps not, perhaps answered.
  await chat.say("What does delivery cost?");
  await here.hub.kill();
  await chat.say("Until what time?");
  await chat.frame.getByRole("status").filter({ hasText: /\S/ }).first().waitFor();
  await picture(chat.page, "widget-hub-gone-light-900");
  await here.hub.up();
  const questions = ["Where do you deliver?", "What does delivery cost?", "Until what time?"];
  const stood = await until(
    "all questions and an answer at the end",
    async () => {
      const said = await chat.bubbles();
      return questions.every((one) => said.includes(one)) && !questions.includes(said.at(-1)) ? said : undefined;
    },
    60,
  );
  await chat.page.waitForTimeout(2500);
  const said = await chat.bubbles();
  for (const one of questions) assert.equal(said.filter((text) => text === one).length, 1, `${one} stands once: ${said.join(" | ")}`);
  assert.ok(said.length <= 6 && said.length >= stood.length, `no answer twice: ${said.join(" | ")}`);
  const hub = await kept();
  for (const one of questions) assert.equal(hub.filter((text) => text === `in ${one}`).length, 1, `the hub has "${one}" once: ${hub.join(" | ")}`);
  assert.equal(hub.length, said.length, `page and hub agree: ${hub.join(" | ")}`);
  // And so does a page that is read anew.
  await chat.page.reload();
  await chat.open();
  assert.deepEqual(await answered(chat, said.length), said);
  chat.page.watch.clean();
});
