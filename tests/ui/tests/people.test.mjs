/** One customer on two channels, what a service tells of its account, and the way of a message: each as its owner sees it. */
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { account, authToken, key, number, Phones } from "../phones.mjs";
import { openShop, scene } from "../scene.mjs";
import { axe, narrow, noSidewaysScroll, picture, until } from "../stage.mjs";

let phones;
let whatsapp;
let sms;
before(async () => {
  phones = await Phones.start();
});
after(() => phones?.close());
const here = scene({
  prepare: async (here) => {
    await openShop(here);
    const make = (connector, name, config) => here.hub.call("create_connection", { connector, name, config: { ...config, base_url: phones.url } });
    whatsapp = await make("whatsapp-360dialog", "WhatsApp", { api_key: key, phone_number: number });
    sms = await make("sms-twilio", "SMS", { account_sid: account, auth_token: authToken, phone_number: number });
  },
});
const written = (count) => until(`${count} conversations`, async () => (await here.hub.call("list_conversations", {})).items.length === count);
const toast = (page, text) => page.locator("[role=status]").filter({ hasText: text });
const way = (page) => page.getByRole("region", { name: "The way of a message" });
const list = (page) => page.getByRole("region", { name: "Before customers write" });

here.test("before anything came, the list and the way say what is open and where it stops", async () => {
  const page = await here.owner(`/connections/${whatsapp.id}`);
  await page.getByRole("button", { name: /^Go live/ }).click();
  // Opened, it asks the service by itself.
  await page.getByText("360dialog accepts the key.").waitFor();
  await way(page).getByText(/^It stops here: Shopbell can be reached/).waitFor();
  await list(page).getByRole("listitem").filter({ hasText: "knows the address" }).getByText("Not yet:").waitFor();
  const box = list(page).getByRole("checkbox", { name: /^The number is verified/ });
  assert.equal(await box.isChecked(), false);
  const count = () => page.getByRole("button", { name: /^Go live/ }).innerText();
  const had = Number(/(\d+) of/.exec(await count())[1]);
  await box.check();
  assert.match(await count(), new RegExp(`\\b${had + 1} of`), "an owner's tick counts");
  await page.reload();
  await page.getByRole("button", { name: /^Go live/ }).click();
  await until("the tick that was kept", () => box.isChecked());
  await box.uncheck();
  await picture(page, "golive-open-light-1280");
  await axe(page, "the list before anything came");
  page.watch.clean();
});

here.test("told the address and written to, the way is whole and the list fills itself", async () => {
  const page = await here.owner(`/connections/${whatsapp.id}`);
  await page.getByRole("button", { name: /^Tell WhatsApp/ }).click();
  await until("the address", () => phones.webhook.url !== undefined);
  await page.getByRole("button", { name: /^Go live/ }).click();
  // The steps are not said to be proven by a key alone.
  assert.equal(await page.getByText("Proven: a message came in").count(), 0);
  assert.equal(await phones.whatsapp("5511988774410", "Mariana Alves", "Do you have rye bread?"), 200);
  await written(1);
  await until("an answer", () => phones.sent.length === 1);
  await way(page).getByText("and has not said more").waitFor();
  await phones.status(phones.sent[0].id, "delivered", "5511988774410");
  await way(page).getByText("The last one reached its customer").waitFor();
  await way(page).getByText(/^The whole way works/).waitFor();
  await list(page).getByRole("listitem").filter({ hasText: "A test message came in and one went out" }).getByText("Proven:").waitFor();
  await list(page).getByRole("link", { name: "Open it" }).waitFor();
  await page.getByRole("button", { name: "Check again" }).click();
  await page.getByText("Proven: a message came in").waitFor();
  await picture(page, "golive-whole-light-1280");
  await axe(page, "the whole way");
  page.watch.clean();
});

here.test("a call without its secret is named as the hop that is broken, until a genuine one comes", async () => {
  const page = await here.owner(`/connections/${whatsapp.id}`);
  await page.getByRole("button", { name: /^Go live/ }).click();
  await way(page).getByText(/^The whole way works/).waitFor();
  assert.equal(await phones.whatsapp("5511988774410", "Mariana Alves", "Hello?", { "x-shopbell-secret": "wrong" }), 401);
  await page.getByRole("button", { name: "Check again" }).click();
  await way(page).getByText("It stops here: Its calls are genuine.").waitFor();
  await way(page).locator("[aria-current=step]").getByText("The secret is wrong.").waitFor();
  await picture(page, "golive-broken-light-1280");
  await axe(page, "a broken hop");
  const before = phones.sent.length;
  assert.equal(await phones.whatsapp("5511988774410", "Mariana Alves", "Hello again?"), 200);
  await until("an answer", () => phones.sent.length > before);
  await phones.status(phones.sent.at(-1).id, "read", "5511988774410");
  await way(page).getByText(/^The whole way works/).waitFor();
  page.watch.clean();
});

here.test("what a service tells of its account stands on the card and on its page, and is put away", async () => {
  const template = { message_template_id: 1, message_template_name: "easter", message_template_language: "en" };
  await phones.tells("message_template_status_update", { ...template, event: "REJECTED", reason: "ABUSIVE_CONTENT" });
  await phones.tells("phone_number_quality_update", { display_phone_number: number, event: "FLAGGED", current_limit: "TIER_1K" });
  const page = await here.owner("/connections");
  const card = page.locator(`[data-connection="${whatsapp.id}"]`);
  await card.getByText("Meta refused the template easter (en)").waitFor();
  await card.getByText("and 1 more").waitFor();
  await picture(page, "notice-card-light-1280");
  await axe(page, "a card with a notice");
  await card.getByRole("link", { name: "WhatsApp" }).click();
  const told = page.getByRole("region", { name: "News about this account" });
  await told.getByText("Customers block or report the number").waitFor();
  assert.match(await told.getByRole("listitem").first().innerText(), /easter/, "the gravest first");
  await picture(page, "notices-light-1280");
  await axe(page, "notices");
  await told.getByRole("button", { name: /^Seen: Meta refused/ }).press("Enter");
  await told.getByText("One seen before").waitFor();
  assert.equal(await told.evaluate((one) => one === document.activeElement), true, "the focus stays near");
  const left = () => here.hub.call("list_notices", { connection: whatsapp.id }).then(({ items }) => items.filter((one) => !one.seen_at).length);
  assert.equal(await left(), 1);
  await told.getByRole("button", { name: /^Seen: Customers block/ }).click();
  await told.getByText("2 seen before").click();
  await told.getByText("Meta refused the template easter (en)").waitFor();
  assert.equal(await left(), 0);
  await axe(page, "notices that were seen");
  page.watch.clean();
});

here.test("the same number on two channels is offered as one person, joined by key, and taken apart again", async () => {
  const hook = (await here.hub.call("get_connection", { id: sms.id })).webhook_url;
  assert.ok((await phones.sms(hook, "+5511988774410", "Is my cake ready?")) < 300);
  await written(2);
  const of = async (connection) => (await here.hub.call("list_conversations", {})).items.find((one) => one.connection.id === connection);
  const [first, second] = [await of(whatsapp.id), await of(sms.id)];
  assert.notEqual(first.contact.id, second.contact.id);

  const page = await here.owner(`/inbox/${first.id}`);
  const panel = page.getByRole("complementary", { name: "About Mariana Alves" });
  await panel.getByText("May be the same person").waitFor();
  await panel.getByText("The same number, +5511988774410, writes on SMS (Twilio) too.").waitFor();
  await picture(page, "same-person-light-1280");
  await axe(page, "who may be the same person");
  await panel.getByRole("button", { name: /^Join with/ }).press("Enter");
  await toast(page, "are one person now").waitFor();
  await panel.getByText("Joined with this person").waitFor();
  await panel.getByRole("link", { name: /Is my cake ready/ }).or(panel.getByText("SMS", { exact: true })).first().waitFor();
  assert.equal((await of(sms.id)).contact.id, first.contact.id);
  const focused = await page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
  assert.equal(focused, "The same person", "the focus stays near");
  await picture(page, "same-person-joined-light-1280");
  await axe(page, "one person of two");

  await page.getByRole("button", { name: "Undo" }).click();
  await panel.getByText("May be the same person").waitFor();
  assert.equal((await of(sms.id)).contact.id, second.contact.id);

  await panel.getByRole("button", { name: /^Join with/ }).click();
  await panel.getByRole("button", { name: /^Separate/ }).click();
  await toast(page, "is on their own again").waitFor();
  await panel.getByText("May be the same person").waitFor();
  assert.equal((await of(sms.id)).contact.id, second.contact.id);
  page.watch.clean();
});

here.test("all of it fits a narrow window, in the dark", async () => {
  const conversation = (await here.hub.call("list_conversations", {})).items.find((one) => one.connection.id === whatsapp.id);
  await phones.tells("phone_number_quality_update", { display_phone_number: number, event: "DOWNGRADE", current_limit: "TIER_250" });
  const page = await here.owner("/connections", { viewport: narrow, theme: "dark" });
  await page.getByText("Meta lowered the limit").waitFor();
  await noSidewaysScroll(page, "a card with a notice");
  await axe(page, "a card with a notice, narrow");
  await here.go(page, `/connections/${whatsapp.id}`);
  await page.getByRole("button", { name: /^Go live/ }).click();
  await way(page).waitFor();
  await list(page).scrollIntoViewIfNeeded();
  await picture(page, "golive-dark-380");
  await noSidewaysScroll(page, "the list before going live");
  await axe(page, "the list before going live, narrow");
  await page.goto(`${here.hub.adminUrl}/#/inbox/${conversation.id}`);
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Show the contact" }).click();
  await page.getByText("May be the same person").waitFor();
  await picture(page, "same-person-dark-380");
  await noSidewaysScroll(page, "the contact");
  await axe(page, "the contact, narrow");
  page.watch.clean();
});
