/** The widget as a guest on somebody else's page: policies, keyboards, screen readers, small screens. */
import { AxeBuilder } from "@axe-core/playwright";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Stage, type Visit } from "./stage";

let stage: Stage;
beforeEach(async () => {
  stage = await new Stage().open();
});
afterEach(async () => {
  await stage.close();
  expect(stage.errors).toEqual([]);
});

const until = (check: () => unknown, timeout = 10_000) => expect.poll(check, { timeout, interval: 50 });

async function axe(v: Visit): Promise<string[]> {
  // One page and its frames; the script is put in by the test tool, so no policy may be bent for it.
  const { violations } = await new AxeBuilder({ page: v.page as never }).analyze();
  return violations.map(
    (x) => `${x.id}: ${x.nodes.map((n) => `${n.target.join(" ")} ${n.failureSummary}`).join("; ")}`,
  );
}

describe("the pasted line", () => {
  test("nothing is loaded but the loader, and nothing moves", async () => {
    const v = await stage.visit({}, {});
    await v.page.evaluate(() => {
      const shifts: number[] = [];
      (window as unknown as { shifts: number[] }).shifts = shifts;
      new PerformanceObserver((list) => {
        for (const e of list.getEntries()) shifts.push((e as unknown as { value: number }).value);
      }).observe({ type: "layout-shift", buffered: true });
    });
    await until(() => stage.hub.requests.length).toBe(1);
    await v.page.waitForTimeout(700);
    expect(stage.hub.requests).toEqual(["GET /widget/v1/loader.js"]);
    await v.launcher.click();
    await v.field.waitFor();
    await v.page.waitForTimeout(300);
    expect(await v.page.evaluate(() => (window as unknown as { shifts: number[] }).shifts)).toEqual([]);
  });

  test("says within three seconds that the shop cannot be reached, and tries again when asked", async () => {
    await stage.hub.stop();
    const v = await stage.visit();
    await v.launcher.click();
    await v.page.getByText("The shop is not reachable right now").waitFor({ timeout: 3500 });
    expect(await axe(v)).toEqual([]);
    await v.page.getByRole("button", { name: "Close chat" }).click();
    await v.page.getByText("The shop is not reachable right now").waitFor({ state: "hidden" });
    await v.launcher.click();
    await v.page.getByText("The shop is not reachable right now").waitFor({ timeout: 3500 });
    await stage.hub.start();
    await v.page.getByRole("button", { name: "Try again" }).click();
    await v.field.waitFor();
  });

  test("a hub that answers nothing at all is not waited for", async () => {
    const v = await stage.visit();
    await v.page.route("**/loader.js", () => undefined);
    await v.page.reload();
    const began = Date.now();
    await v.launcher.click();
    await v.page.getByText("The shop is not reachable right now").waitFor();
    expect(Date.now() - began).toBeLessThan(4000);
  });

  test("a hub that fell asleep after the page was loaded", async () => {
    const v = await stage.visit();
    await until(() => stage.hub.requests.length).toBe(1);
    await v.page.waitForTimeout(300);
    await stage.hub.stop();
    await v.launcher.click();
    await v.page.getByText("The shop is not reachable right now").waitFor({ timeout: 4500 });
    await stage.hub.start();
    await v.page.getByRole("button", { name: "Try again" }).click();
    await v.field.waitFor();
  });

  test("pasted twice there is one launcher; a router that swaps the body leaves it and the chat alone", async () => {
    const v = await stage.visit({
      body: `<script>window.Shopbell=function(){(Shopbell.q=Shopbell.q||[]).push(arguments)}</script>`,
    });
    await v.page.evaluate(
      (line) => {
        const s = document.createElement("script");
        s.textContent = line;
        document.body.append(s);
      },
      await stage.hub.snippet(),
    );
    expect(await v.page.locator("shopbell-chat").count()).toBe(1);
    await v.launcher.click();
    await v.field.fill("a draft");
    await v.page.evaluate(() => {
      history.pushState({}, "", "/other");
      document.body.replaceWith(document.createElement("body"));
    });
    expect(await v.field.inputValue()).toBe("a draft");
    await v.page.evaluate(() => document.querySelector("shopbell-chat")?.remove());
    await until(() => v.page.locator("shopbell-chat").count()).toBe(1);
  });

  test("works under a strict policy with a nonce", async () => {
    const refused: string[] = [];
    const policy =
      "default-src 'none'; script-src 'nonce-NONCE' HUB; connect-src HUB; frame-src HUB; style-src 'none'; base-uri 'none'; require-trusted-types-for 'script'";
    const v = await stage.visit({ policy });
    v.page.on("console", (m) => {
      if (/Content Security Policy|Trusted/i.test(m.text())) refused.push(m.text());
    });
    await v.page.reload();
    await v.launcher.click();
    await v.say("hello");
    await v.frame.getByText("You said: hello").waitFor();
    expect(refused).toEqual([]);
    expect(await v.launcher.evaluate((b) => getComputedStyle(b).width)).toBe("56px");
  });

  test("a page's rules do not reach inside, and ours do not reach out", async () => {
    const v = await stage.visit({
      body: "<style>*{display:block!important;color:red!important;font-size:40px!important;transform:rotate(3deg)} button{width:500px!important}</style>",
    });
    expect(await v.launcher.evaluate((b) => getComputedStyle(b).width)).toBe("56px");
    expect(await v.page.locator("shopbell-chat").evaluate((e) => getComputedStyle(e).position)).toBe("fixed");
  });

  test("a website that is not allowed is told so, quietly", async () => {
    stage.hub.allowed = ["https://shop.example"];
    const v = await stage.visit();
    await v.launcher.click();
    await v.page.getByText("This chat is not available here").waitFor();
  });

  test("Shopbell(…) opens, closes, toggles, changes the language, and starts over", async () => {
    const v = await stage.visit();
    const call = (...args: unknown[]) =>
      v.page.evaluate((a) => (window as unknown as { Shopbell(...x: unknown[]): void }).Shopbell(...a), args);
    await call("boot", { locale: "pt-BR", position: "left", color: "#0084ff" });
    await call("open");
    await v.frame.getByPlaceholder("Escreva uma mensagem").waitFor();
    expect(await v.launcher.getAttribute("aria-label")).toBe("Fechar conversa");
    await v.say("oi");
    await v.frame.getByText("You said: oi").waitFor();
    await call("locale", "es");
    await v.frame.getByPlaceholder("Escribe un mensaje").waitFor();
    await v.frame.getByText("You said: oi").waitFor();
    await call("close");
    await v.field.waitFor({ state: "hidden" });
    await call("toggle");
    await v.field.waitFor();
    await call("reset");
    await v.frame.getByText("You said: oi").waitFor({ state: "detached" });
    await v.say("nuevo");
    await v.frame.getByText("You said: nuevo").waitFor();
    expect(stage.hub.sessions.size).toBe(2);
    await call("nonsense");
  });

  test("messages from elsewhere are not heard", async () => {
    const v = await stage.visit();
    await v.launcher.click();
    await v.field.waitFor();
    await v.page.evaluate(() => {
      window.postMessage({ shopbell: 1, type: "close" }, "*");
      window.postMessage({ shopbell: 1, type: "keep", name: "session", value: "stolen" }, "*");
    });
    await v.page.waitForTimeout(200);
    expect(await v.field.isVisible()).toBe(true);
    expect(await v.page.evaluate(() => localStorage.getItem("shopbell:sbw_test:session"))).not.toBe("stolen");
  });
});

describe("for everybody", () => {
  test.each([
    ["light", { colorScheme: "light" as const }],
    ["dark", { colorScheme: "dark" as const }],
    ["a narrow screen", { viewport: { width: 320, height: 560 } }],
  ])("axe finds nothing: %s, closed, open, talking, down", async (_, context) => {
    const v = await stage.visit({}, context);
    expect(await axe(v)).toEqual([]);
    await v.launcher.click();
    await v.frame.getByText("Ask about bread").waitFor();
    await v.page.waitForTimeout(300);
    expect(await axe(v)).toEqual([]);
    for (const text of ["gluten?", "show me the code", "an order"]) {
      await v.say(text);
      await v.frame.locator(".growing .dots").waitFor({ state: "detached" });
    }
    await v.frame.getByRole("button", { name: "A cake" }).waitFor();
    stage.hub.refuse = [403, "blocked"];
    await v.say("refused");
    await v.frame.getByText("Not sent.").waitFor();
    expect(await axe(v)).toEqual([]);
    await stage.hub.stop();
    await v.frame.getByText("The shop is not reachable right now").waitFor();
    expect(await axe(v)).toEqual([]);
  });

  test("with the keyboard alone: open, write, choose, copy, close, and back where it began", async () => {
    const v = await stage.visit();
    const keys = v.page.keyboard;
    await v.page.locator("#link").focus();
    await keys.press("Tab");
    await keys.press("Enter");
    await v.field.waitFor();
    await until(() => v.field.evaluate((e) => e === document.activeElement)).toBe(true);
    await keys.type("an order");
    await keys.press("Enter");
    const cake = v.frame.getByRole("button", { name: "A cake" });
    await cake.waitFor();
    for (let i = 0; i < 8 && !(await cake.evaluate((e) => e === document.activeElement)); i++)
      await keys.press("Shift+Tab");
    await keys.press("Enter");
    await v.frame.getByText("You said: A cake").waitFor();
    await keys.press("Escape");
    await v.field.waitFor({ state: "hidden" });
    expect(
      await v.page.evaluate(() => document.querySelector("shopbell-chat")?.shadowRoot?.activeElement?.className),
    ).toBe("b");
    expect(await v.launcher.getAttribute("aria-expanded")).toBe("false");
  });

  test("on a phone it fills the screen, keeps the focus inside, and nothing is cut off at 320", async () => {
    const v = await stage.visit({}, { viewport: { width: 320, height: 560 }, hasTouch: true, isMobile: true });
    await v.launcher.tap();
    await v.field.waitFor();
    const panel = v.page.locator("shopbell-chat .p");
    await v.page.waitForTimeout(300);
    expect(await panel.boundingBox()).toMatchObject({ x: 0, y: 0, width: 320, height: 560 });
    expect(await panel.getAttribute("aria-modal")).toBe("true");
    await v.say("show me the code and a-very-long-word-".concat("x".repeat(120)));
    await v.frame.locator(".log pre").waitFor();
    expect(await v.frame.locator("body").evaluate((b) => b.scrollWidth)).toBeLessThanOrEqual(320);
    for (const target of await v.frame.locator("button:visible").all()) {
      const box = await target.boundingBox();
      expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(40);
    }
    for (let i = 0; i < 8; i++) await v.page.keyboard.press("Tab");
    expect(await v.page.evaluate(() => document.activeElement?.localName)).toBe("shopbell-chat");
    await v.frame.getByRole("button", { name: "Close chat" }).tap();
    await v.field.waitFor({ state: "hidden" });
  });

  test("a finished answer is added to the log once; what is being written stays outside it", async () => {
    const v = await stage.visit();
    await v.launcher.click();
    await v.field.waitFor();
    await v.frame.locator(".log").evaluate((log) => {
      const added: string[] = [];
      (window as unknown as { added: string[] }).added = added;
      new MutationObserver((all) => {
        for (const m of all)
          for (const n of m.addedNodes) if ((n as Element).matches?.(".message.bot")) added.push(n.textContent ?? "");
      }).observe(log, { childList: true, subtree: true });
    });
    await v.say("gluten?");
    await v.frame.locator(".log").getByText("sourdough with rice flour").waitFor();
    await v.page.waitForTimeout(500);
    const added = await v.frame.locator(".log").evaluate(() => (window as unknown as { added: string[] }).added);
    expect(added).toHaveLength(1);
    expect(await v.frame.locator(".log").getAttribute("aria-live")).toBe("polite");
    expect(await v.frame.locator(".growing").getAttribute("aria-hidden")).toBe("true");
  });

  test("right to left, printing, less motion", async () => {
    const v = await stage.visit({ lang: "ar" }, { reducedMotion: "reduce" });
    await v.page.evaluate(() => {
      document.documentElement.dir = "rtl";
    });
    await v.launcher.click();
    await v.field.waitFor();
    expect(await v.frame.locator("html").getAttribute("dir")).toBe("rtl");
    expect(await v.page.locator("shopbell-chat .p").evaluate((p) => getComputedStyle(p).animationName)).toBe("none");
    await v.page.emulateMedia({ media: "print" });
    expect(await v.page.locator("shopbell-chat").evaluate((e) => getComputedStyle(e).display)).toBe("none");
  });
});
