import { InfiniteQueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Message, Page } from "../bindings";

const asked: { cursor: string | null }[] = [];
let hub: Message[] = [];
vi.mock("../bridge", async (real) => ({
  ...(await real<object>()),
  /** A conversation as the hub lists it: newest first, the cursor is the last id given. */
  call: async (_: string, { cursor, limit }: { cursor: string | null; limit: number }): Promise<Page<Message>> => {
    asked.push({ cursor });
    const from = cursor === null ? 0 : hub.findIndex((one) => one.id === cursor) + 1;
    const items = hub.slice(from, from + limit);
    return { items, next: from + limit < hub.length ? (items.at(-1)?.id ?? null) : null };
  },
}));
const { queryClient } = await import("./client");
const { messages, refreshMessages } = await import("./messages");

const said = (n: number, text = `${n}`) =>
  ({
    id: `msg_${n}`,
    content: [{ type: "text", text }],
    delivery: { id: `dlv_${n}`, status: "sent" },
  }) as unknown as Message;
const many = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, at) => said(from - at));
const shown = () =>
  queryClient.getQueryData<{ pages: Page<Message>[] }>(["messages", "cnv_1"])?.pages.flatMap((page) => page.items) ??
  [];

let leave: () => void;
beforeEach(async () => {
  hub = many(500, 1);
  // Somebody looks at the conversation and has read it to its beginning.
  await queryClient.fetchInfiniteQuery({ ...messages("cnv_1"), pages: 4 });
  leave = new InfiniteQueryObserver(queryClient, messages("cnv_1")).subscribe(() => {});
  asked.length = 0;
});
afterEach(() => {
  leave();
  queryClient.clear();
});

it("reads one page again for a new message, and loses none of those it pushed out of it", async () => {
  expect(shown()).toHaveLength(500);
  hub = [...many(503, 501), ...hub];
  await refreshMessages("cnv_1", ["msg_503"]);
  expect(asked).toEqual([{ cursor: null }]);
  expect(shown().map((one) => one.id)).toEqual(hub.map((one) => one.id));
});

it("reads the page of an old message whose tick changed, and no other", async () => {
  hub = hub.map((one) =>
    one.id === "msg_100" ? { ...said(100), delivery: { id: "dlv_100", status: "read" } } : one,
  ) as Message[];
  await refreshMessages("cnv_1", ["dlv_100"]);
  expect(asked).toHaveLength(1);
  expect(asked[0]?.cursor).not.toBeNull();
  expect(shown().find((one) => one.id === "msg_100")?.delivery?.status).toBe("read");
  expect(shown().map((one) => one.id)).toEqual(hub.map((one) => one.id));
});

it("closes the gap after a long silence", async () => {
  hub = [...many(800, 501), ...hub];
  await refreshMessages("cnv_1");
  expect(shown().map((one) => one.id)).toEqual(hub.map((one) => one.id));
});

it("asks nothing for a conversation that nobody looks at, and begins it with its newest page", async () => {
  leave();
  await refreshMessages("cnv_1", ["msg_500"]);
  expect(asked).toEqual([]);
  expect(shown()).toHaveLength(60);
});
