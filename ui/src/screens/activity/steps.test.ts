import { expect, it } from "vitest";
import { shownOf } from "./steps";

const step = (kind: string, body: unknown) => ({ kind, at: 0, took_ms: 1, body: body as Record<string, unknown> });

it("shows each tool that was asked for, with its arguments laid out", () => {
  const calls = [{ id: "a", name: "knowledge_search", arguments: '{"query":"bread"}' }];
  expect(shownOf(step("call", { step: "call", text: "Let me see.", calls }))).toEqual([
    { kind: "said", text: "Let me see." },
    { kind: "call", tool: "knowledge_search", details: '{\n  "query": "bread"\n}' },
  ]);
});

it("shows what came back and what was said", () => {
  const result = { step: "result", call_id: "a", name: "escalate", content: "Done." };
  expect(shownOf(step("result", result))).toEqual([{ kind: "result", tool: "escalate", text: "Done." }]);
  expect(shownOf(step("said", { step: "said", text: "Hello." }))).toEqual([{ kind: "said", text: "Hello." }]);
});
