/** The way of somebody who has just installed Shopbell: from nothing to an answered question. */
import assert from "node:assert/strict";
import { bakery } from "../bakery.mjs";
import { passphrase } from "../hub.mjs";
import { scene } from "../scene.mjs";
import { axe, noSidewaysScroll, picture, until } from "../stage.mjs";
import { Chat } from "../visitor.mjs";

const here = scene({ vault: "none" });

here.test("a new user's file answers a visitor's question, five clicks after it was dropped", async () => {
  const page = await here.page();
  let clicks = 0;
  const click = async (locator) => {
    await locator.click();
    clicks += 1;
  };
  const go = page.getByRole("button", { name: "Continue" });

  assert.equal(here.hub.vault, "locked");
  await page.goto(await here.hub.link());
  await page.getByRole("heading", { name: "Welcome. Which shop is this?" }).waitFor();
  assert.ok(!page.url().includes("login="), "the sign-in link leaves the address");
  await picture(page, "first-run-1");
  await axe(page, "the first step");

  // Nothing secret is kept before there is a vault, and the vault is asked for here.
  await page.getByLabel("Name of the shop").fill("Golden Crust Bakery");
  await go.click();
  await page.getByText("Type the passphrase.").waitFor();
  await page.getByLabel("Passphrase", { exact: true }).fill(passphrase);
  await page.getByLabel("The same again", { exact: true }).fill("something else");
  await go.click();
  await page.getByText("The two are not the same. Type it again.").waitFor();
  await page.getByLabel("The same again", { exact: true }).fill(passphrase);
  await go.click();

  await page.getByRole("heading", { name: "What should your agent know?" }).waitFor();
  await picture(page, "first-run-2-empty");
  const files = await page.evaluateHandle((text) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], "bakery.txt", { type: "text/plain" }));
    return transfer;
  }, bakery);
  const box = page.getByText("Drop files here");
  for (const type of ["dragenter", "dragover", "drop"]) await box.dispatchEvent(type, { dataTransfer: files });
  await page.getByText("ready to answer").waitFor();
  await picture(page, "first-run-2");
  await axe(page, "the second step");

  await click(go);
  await page.getByRole("heading", { name: "Meet your agent" }).waitFor();
  await picture(page, "first-run-3");
  await axe(page, "the third step");
  await click(go);
  await page.getByRole("heading", { name: "Your website chat is ready" }).waitFor();
  await page.getByText("The code for your page").waitFor();
  await picture(page, "first-run-4");
  await axe(page, "the fourth step");

  const popup = page.context().waitForEvent("page");
  await click(page.getByRole("button", { name: "Open the test page" }));
  const visitor = await popup;
  here.pages.push(visitor);
  const chat = new Chat(visitor);
  await chat.launcher.waitFor();
  await picture(visitor, "test-page");
  if ((await chat.launcher.getAttribute("aria-expanded")) !== "true") await click(chat.launcher);
  await chat.field.waitFor();
  await chat.say("How much is the gluten-free bread?");
  await until("the answer from the file", async () => (await chat.bubbles()).some((text) => text.includes("9.80")));
  await picture(visitor, "test-page-answered");
  assert.ok(clicks <= 5, `${clicks} clicks`);
  const said = await chat.bubbles();
  assert.equal(said.length, 2, `one question, one answer: ${said.join(" | ")}`);

  // The owner sees the whole path.
  await page.getByRole("button", { name: "Go to the inbox" }).click();
  const rows = page.getByRole("region", { name: "Conversations" }).locator("[data-row]");
  await rows.first().waitFor();
  assert.equal(await rows.count(), 1);
  await rows.first().click();
  const log = page.getByRole("log", { name: "Messages" });
  await log.getByText("How much is the gluten-free bread?").waitFor();
  await log.getByText("$9.80").first().waitFor();
  await picture(page, "first-run-inbox");
  page.watch.clean();
});

here.test("the steps of the guide fit a narrow window", async () => {
  await here.hub.call("update_settings", { first_run_done: false, first_run_step: 1 });
  const page = await here.page({ viewport: { width: 380, height: 800 }, theme: "dark" });
  await here.hub.kill();
  here.hub.log = "";
  await here.hub.up();
  await page.goto(await here.hub.link());
  // The vault was made with a passphrase: after a start without one it is asked for.
  await page.getByRole("heading", { name: "Open the vault" }).waitFor();
  await picture(page, "unlock-dark-380");
  await axe(page, "the vault's door");
  await noSidewaysScroll(page, "the vault's door");
  await page.getByRole("textbox", { name: "Passphrase" }).fill("not the right one");
  await page.keyboard.press("Enter");
  await page.locator("[aria-invalid=true]").waitFor();
  await page.getByRole("textbox", { name: "Passphrase" }).fill(passphrase);
  await page.keyboard.press("Enter");
  for (const [name, heading] of [
    ["2", "What should your agent know?"],
    ["3", "Meet your agent"],
    ["4", "Your website chat is ready"],
  ]) {
    await page.getByRole("heading", { name: heading }).waitFor();
    await noSidewaysScroll(page, heading);
    await axe(page, heading);
    await picture(page, `first-run-${name}-dark-380`);
    if (name !== "4") await page.getByRole("button", { name: "Continue" }).click();
  }
  await page.getByRole("button", { name: "Finish without a test" }).click();
  await page.getByRole("navigation", { name: "Main" }).waitFor();
});
