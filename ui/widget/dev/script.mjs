/** What the mock hub's agent answers, by a word in the question. */
export const SCRIPT = [
  [
    "gluten",
    [
      {
        type: "markdown",
        text: "Yes: **sourdough with rice flour**, 500 g, for R$ 29. It comes out on *Tuesdays* and *Fridays*, from 10 in the morning.",
      },
      {
        type: "source",
        title: "cardapio-2026.txt",
        quote: "Pão sem glúten (arroz) 500 g . . . 29,00 . . . ter e sex, 10h",
      },
    ],
  ],
  [
    "order",
    [
      { type: "markdown", text: "What would you like to order?" },
      {
        type: "buttons",
        options: [
          { id: "cake", label: "A cake" },
          { id: "bread", label: "Bread for Saturday" },
          { id: "person", label: "Talk to a person" },
        ],
      },
    ],
  ],
  [
    "code",
    [
      {
        type: "markdown",
        text: 'Put this line before `</body>`:\n\n```html\n<script src="https://shop.example/a-rather-long-address-that-scrolls.js"></script>\n```\n\n1. Save the page\n2. Reload it\n   - then look at the corner\n\nMore at [our guide](https://shop.example/guide).',
      },
    ],
  ],
];
