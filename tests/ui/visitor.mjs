/** A visitor of a website with the chat on it. */

/** The chat of a page: what stands in it, and a hand to write with. */
export class Chat {
  constructor(page) {
    this.page = page;
    this.launcher = page.locator("shopbell-chat .b");
    this.frame = page.frameLocator("shopbell-chat iframe");
    this.field = this.frame.locator("#text");
  }

  /** Opens the chat if it is closed. */
  async open() {
    await this.launcher.waitFor();
    if ((await this.launcher.getAttribute("aria-expanded")) !== "true") await this.launcher.click();
    await this.field.waitFor();
  }

  async say(text) {
    await this.field.fill(text);
    await this.field.press("Enter");
  }

  /** The words in the bubbles, in order, greeting and stamps left out. */
  bubbles() {
    return this.frame.locator(".log .message:not(:first-child) .bubble").evaluateAll((all) =>
      all.map((one) => {
        const copy = one.cloneNode(true);
        for (const stamp of copy.querySelectorAll(".stamp")) stamp.remove();
        return copy.textContent?.trim() ?? "";
      }),
    );
  }
}
