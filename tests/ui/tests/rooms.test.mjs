/** What people do in each room: connect a service, teach an agent, look back, change a setting. */
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { bakery } from "../bakery.mjs";
import { passphrase } from "../hub.mjs";
import { openShop, scene } from "../scene.mjs";
import { axe, picture, until } from "../stage.mjs";
import { Telegram, token } from "../telegram.mjs";

let telegram;
let shop;
before(async () => {
  telegram = await Telegram.start();
});
after(() => telegram?.close());
const here = scene({
  prepare: async (here) => {
    shop = await openShop(here);
  },
});

/** The service refuses, or the form does: the browser notes the status. */
const refused = /status of 4\d\d/;

here.test("Telegram is connected by its form: errors at their fields, a test that fails, a test that succeeds", async () => {
  const page = await here.owner("/connections", { allow: [refused] });
  await page.getByRole("link", { name: /^Telegram/ }).or(page.getByRole("button", { name: /^Telegram/ })).last().click();
  await page.getByRole("heading", { name: "Connect Telegram" }).waitFor();
  const go = page.getByRole("button", { name: "Save and test" });
  const field = page.getByRole("textbox", { name: "Bot token" });

  await go.click();
  await until("an error at the token", async () => (await field.getAttribute("aria-invalid")) === "true");
  assert.equal(await field.evaluate((one) => one === document.activeElement), true, "the first wrong field has the cursor");
  await picture(page, "setup-error-light-1280");
  await axe(page, "a form with an error");

  await field.fill("not a token");
  await go.click();
  await page.locator("form").getByText("This is not a bot token.").last().waitFor();
  assert.equal(await field.inputValue(), "not a token", "what was typed stays");

  await page.getByText("Advanced").click();
  await page.getByRole("textbox", { name: "Service address" }).fill("ftp://example.com");
  await field.fill(token.replace("AAF", "XXX"));
  await go.click();
  await until("an error at the address", async () => (await page.getByRole("textbox", { name: "Service address" }).getAttribute("aria-invalid")) === "true");
  await page.getByRole("textbox", { name: "Service address" }).fill(telegram.url);
  await go.click();
  await page.getByText("This does not work yet").waitFor();
  await page.getByText("Telegram does not accept this token.").first().waitFor();
  await picture(page, "setup-failed-light-1280");
  await axe(page, "a test that failed");

  // The saved token is not shown again; it is replaced.
  assert.ok(!(await page.content()).includes("XXX-a-token"), "a saved secret is not in the page");
  await page.getByRole("button", { name: "Replace: Bot token" }).click();
  await field.fill(token);
  await page.keyboard.press("Control+Enter");
  await page.getByText("It works", { exact: true }).waitFor();
  await page.getByText("@goldencrust_bot").first().waitFor();
  await picture(page, "setup-works-light-1280");
  await axe(page, "a test that succeeded");
  await page.getByRole("link", { name: "Done" }).click();
  await page.getByRole("heading", { name: "Connections", exact: true }).waitFor();
  await page.getByText("@goldencrust_bot").waitFor();
  page.watch.clean();
});

here.test("files are taught, tried, deleted and brought back", async () => {
  const page = await here.owner("/knowledge");
  const add = (name, text) => page.locator("input[type=file]").setInputFiles({ name, mimeType: "text/plain", buffer: Buffer.from(text) });
  await page.getByText("Drop your price list").waitFor();
  await picture(page, "knowledge-empty-light-1280");
  await axe(page, "no knowledge yet");
  await add("bakery.txt", bakery);
  const row = page.getByRole("listitem", { name: "bakery.txt" });
  await row.waitFor();
  await add("photo.jpg", "\u0000\u0001 not text");
  await page.getByText("I cannot read this as text.").waitFor();
  await picture(page, "knowledge-refused-light-1280");
  await axe(page, "a file that was refused");
  await page.getByRole("button", { name: "Dismiss" }).click();

  await page.keyboard.press("/");
  await page.keyboard.type("gluten-free bread");
  await page.keyboard.press("Enter");
  await page.getByText("$9.80").waitFor();
  await page.getByRole("status").getByText("bakery", { exact: false }).first().waitFor();

  await row.focus();
  await page.keyboard.press("Delete");
  await row.waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Undo" }).click();
  await row.waitFor();
  assert.equal((await here.hub.call("list_knowledge", {})).items.length, 1, "nothing was deleted");
  await page.getByRole("button", { name: "Delete bakery.txt" }).click();
  await row.waitFor({ state: "hidden" });
  // Whoever goes to another screen meant it.
  await here.go(page, "/agents");
  await until("the file gone", async () => (await here.hub.call("list_knowledge", {})).items.length === 0);
  page.watch.clean();
});

here.test("an agent is tried in the side chat before it is saved, and changed", async () => {
  await here.hub.call("add_knowledge", { name: "bakery.txt", base64: Buffer.from(bakery).toString("base64") });
  const page = await here.owner(`/agents/${shop.agent.id}`);
  const box = page.getByRole("textbox", { name: "Write as a customer" });
  await box.fill("When do you open on Sunday?");
  await box.press("Enter");
  await page.getByText("7 am to 1 pm").first().waitFor();
  await picture(page, "agent-tried-light-1280");
  await axe(page, "an agent that was tried");
  assert.equal((await here.hub.call("list_conversations", {})).items.filter((one) => one.preview.includes("Sunday")).length, 0, "nobody is reached");

  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Teresa");
  await page.keyboard.press("Control+s");
  await until("the new name", async () => (await here.hub.call("list_agents", {})).items.some((one) => one.name === "Teresa"));
  await here.go(page, "/agents");
  await page.getByText("Teresa").first().waitFor();
  page.watch.clean();
});

here.test("an arrival shows its way, its raw words without secrets, and can be replayed without doubling", async () => {
  telegram.says("How much is the sourdough?");
  await until("an answer", () => telegram.sent.some((one) => one.text.includes("8.50")));
  const page = await here.owner("/activity");
  await page.getByText("1 message").first().waitFor();
  await page.keyboard.press("j");
  const opened = page.locator("#opened");
  await opened.getByText("As it came").waitFor();
  await opened.getByText("How much is the sourdough?").first().waitFor();
  for (const station of ["Stored", "Understood", "Answered", "Delivered"]) await opened.getByText(station, { exact: true }).first().waitFor();
  await picture(page, "activity-open-light-1280");
  await axe(page, "an arrival");
  await opened.getByText("Headers", { exact: true }).click();
  const text = await page.locator("body").innerText();
  assert.ok(!text.includes(token) && !text.includes(token.split(":")[1]), "no secret is shown");
  const count = async () => {
    const { items } = await here.hub.call("list_conversations", {});
    return (await here.hub.call("list_messages", { conversation: items[0].id, limit: 200 })).items.length;
  };
  const before = await count();
  await opened.getByRole("button", { name: "Replay" }).click();
  await opened.getByText("Replayed. Nothing was doubled.").waitFor();
  await page.waitForTimeout(1500);
  assert.equal(await count(), before, "nothing was doubled");
  await opened.getByRole("button", { name: "See the turn" }).click();
  await page.getByText("Answer by Teresa").last().waitFor();
  await picture(page, "activity-turn-light-1280");
  await axe(page, "a turn");
  page.watch.clean();
});

here.test("each setting saves itself, in every open page", async () => {
  const page = await here.owner("/settings", { allow: [refused] });
  const other = await here.owner("/settings");
  await page.getByRole("textbox", { name: "Shop's name" }).fill("Casa do Pão");
  await page.keyboard.press("Tab");
  await until("the name", async () => (await here.hub.call("get_settings", {})).shop_name === "Casa do Pão");
  await until("the name in the other page", async () => (await other.getByRole("textbox", { name: "Shop's name" }).inputValue()) === "Casa do Pão");
  await page.getByRole("combobox", { name: "Language" }).or(page.getByLabel("Language")).first().selectOption("pt-BR");
  await page.getByRole("heading", { name: "Ajustes" }).waitFor();
  await other.getByRole("heading", { name: "Ajustes" }).waitFor();
  await page.getByLabel("Idioma").first().selectOption("en");
  await page.getByRole("heading", { name: "Settings" }).waitFor();

  await page.getByRole("textbox", { name: /proxy/ }).fill("not an address");
  await page.keyboard.press("Tab");
  await until("an error at the proxy", async () => (await page.getByRole("textbox", { name: /proxy/ }).getAttribute("aria-invalid")) === "true");
  await axe(page, "settings with an error");

  await page.getByRole("button", { name: "Change passphrase" }).click();
  await page.getByRole("textbox", { name: "The one in force" }).fill("surely not this one");
  await page.getByRole("textbox", { name: "The new one" }).fill(`${passphrase}, again`);
  await page.getByRole("textbox", { name: "The same again" }).fill(`${passphrase}, again`);
  await axe(page, "the change of the passphrase");
  await page.keyboard.press("Enter");
  await until("an error at the old one", async () => (await page.getByRole("textbox", { name: "The one in force" }).getAttribute("aria-invalid")) === "true");
  await picture(page, "settings-passphrase-light-1280");
  page.watch.clean();
  other.watch.clean();
});

here.test("a browser that is not signed in learns how to get in, and nothing else", async () => {
  const page = await here.page({ allow: [refused] });
  await page.goto(here.hub.adminUrl);
  await page.getByRole("heading", { name: "This browser is not signed in" }).waitFor();
  await picture(page, "sign-in-light-1280");
  await axe(page, "the door");
  // A link works once.
  await page.goto("about:blank");
  await page.goto(await here.hub.link());
  await page.getByText("This sign-in link was used already or is too old.").waitFor();
  page.watch.clean();
});
