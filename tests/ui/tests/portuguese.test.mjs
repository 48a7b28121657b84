/** The same first steps in Portuguese: what the hub made for a new shop speaks its owner's language as well. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { passphrase } from "../hub.mjs";
import { scene } from "../scene.mjs";
import { picture, until } from "../stage.mjs";
import { Chat } from "../visitor.mjs";

const here = scene({ vault: "none" });

here.test("a shop that speaks Portuguese is set up in Portuguese", async () => {
  const page = await here.page({ locale: "en-US" });
  await page.goto(await here.hub.link());
  await page.getByText("Português (Brasil)").click();
  const words = JSON.parse(readFileSync(new URL("../../../ui/src/locales/pt-BR.json", import.meta.url), "utf8"));
  const step = words.first_run;
  await page.getByRole("heading", { name: step.shop_title }).waitFor();
  await page.getByRole("textbox", { name: step.shop_name }).fill("Pão Dourado");
  await page.getByRole("textbox", { name: words.vault.passphrase, exact: true }).fill(passphrase);
  await page.getByRole("textbox", { name: words.vault.again, exact: true }).fill(passphrase);
  const go = page.getByRole("button", { name: words.common.continue });
  await go.click();
  await page.getByRole("heading", { name: step.know_title }).waitFor();
  await page.getByRole("button", { name: step.use_sample }).click();
  await page.getByText(step.ready, { exact: true }).waitFor();
  await go.click();
  await page.getByRole("heading", { name: step.agent_title }).waitFor();
  await go.click();
  await page.getByRole("heading", { name: step.channel_title }).waitFor();
  const popup = page.context().waitForEvent("page");
  await page.getByRole("button", { name: step.open_test }).click();
  const visitor = await popup;
  here.pages.push(visitor);
  const chat = new Chat(visitor);
  await chat.open();
  await chat.say("Vocês abrem no domingo?");
  await until("an answer in Portuguese", async () => /domingo/i.test((await chat.bubbles())[1] ?? ""));
  await picture(visitor, "portuguese-answered");

  await page.getByRole("button", { name: step.to_inbox }).click();
  await page.locator("[data-row]").first().waitFor();
  const { items } = await here.hub.call("list_connections", {});
  assert.deepEqual(items.map((one) => one.name).sort(), ["Chat do site", "Respostas integradas"]);
  assert.match((await here.hub.call("list_agents", {})).items[0].instructions, /Você atende/);
  page.watch.clean();
});
