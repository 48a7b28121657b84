/** The Lab: somebody plays a customer on a stand-in's channel, in bad weather, and keeps it as a test. */
import assert from "node:assert/strict";
import { scene } from "../scene.mjs";
import { axe, noSidewaysScroll, picture, until } from "../stage.mjs";

const here = scene({
  lab: true,
  prepare: async ({ hub }) => {
    await hub.call("update_settings", { shop_name: "Golden Crust Bakery", language: "en", first_run_done: true, first_run_step: 4 });
  },
});

here.test("a customer is played on a channel, in bad weather, and the chat becomes a test", async () => {
  const page = await here.owner("/inbox");
  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await page.getByText("Which channel do you want to play?").waitFor();
  await page.getByText("Lab: nobody real is reached").waitFor();
  await picture(page, "lab-empty-light-1280");
  await axe(page, "a Lab without channels");

  await page.getByRole("combobox", { name: "Add a channel…" }).selectOption({ label: "Telegram" });
  const words = page.getByRole("textbox", { name: "Write as the customer" });
  await words.waitFor();
  await words.fill("Hello, do you have cake?");
  await page.keyboard.press("Control+Enter");
  const chat = page.getByRole("log", { name: "Chat on the phone" });
  await chat.getByText("Hello, do you have cake?").waitFor();
  await chat.getByRole("img", { name: "Answered" }).waitFor();
  await page.getByText("The agent answered").waitFor();

  // The last words come back with the arrow; the weather sends them twice, and the copy is dropped.
  const twice = page.getByRole("slider", { name: "Messages that come twice" });
  await twice.focus();
  await page.keyboard.press("End");
  await until("every message comes twice", async () => {
    const { channels } = await here.hub.call("lab_state");
    return channels[0].weather.duplicates === 100;
  });
  await words.focus();
  await page.keyboard.press("ArrowUp");
  assert.equal(await words.inputValue(), "Hello, do you have cake?");
  await page.keyboard.press("Enter");
  await page.getByText("It came twice, the copy was dropped").first().waitFor();
  await until("both are answered", async () => (await chat.getByRole("img", { name: "Answered" }).count()) === 2);
  const counts = await here.hub.call("lab_counts");
  assert.equal(counts.customers.lost + counts.customers.doubled + counts.shop.lost + counts.shop.doubled, 0);

  await page.getByRole("button", { name: "Keep this chat as a script" }).click();
  const script = page.getByRole("listitem").filter({ has: page.getByRole("button", { name: "Play" }) });
  await script.getByRole("button", { name: "Play", exact: true }).click();
  await script.getByText("Everything as expected").waitFor({ timeout: 60_000 });
  await picture(page, "lab-light-1280");
  await axe(page, "the Lab after a script");
  await noSidewaysScroll(page, "the Lab");
  page.watch.clean();
});

here.test("the Lab stands on a narrow window and in the dark", async () => {
  const { channels } = await here.hub.call("lab_state");
  if (channels.length === 0) await here.hub.call("lab_add_channel", { connector: "telegram" });
  const dark = await here.owner("/lab", { colorScheme: "dark", theme: "dark" });
  await dark.getByRole("log", { name: "Chat on the phone" }).waitFor();
  await here.hub.call("update_settings", { theme: "dark" });
  await until("it is dark", async () => (await dark.evaluate(() => document.documentElement.dataset.theme)) === "dark");
  await picture(dark, "lab-dark-1280");
  await axe(dark, "the Lab in the dark");
  const small = await here.owner("/lab", { viewport: { width: 420, height: 800 } });
  await small.getByRole("log", { name: "Chat on the phone" }).waitFor();
  await picture(small, "lab-dark-420", true);
  await axe(small, "the Lab on a narrow window");
  await noSidewaysScroll(small, "the Lab on a narrow window");
  await here.hub.call("update_settings", { theme: "light" });
  dark.watch.clean();
  small.watch.clean();
});
