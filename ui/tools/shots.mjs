/**
 * Pictures of the screens with the make-believe bakery, and what axe finds on them.
 *
 *   npm run dev:mock &   then   npm run shots -- inbox "/#/inbox/cnv_mariana" [more "/?fresh#/welcome" …]
 *
 * Writes `test-results/<name>-<theme>-<width>.png`. `CHROMIUM` names another browser.
 */
import { mkdirSync } from "node:fs";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

const pairs = process.argv.slice(2);
const base = process.env.BASE ?? "http://127.0.0.1:5199";
const themes = (process.env.THEMES ?? "light,dark").split(",");
const sizes = (process.env.SIZES ?? "1280x800,420x800").split(",").map((one) => one.split("x").map(Number));
mkdirSync("test-results", { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
let found = 0;
for (const theme of themes) {
  for (const [width, height] of sizes) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, locale: "pt-BR" });
    await context.addInitScript((value) => {
      if (location.protocol !== "about:") localStorage.setItem("shopbell.theme", value);
    }, theme);
    const page = await context.newPage();
    page.on("pageerror", (error) => console.log(`page error: ${error.message}`));
    page.on("console", (line) => line.type() === "error" && console.log(`console: ${line.text()}`));
    for (let at = 0; at < pairs.length; at += 2) {
      const [name, path] = [pairs[at], pairs[at + 1]];
      const [before, hash = ""] = path.split("#");
      const query = before.includes("?") ? `${before}&theme=${theme}` : `${before}?theme=${theme}`;
      await page.goto("about:blank");
      await page.goto(`${base}${query}#${hash}`);
      await page.waitForTimeout(900);
      if (process.env.STEPS) await (await import(process.env.STEPS)).default(page, { name, width });
      await page.screenshot({ path: `test-results/${name}-${theme}-${width}.png` });
      const { violations } = await new AxeBuilder({ page })
        .withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"])
        .analyze();
      for (const one of violations) {
        found += 1;
        console.log(`${name} ${theme} ${width}: ${one.id}: ${one.help}`);
        for (const node of one.nodes.slice(0, 4))
          console.log(`    ${node.target.join(" ")}  ${node.failureSummary?.split("\n")[1] ?? ""}`);
      }
    }
    await context.close();
  }
}
await browser.close();
console.log(found === 0 ? "axe found nothing" : `axe found ${found}`);
