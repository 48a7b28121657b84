/** A shop's page on one origin, the hub on another, and a visitor's Chromium between them. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type FrameLocator,
  type Locator,
  type Page,
} from "playwright-core";
import { MockHub } from "../../dev/mock-server.mjs";

export interface Visit {
  page: Page;
  launcher: Locator;
  frame: FrameLocator;
  field: Locator;
  /** The texts in the bubbles, in order, without greeting and stamps. */
  bubbles(): Promise<string[]>;
  say(text: string): Promise<void>;
}

export interface PageOptions {
  path?: string;
  lang?: string;
  /** The page's own Content-Security-Policy; `NONCE` and `HUB` are replaced. */
  policy?: string;
  body?: string;
  /** The shop's page is on another site than the hub, as in a real shop: browsers then keep things from the frame. */
  crossSite?: boolean;
  overrides?: Record<string, unknown>;
}

export class Stage {
  hub = new MockHub();
  private browser: Browser | undefined;
  private shop: Server | undefined;
  private options: PageOptions = {};
  /** Errors that reached the shop's page: there must be none. */
  errors: string[] = [];

  async open(): Promise<this> {
    await this.hub.start();
    this.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-dev-shm-usage"],
    });
    this.shop = createServer(async (_, answer) => {
      const { lang = "en", policy, body = "", overrides = {} } = this.options;
      answer.setHeader("content-type", "text/html; charset=utf-8");
      if (policy) answer.setHeader("content-security-policy", policy.replaceAll("HUB", this.hub.base));
      const line = `<script nonce="NONCE">${await this.hub.snippet(overrides)}</script>`;
      answer.end(
        `<!doctype html><html lang="${lang}"><head><title>Shop</title><meta name="viewport" content="width=device-width"></head>` +
          `<body><main><h1>Bakery</h1><p><a href="#menu" id="link">Menu</a></p></main>${body}${line}</body></html>`,
      );
    });
    await new Promise<void>((done) => this.shop?.listen(0, "127.0.0.1", done));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.shop?.address() as AddressInfo | undefined)?.port}/`;
  }

  async visit(page: PageOptions = {}, context: BrowserContextOptions = {}): Promise<Visit> {
    if (!this.browser) throw new Error("open the stage first");
    const opened = await this.browser.newContext({
      viewport: { width: 1000, height: 760 },
      locale: "en-GB",
      ...context,
    });
    return this.tab(await opened.newPage(), page);
  }

  /** Goes to the shop with a page of any context. */
  async tab(page: Page, options: PageOptions = {}): Promise<Visit> {
    this.options = options;
    page.on("pageerror", (e) => this.errors.push(String(e)));
    await page.goto(options.crossSite ? this.url.replace("127.0.0.1", "localhost") : this.url);
    const frame = page.frameLocator("shopbell-chat iframe");
    const field = frame.locator("textarea");
    return {
      page,
      launcher: page.locator("shopbell-chat .b"),
      frame,
      field,
      bubbles: () =>
        frame.locator(".log .message:not(:first-child) .bubble").evaluateAll((all) =>
          all.map((b) => {
            const copy = b.cloneNode(true) as HTMLElement;
            for (const stamp of copy.querySelectorAll(".stamp")) stamp.remove();
            return copy.textContent?.trim() ?? "";
          }),
        ),
      say: async (text) => {
        await field.fill(text);
        await field.press("Enter");
      },
    };
  }

  async close(): Promise<void> {
    await this.browser?.close();
    this.shop?.closeAllConnections();
    this.shop?.close();
    if (this.hub.server.listening) await this.hub.stop();
  }
}
