// @vitest-environment jsdom
import { describe, expect, test } from "vitest";
import { parseMarkdown } from "../app/markdown";
import { rich } from "../app/view/rich";
import { WORDS } from "../app/words";

function html(source: string): string {
  const box = document.createElement("div");
  box.append(rich(source, WORDS.en));
  for (const a of box.querySelectorAll("a")) {
    expect(a.getAttribute("rel")).toBe("noopener noreferrer nofollow ugc");
    expect(a.getAttribute("target")).toBe("_blank");
    a.removeAttribute("rel");
    a.removeAttribute("target");
  }
  for (const e of box.querySelectorAll("[dir]")) e.removeAttribute("dir");
  return box.innerHTML;
}

describe("what a chat needs", () => {
  test.each([
    ["plain", "<p>plain</p>"],
    ["two\nlines", "<p>two<br>lines</p>"],
    ["one\n\ntwo", "<p>one</p><p>two</p>"],
    [
      "**bold** and *it* and __b__ and _i_",
      "<p><strong>bold</strong> and <em>it</em> and <strong>b</strong> and <em>i</em></p>",
    ],
    ["***both***", "<p><strong><em>both</em></strong></p>"],
    ["**a *b* c**", "<p><strong>a <em>b</em> c</strong></p>"],
    ["*a **b** c*", "<p><em>a <strong>b</strong> c</em></p>"],
    ["2 * 3 * 4 = 24", "<p>2 * 3 * 4 = 24</p>"],
    ["snake_case_name", "<p>snake_case_name</p>"],
    ["**not closed", "<p>**not closed</p>"],
    ["\\*stars\\*", "<p>*stars*</p>"],
    ["`a *b* <c>`", "<p><code>a *b* &lt;c&gt;</code></p>"],
    ["# Title #", '<p class="heading">Title</p>'],
    ["- a\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"],
    ["3. c\n4. d", '<ol start="3"><li><p>c</p></li><li><p>d</p></li></ol>'],
    ["1. a\n   - b\n2. c", "<ol><li><p>a</p><ul><li><p>b</p></li></ul></li><li><p>c</p></li></ol>"],
    ["It was in\n1986. A good year", "<p>It was in<br>1986. A good year</p>"],
    ["> quoted\n> more", "<blockquote><p>quoted<br>more</p></blockquote>"],
    ["a\n\n---\n\nb", "<p>a</p><p>b</p>"],
    ["[shop](https://shop.example/a?b=c)", '<p><a href="https://shop.example/a?b=c">shop</a></p>'],
    [
      "[mail](mailto:a@b.example) [call](tel:+5511988774410)",
      '<p><a href="mailto:a@b.example">mail</a> <a href="tel:+5511988774410">call</a></p>',
    ],
    [
      "See https://shop.example/x_y (or https://b.example).",
      '<p>See <a href="https://shop.example/x_y">https://shop.example/x_y</a> (or <a href="https://b.example/">https://b.example</a>).</p>',
    ],
  ])("%j", (source, expected) => expect(html(source)).toBe(expected));

  test("a fence keeps what it holds, and an open one counts as closed", () => {
    for (const source of ["```js\nlet a = `<b>`;\n```", "```js\nlet a = `<b>`;"]) {
      const box = document.createElement("div");
      box.append(rich(source, WORDS.en));
      expect(box.querySelector("pre code")?.textContent).toBe("let a = `<b>`;");
      expect(box.querySelector("figcaption span")?.textContent).toBe("js");
    }
  });

  test("every cut of a text can be shown while it is written", () => {
    const source = "Hi **you**, see [it](https://a.example) and:\n\n```js\nx\n```\n1. *a*\n   - `b`\n> c";
    for (let i = 0; i <= source.length; i++) expect(() => html(source.slice(0, i))).not.toThrow();
  });
});

/** Everything of this kind must come out as words. */
const HOSTILE = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<svg/onload=alert(1)>",
  "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
  "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
  "<math><mtext></mtext><mglyph><style><img src onerror=alert(1)>",
  "<a href='javascript:alert(1)'>x</a>",
  "<style>*{display:none}</style>",
  "<!--><script>alert(1)</script>-->",
  "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
  "[x](javascript:alert(1))",
  "[x](JaVaScRiPt:alert(1))",
  "[x](java\tscript:alert(1))",
  "[x](java\nscript:alert(1))",
  "[x](\u0001javascript:alert(1))",
  "[x]( javascript:alert(1))",
  "[x](<javascript:alert(1)>)",
  "[x](javascript&colon;alert(1))",
  "[x](&#106;avascript:alert(1))",
  "[x](vbscript:msgbox(1))",
  "[x](data:text/html,<script>alert(1)</script>)",
  "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
  "[x](blob:https://a.example/1)",
  "[x](file:///etc/passwd)",
  "[x](http://a.example)",
  "[x](//a.example)",
  "[x](/admin)",
  "[x](https://shop.example@evil.example/)",
  "[x](https://shop.example:pass@evil.example/)",
  "<javascript:alert(1)>",
  "![x](https://evil.example/pixel.png)",
  "![x](javascript:alert(1))",
  "[![x](javascript:alert(1))](javascript:alert(1))",
  '[a](https://a.example" onmouseover="alert(1))',
  "[a](https://a.example 'x' onclick=alert(1))",
  "[a](https://a.example/`onclick=alert(1)`)",
  "`<img src=x onerror=alert(1)>`",
  '```"><img src=x onerror=alert(1)>\n</code></pre><script>alert(1)</script>\n```',
  "# <img src=x onerror=alert(1)>",
  "- <img src=x onerror=alert(1)>",
  "> <script>alert(1)</script>",
  "**<b onclick=alert(1)>x</b>**",
  "|a|<img src=x onerror=alert(1)>|\n|-|-|",
  "&lt;script&gt;alert(1)&lt;/script&gt;",
  '<https://a.example/"onclick=alert(1)>',
  'https://a.example/"onmouseover=alert(1)//',
  "javascript:/*--></title></style></textarea></script><svg onload=alert(1)>",
];

const ALLOWED = /^(P|BR|STRONG|EM|CODE|PRE|A|UL|OL|LI|BLOCKQUOTE|FIGURE|FIGCAPTION|SPAN|BUTTON|svg|path)$/;
const ATTRIBUTES = /^(dir|class|href|target|rel|start|tabindex|role|aria-label|aria-hidden|type|viewBox|d)$/;

describe("hostile text is inert", () => {
  test.each(HOSTILE)("%j", (source) => {
    const box = document.createElement("div");
    box.append(rich(source, WORDS.en));
    for (const e of box.querySelectorAll("*")) {
      expect(e.tagName).toMatch(ALLOWED);
      for (const { name } of e.attributes) expect(name).toMatch(ATTRIBUTES);
    }
    for (const a of box.querySelectorAll("a")) {
      const url = new URL(a.href);
      expect(url.protocol).toBe("https:");
      expect(url.username).toBe("");
    }
  });

  test("characters that turn the direction round are gone", () => {
    expect(html("[\u202egpj.exe](https://a.example) \u2066x\u2069")).toBe(
      '<p><a href="https://a.example/">gpj.exe</a> x</p>',
    );
  });

  test("a label cannot show one address and lead to another", () => {
    expect(html("[https://shop.example/pay](https://evil.example/)")).toBe(
      '<p><a href="https://evil.example/">https://evil.example/</a></p>',
    );
    expect(html("[www.shop.example](https://evil.example/)")).toBe(
      '<p><a href="https://evil.example/">https://evil.example/</a></p>',
    );
    expect(html("[www.shop.example](https://shop.example/)")).toBe(
      '<p><a href="https://shop.example/">www.shop.example</a></p>',
    );
  });

  test.each([
    ["stars", "*".repeat(50_000)],
    ["open bold", "**a ".repeat(12_000)],
    ["brackets", "[".repeat(50_000)],
    ["half links", "[a](".repeat(12_000)],
    ["backticks", "`a``b```".repeat(6000)],
    ["underscores", "_a_b".repeat(12_000)],
    ["quotes", "> ".repeat(20_000)],
    ["lists", Array.from({ length: 2000 }, (_, i) => `${" ".repeat(i % 300)}- x`).join("\n")],
    ["addresses", "https://a.example/(".repeat(2500)],
  ])("%s by the thousand take less than a second", (_, source) => {
    const began = performance.now();
    parseMarkdown(source);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
