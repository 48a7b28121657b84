/** A conversation of 5,000 messages: few of them are drawn, none of them jumps, and one stays where one is. */
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { openShop, scene } from "../scene.mjs";
import { axe, picture, until } from "../stage.mjs";
import { Telegram, token } from "../telegram.mjs";

const many = 5000;
let telegram;
let conversation;
before(async () => {
  telegram = await Telegram.start();
});
after(() => telegram?.close());
const here = scene({
  prepare: async (here) => {
    await openShop(here);
    await here.hub.call("create_connection", { connector: "telegram", name: "Telegram", config: { bot_token: token, base_url: telegram.url } });
    telegram.says("message 1");
    conversation = await until("the conversation", async () => (await here.hub.call("list_conversations", {})).items[0]);
    await here.hub.call("take_over", { conversation: conversation.id });
    // Of very different heights: a word, some lines, many lines.
    for (let at = 2; at <= many; at++) telegram.says(`message ${at}${at % 7 === 0 ? ` ${"and some more of it ".repeat(at % 40)}` : ""}`);
    await until(
      `${many} messages`,
      async () => (await here.hub.call("list_messages", { conversation: conversation.id, limit: 1 })).items[0].content[0].text?.startsWith(`message ${many}`),
      180,
    );
    await here.hub.call("mark_read", { conversation: conversation.id });
  },
});

const log = (page) => page.getByRole("log", { name: "Messages" });
const message = (page, at) => log(page).locator("article").filter({ hasText: new RegExp(`message ${at}(\\s|$)`) });
const scrollTop = (page) => log(page).evaluate((flow) => flow.scrollTop);
const fromEnd = (page) => log(page).evaluate((flow) => flow.scrollHeight - flow.clientHeight - flow.scrollTop);

/** How many milliseconds the page itself was at work while `act` ran: the time of its thread, not of the clock. */
async function worked(page, act) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  const spent = async () => (await devtools.send("Performance.getMetrics")).metrics.find((one) => one.name === "TaskDuration").value * 1000;
  const before = await spent();
  await act();
  const after = await spent();
  await devtools.detach();
  return after - before;
}

/** The number of the first message in sight, and where its top stands. */
const topmost = (page) =>
  log(page).evaluate((flow) => {
    const top = flow.getBoundingClientRect().top;
    const first = [...flow.querySelectorAll("article")].find((one) => one.getBoundingClientRect().bottom > top + 1);
    return { number: Number(/message (\d+)/.exec(first.textContent)[1]), at: first.getBoundingClientRect().top - top };
  });

/** Turns the wheel and says, for each drawn frame, by how much what is in sight moved beyond what was turned. */
async function wheel(page, by, times) {
  const box = await log(page).boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await log(page).evaluate((flow) => {
    const watch = { worst: 0, last: undefined, lastTop: 0, moved: 0 };
    window.__watch = watch;
    const look = () => {
      const view = flow.getBoundingClientRect();
      const now = new Map();
      for (const one of flow.querySelectorAll("li")) {
        const top = one.getBoundingClientRect().top;
        if (top < view.bottom && one.getBoundingClientRect().bottom > view.top) now.set(one.textContent, top);
      }
      if (watch.last) {
        const steps = [...now].flatMap(([text, top]) => (watch.last.has(text) ? [top - watch.last.get(text)] : []));
        // All that stays in sight moves as one.
        if (steps.length > 1) watch.worst = Math.max(watch.worst, Math.max(...steps) - Math.min(...steps));
        if (steps.length === 0 && now.size > 0) watch.lost = (watch.lost ?? 0) + 1;
        if (steps.length > 0) watch.moved += steps[0];
        if (now.size === 0) watch.blank = (watch.blank ?? 0) + 1;
      }
      watch.last = now;
      window.__frame = requestAnimationFrame(look);
    };
    look();
  });
  for (let at = 0; at < times; at++) {
    await page.mouse.wheel(0, by);
    await page.waitForTimeout(30);
  }
  await page.waitForTimeout(300);
  return page.evaluate(() => {
    cancelAnimationFrame(window.__frame);
    const { worst, moved, blank = 0, lost = 0 } = window.__watch;
    return { worst, moved, blank, lost };
  });
}

here.test("opens at the end, draws few of them, and turns the wheel without a jump", async () => {
  const page = await here.owner(`/inbox/${conversation.id}`);
  await message(page, many).waitFor();
  assert.ok((await fromEnd(page)) <= 1, "it opens at the end");
  await picture(page, "long-end-light-1280");
  await axe(page, "a long conversation");

  const turned = await wheel(page, -240, 40);
  assert.ok(turned.worst <= 1.5, `what stays in sight moves as one, not by ${turned.worst} px more`);
  assert.equal(turned.blank, 0, "it is never empty");
  assert.ok(Math.abs(turned.moved - 240 * 40) <= 240, `it moved by what was turned: ${turned.moved} of ${240 * 40}`);
  const nodes = await log(page).evaluate((flow) => ({ rows: flow.querySelectorAll("article").length, all: flow.querySelectorAll("*").length }));
  assert.ok(nodes.rows < 60 && nodes.all < 1200, `few are drawn: ${JSON.stringify(nodes)}`);

  // To the very beginning: page after page is read, and each keeps what is in sight where it is.
  const began = Date.now();
  let last = await topmost(page);
  while (!(await message(page, 1).isVisible())) {
    assert.ok(Date.now() - began < 240_000, `the beginning is reached, not stuck at ${last.number}`);
    await log(page).evaluate((flow) => flow.scrollBy(0, -flow.clientHeight * 8));
    await page.waitForTimeout(40);
    const now = await topmost(page);
    assert.ok(now.number <= last.number, `never back down: ${last.number}, then ${now.number}`);
    last = now;
  }
  const whole = await log(page).evaluate((flow) => flow.querySelectorAll("*").length);
  assert.ok(whole < 1200, `few are drawn when all are read: ${whole}`);
  await picture(page, "long-beginning-light-1280");

  // And fast back down in one drag of the bar: the page's own work for each drawing is little, however busy the computer is.
  const steps = 60;
  const work = await worked(page, () =>
    log(page).evaluate(async (flow, steps) => {
      for (let step = 0; step <= steps; step++) {
        flow.scrollTop = (flow.scrollHeight - flow.clientHeight) * (step / steps);
        await new Promise((done) => requestAnimationFrame(done));
      }
    }, steps),
  );
  assert.ok(work / steps < 40, `each step of the drag is drawn at once, not in ${(work / steps).toFixed(0)} ms`);
  page.watch.clean();
});

here.test("stays where one reads while older ones are read and new ones come, and says how many came", async () => {
  const page = await here.owner(`/inbox/${conversation.id}`);
  await message(page, many).waitFor();
  await wheel(page, -400, 12);
  // What was read ahead has arrived.
  await until("nothing on its way", async () => (await page.locator("[aria-busy=true]").count()) === 0);
  const before = await topmost(page);
  telegram.says("news 1");
  telegram.says("news 2");
  const pill = page.getByRole("button", { name: "2 new messages" });
  await pill.waitFor();
  assert.deepEqual(await topmost(page), before, "nothing moved");
  await picture(page, "long-new-light-1280");
  await axe(page, "new messages below");
  await pill.click();
  await log(page).getByText("news 2").waitFor();
  assert.ok((await fromEnd(page)) <= 1);
  await pill.waitFor({ state: "hidden" });

  // At the end, what comes is followed; it is read out once.
  telegram.says("news 3");
  await log(page).getByText("news 3").waitFor();
  await until("the end", async () => (await fromEnd(page)) <= 1);
  await page.getByRole("status").filter({ hasText: "news 3" }).waitFor({ state: "attached" });

  // Who writes is taken to what was written.
  await wheel(page, -600, 8);
  await page.getByRole("textbox", { name: /^Reply to/ }).fill("Thank you for all of this");
  await page.keyboard.press("Control+Enter");
  await log(page).getByText("Thank you for all of this").waitFor();
  await until("the end", async () => (await fromEnd(page)) <= 1);

  // A composer that grows does not hide the last message.
  await page.getByRole("textbox", { name: /^Reply to/ }).fill("one\ntwo\nthree\nfour\nfive\nsix");
  await until("the end", async () => (await fromEnd(page)) <= 1);
  page.watch.clean();
});

here.test("comes back to where one was, and begins at the end after a look at the end", async () => {
  telegram.says("Somebody else", { id: 815, first_name: "Beatriz", last_name: "Tanaka" });
  const page = await here.owner(`/inbox/${conversation.id}`);
  await log(page).getByText("Thank you for all of this").waitFor();
  await wheel(page, -500, 10);
  const before = await topmost(page);
  const rows = page.getByRole("region", { name: "Conversations" }).locator("[data-row]");
  await rows.filter({ hasText: "Beatriz" }).click();
  await log(page).getByText("Somebody else", { exact: true }).waitFor();
  await rows.filter({ hasText: "Rafael" }).click();
  await until("the place of before", async () => {
    const now = await topmost(page);
    return now.number === before.number && Math.abs(now.at - before.at) <= 2;
  });
  await page.getByRole("button", { name: "To the newest message" }).click();
  await until("the end", async () => (await fromEnd(page)) <= 1);
  await rows.filter({ hasText: "Beatriz" }).click();
  await log(page).getByText("Somebody else", { exact: true }).waitFor();
  await rows.filter({ hasText: "Rafael" }).click();
  await log(page).getByText("Thank you for all of this").waitFor();
  await until("the end", async () => (await fromEnd(page)) <= 1);
  assert.ok((await scrollTop(page)) > 0);
  page.watch.clean();
});
