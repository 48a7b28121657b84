/** A visitor's way through the chat, in a real browser, against a hub that speaks the protocol. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Stage } from "./stage";

let stage: Stage;
const said = () => stage.hub.messages.filter((m) => m.role === "visitor").map((m) => m.parts[0]?.text);
/** Presses a button that goes away by itself when the chat has found its way back first. */
const unlessBack = (button: { click(options: { timeout: number }): Promise<void> }) =>
  button.click({ timeout: 2500 }).catch(() => undefined);
const until = (check: () => unknown, timeout = 15_000) => expect.poll(check, { timeout, interval: 50 });
/** The only visitor of the test. */
const visitor = () => [...stage.hub.sessions.values()].at(-1) ?? "";

beforeEach(async () => {
  stage = await new Stage().open();
});
afterEach(async () => {
  await stage.close();
  expect(stage.errors).toEqual([]);
});

describe("talking", () => {
  test("first opening, sending, an answer, and a reload that resumes", async () => {
    const v = await stage.visit();
    await v.launcher.click();
    await v.frame.getByText("Ask about bread").waitFor();
    expect(stage.hub.messages, "a greeting begins no conversation").toEqual([]);
    await v.say("Do you have bread without gluten?");
    await v.frame.locator(".log").getByText("sourdough with rice flour").waitFor();
    await v.frame.getByText("From cardapio-2026.txt").waitFor();
    expect(said()).toEqual(["Do you have bread without gluten?"]);
    await until(() => stage.hub.reads.length).toBeGreaterThan(0);
    const before = await v.bubbles();
    await v.page.reload();
    await v.launcher.click();
    await v.frame.locator(".log").getByText("sourdough with rice flour").waitFor();
    expect(await v.bubbles()).toEqual(before);
    expect(stage.hub.sessions.size).toBe(1);
  });

  test("on a page of another site answers come down the stream, in two tabs as well", async () => {
    const a = await stage.visit({ crossSite: true });
    await a.launcher.click();
    await until(() => stage.hub.listeners.size).toBe(1);
    await a.say("from the first tab");
    await a.frame.getByText("You said: from the first tab").waitFor();
    const b = await stage.tab(await a.page.context().newPage(), { crossSite: true });
    await b.launcher.click();
    await b.frame.getByText("You said: from the first tab").waitFor();
    const began = Date.now();
    stage.hub.say(visitor(), "agent", [{ type: "markdown", text: "We are open until six." }], "Ana");
    for (const tab of [a, b]) await tab.frame.locator(".log").getByText("We are open until six.").waitFor();
    expect(Date.now() - began, "nobody waits for a poll").toBeLessThan(3000);
  });

  test("a choice is sent as the choice it is, once", async () => {
    const v = await stage.visit();
    await v.launcher.click();
    await v.say("I want to order");
    await v.frame.getByRole("button", { name: "Bread for Saturday" }).click();
    await v.frame.getByText("You said: Bread for Saturday").waitFor();
    const choice = stage.hub.messages.filter((m) => m.choice);
    expect(choice.map((m) => m.choice?.option_id)).toEqual(["bread"]);
    expect(await v.frame.getByRole("button", { name: "A cake" }).isDisabled()).toBe(true);
    await v.page.reload();
    await v.launcher.click();
    await v.frame.locator(".option.picked", { hasText: "Bread for Saturday" }).waitFor();
  });

  test("Shift+Enter breaks the line, an input method keeps its Enter, a draft outlives a reload", async () => {
    const v = await stage.visit();
    await v.launcher.click();
    await v.field.fill("one");
    await v.field.press("Shift+Enter");
    await v.field.pressSequentially("two");
    await v.field.dispatchEvent("keydown", { key: "Enter", isComposing: true });
    expect(await v.field.inputValue()).toBe("one\ntwo");
    await v.page.waitForTimeout(500);
    await v.page.reload();
    await v.launcher.click();
    await v.field.waitFor();
    expect(await v.field.inputValue()).toBe("one\ntwo");
    await v.field.press("Enter");
    await until(said).toEqual(["one\ntwo"]);
    await until(() => v.field.inputValue()).toBe("");
  });

  test("typing shows on both sides, unread counts on the launcher, a person is told from the assistant", async () => {
    stage.hub.answers = "none";
    const v = await stage.visit();
    await v.launcher.click();
    // Signs of typing are for whoever listens at that moment.
    await until(() => stage.hub.listeners.size).toBe(1);
    await v.say("hello");
    await until(said).toEqual(["hello"]);
    await until(() => stage.hub.typings).toContain("on");
    stage.hub.tell(visitor(), "typing", { role: "agent", on: true, name: "Ana" });
    await v.frame.getByText("Ana is writing…").waitFor({ state: "attached" });
    stage.hub.tell(visitor(), "status", { online: true, handoff: "human", name: "Ana" });
    await v.frame.getByText("You are talking with Ana").waitFor();
    await v.launcher.click();
    stage.hub.say(visitor(), "agent", [{ type: "markdown", text: "Good morning!" }], "Ana");
    // Who has no name speaks for the shop.
    stage.hub.say(visitor(), "agent", [{ type: "markdown", text: "We are open until six." }], "");
    await until(() => v.launcher.getAttribute("aria-label")).toBe("Open chat, 2 unread");
    expect(await v.page.locator("shopbell-chat .c").textContent()).toBe("2");
    await v.launcher.click();
    await v.frame.locator(".message.agent").getByText("Good morning!").waitFor();
    const nameless = v.frame.locator(".message.agent", { hasText: "We are open until six." });
    expect(await nameless.locator(".author").textContent()).toBe("Pão Dourado");
    await until(() => v.launcher.getAttribute("aria-label")).toBe("Close chat");
  });

  test("two tabs show the same, with one stream between them", async () => {
    const a = await stage.visit();
    await a.launcher.click();
    await a.say("from the first tab");
    await a.frame.getByText("You said: from the first tab").waitFor();
    const b = await stage.tab(await a.page.context().newPage());
    await b.launcher.click();
    await b.frame.getByText("You said: from the first tab").waitFor();
    await b.say("from the second tab");
    await b.frame.getByText("You said: from the second tab").waitFor();
    await a.frame.getByText("You said: from the second tab").waitFor();
    expect(await a.bubbles()).toEqual(await b.bubbles());
    expect(said()).toEqual(["from the first tab", "from the second tab"]);
    expect(stage.hub.sessions.size).toBe(1);
    await until(() => stage.hub.listeners.size).toBe(1);
  });
});

describe("when things break", () => {
  test("it never says that the shop is there while it is not, from the first moment on", async () => {
    const v = await stage.visit();
    await v.launcher.click();
    await v.say("before");
    await v.frame.getByText("You said: before").waitFor();
    const line = v.frame.locator(".line");
    await until(() => line.textContent()).toBe("Online");
    // Everything that the line says from here on, moment by moment.
    await line.evaluate((node) => {
      const said: string[] = [];
      Object.assign(window, { said });
      new MutationObserver(() => said.push(node.textContent ?? "")).observe(node, {
        childList: true,
        characterData: true,
        subtree: true,
      });
    });
    const heard = () => line.evaluate(() => (window as unknown as { said: string[] }).said);
    await v.page.context().setOffline(true);
    await v.frame.getByText("You are offline").waitFor();
    expect((await heard()).filter((words) => words === "Online")).toEqual([]);
    expect(await line.textContent()).toBe("Not reachable right now");
    await v.page.context().setOffline(false);
    await until(() => line.textContent()).toBe("Online");

    // The hub goes: nothing is claimed until it is known.
    await stage.hub.stop();
    await until(() => line.textContent(), 3000).not.toBe("Online");
    await v.frame.getByText("The shop is not reachable right now").waitFor();
    await stage.hub.start();
    await until(() => line.textContent()).toBe("Online");
  });

  test("what is written while the hub is down waits, survives a reload of the frame's page, and arrives once", async () => {
    const v = await stage.visit();
    await v.launcher.click();
    await v.say("before");
    await v.frame.getByText("You said: before").waitFor();
    await stage.hub.stop();
    await v.frame.getByText("The shop is not reachable right now").waitFor();
    for (const text of ["one", "two", "three"]) await v.say(text);
    await v.frame.locator("[data-state=waiting], [data-state=sending]").nth(2).waitFor();
    await stage.hub.start();
    await unlessBack(v.frame.getByRole("button", { name: "Try now" }));
    await v.frame.getByText("You said: three").waitFor();
    expect(said()).toEqual(["before", "one", "two", "three"]);
    expect(await v.frame.locator("[data-state=waiting], [data-state=sending]").count()).toBe(0);
    await v.frame.getByText("The shop is not reachable right now").waitFor({ state: "detached" });
  });

  test("a page reloaded while the hub is down sends what it kept, once, when it comes back", async () => {
    const v = await stage.visit();
    await v.launcher.click();
    await v.say("before");
    await v.frame.getByText("You said: before").waitFor();
    await stage.hub.stop();
    await v.say("kept");
    await v.page.waitForTimeout(200);
    await v.page.reload();
    await v.launcher.click();
    await v.page.getByText("The shop is not reachable right now").waitFor();
    await stage.hub.start();
    await unlessBack(v.page.getByRole("button", { name: "Try again" }));
    await v.frame.getByText("You said: kept").waitFor();
    expect(said()).toEqual(["before", "kept"]);
  });

  test("an answer of the hub that is lost on its way makes no second message", async () => {
    const v = await stage.visit();
    await v.launcher.click();
    await v.field.waitFor();
    stage.hub.loseAnswers = true;
    await v.say("hello");
    await v.frame.getByText("You said: hello").waitFor();
    stage.hub.loseAnswers = false;
    await v.page.waitForTimeout(2500);
    expect(said()).toEqual(["hello"]);
    expect(await v.bubbles()).toEqual(["hello", "You said: hello"]);
  });

  test.each(["refused", "held back"] as const)("with streams %s the answer comes by long poll", async (how) => {
    stage.hub.streams = how;
    const v = await stage.visit();
    await v.launcher.click();
    await v.say("hello");
    await v.frame.getByText("You said: hello").waitFor({ timeout: 20_000 });
    await until(() => stage.hub.requests.at(-1), 20_000).toBe("GET /widget/v1/messages");
    await v.say("again");
    await v.frame.getByText("You said: again").waitFor({ timeout: 3000 });
    expect(said()).toEqual(["hello", "again"]);
  });

  test("an expired session is replaced and the message goes out once", async () => {
    const v = await stage.visit();
    await v.launcher.click();
    await v.field.waitFor();
    stage.hub.sessions.clear();
    await v.say("hello");
    await v.frame.getByText("You said: hello").waitFor();
    expect(said()).toEqual(["hello"]);
    expect(stage.hub.sessions.size).toBe(1);
  });

  test("a cursor that is too old reads everything again", async () => {
    const v = await stage.visit();
    await v.launcher.click();
    await v.say("hello");
    await v.frame.getByText("You said: hello").waitFor();
    await stage.hub.stop();
    stage.hub.oldestCursor = 100;
    stage.hub.counter = 200;
    await stage.hub.start();
    await v.say("back");
    await v.frame.getByText("You said: back").waitFor();
    expect(await v.bubbles()).toEqual(["hello", "You said: hello", "back", "You said: back"]);
  });

  test("a refused message says why and can be sent again", async () => {
    const v = await stage.visit();
    await v.launcher.click();
    await v.field.waitFor();
    stage.hub.refuse = [403, "blocked"];
    await v.say("hello");
    await v.frame.getByText("Not sent. The shop does not take messages from here.").waitFor();
    stage.hub.refuse = null;
    await v.frame.getByRole("button", { name: "Try again" }).click();
    await v.frame.getByText("You said: hello").waitFor();
    expect(said()).toEqual(["hello"]);
  });

  test("too fast: the hub's wish is obeyed and the message arrives", async () => {
    const v = await stage.visit();
    await v.launcher.click();
    await v.field.waitFor();
    stage.hub.refuse = [429, "rate_limited", { retry_after: 1 }];
    await v.say("hello");
    await v.frame.locator("[data-state=waiting]").waitFor();
    stage.hub.refuse = null;
    await v.frame.getByText("You said: hello").waitFor();
    expect(said()).toEqual(["hello"]);
  });
});
