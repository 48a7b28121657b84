// Starts aimock, somebody else's idea of OpenAI and OpenRouter, on a free port and says where it is.
import { LLMock } from "@copilotkit/aimock";

const mock = new LLMock({ port: 0, strict: true, chunkSize: 3 });
const said = (text) => ({ userMessage: text });
mock.addFixture({ match: said("bread"), response: { content: "Yes, we have 🥖 pão de queijo until six." } });
mock.addFixture({ match: { userMessage: "price", hasToolResult: true }, response: { content: "It costs 5 reais." } });
mock.addFixture({
  match: { userMessage: "price", hasToolResult: false },
  response: { toolCalls: [{ name: "find", arguments: JSON.stringify({ what: "pão", n: 2 }) }, { name: "find", arguments: "{}" }] },
});
mock.addFixture({
  match: said("hurry"),
  response: { error: { message: "Rate limit reached", type: "rate_limit_error", code: "rate_limit_exceeded" }, status: 429 },
});
mock.addFixture({ match: said("broken"), response: { content: "This never comes to its end, I am afraid." }, truncateAfterChunks: 3 });
await mock.start();
console.log(JSON.stringify({ url: mock.url }));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
