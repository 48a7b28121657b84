/**
 * The messages of one conversation, and how they are kept fresh.
 *
 * A long conversation may have thousands of messages here. Asking for all of them again because one tick changed
 * would be a hundred questions, so a change reads again only the pages that it can have touched.
 */
import { type InfiniteData, infiniteQueryOptions } from "@tanstack/react-query";
import type { Message, Page } from "../bindings";
import { call } from "../bridge";
import { queryClient } from "./client";

type Pages = InfiniteData<Page<Message>, string | null>;
/** A message, delivery or file by its id; `newest` where it is not known which message changed. */
export type Touched = string | "newest";

/** The first page opens a conversation at once; older ones are read in larger pieces. */
const opening = 60;
const older = 200;

const read = (conversation: string, cursor: string | null): Promise<Page<Message>> =>
  call("list_messages", { conversation, cursor, limit: cursor === null ? opening : older });

/** The messages of one conversation, newest first. */
export const messages = (conversation: string) =>
  infiniteQueryOptions({
    queryKey: ["messages", conversation],
    queryFn: ({ pageParam }) => read(conversation, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });

/** The conversations whose messages are kept just now. */
export const openConversations = (): string[] =>
  queryClient
    .getQueryCache()
    .findAll({ queryKey: ["messages"] })
    .flatMap(({ queryKey: [, conversation] }) => (typeof conversation === "string" ? [conversation] : []));

/**
 * Reads again what may have changed in a conversation that is, or was lately, on screen. What cannot be read stays as it is and
 * counts as old: the line coming back asks again.
 */
export async function refreshMessages(conversation: string, touched: readonly Touched[] = ["newest"]): Promise<void> {
  const { queryKey } = messages(conversation);
  const query = queryClient.getQueryCache().find({ queryKey, exact: true });
  const before = queryClient.getQueryData<Pages>(queryKey);
  if (query === undefined) return;
  if (before === undefined || !query.isActive()) {
    // Nobody looks at it: the next opening begins with the newest page and asks again.
    if (before !== undefined) queryClient.setQueryData<Pages>(queryKey, firstPage(before));
    await queryClient.invalidateQueries({ queryKey });
    return;
  }
  try {
    for (const index of pagesTouched(before, touched)) {
      const cursor = before.pageParams[index] ?? null;
      const fresh = index === 0 ? await newest(conversation, before) : await read(conversation, cursor);
      queryClient.setQueryData<Pages>(queryKey, (now) => now && withPage(now, cursor, fresh));
    }
  } catch {
    await queryClient.invalidateQueries({ queryKey, refetchType: "none" });
  }
}

/** Is a message, by its id or by the key it was sent under, in the list of its conversation? */
export const isListed = (conversation: string, id: string, clientKey: string): boolean =>
  queryClient
    .getQueryData<Pages>(messages(conversation).queryKey)
    ?.pages.some((page) => page.items.some((one) => one.id === id || one.client_key === clientKey)) ?? false;

/** The pages that hold what was touched. What no page holds is new, or older than anything that was read. */
export function pagesTouched(pages: Pages, touched: readonly Touched[]): number[] {
  const found = touched.map((id) => pages.pages.findIndex((page) => page.items.some((one) => holds(one, id))));
  return [...new Set(found.map((index) => Math.max(0, index)))].sort((one, other) => one - other);
}

const holds = (message: Message, id: Touched): boolean =>
  message.id === id ||
  message.delivery?.id === id ||
  message.content.some((part) => part.type === "media" && part.media === id);

/** Everything newer than what is known: one page mostly, more after a long silence. */
async function newest(conversation: string, before: Pages): Promise<Page<Message>> {
  const known = new Set(before.pages[0]?.items.map((one) => one.id));
  const page = await read(conversation, null);
  while (known.size > 0 && page.next !== null && !page.items.some((one) => known.has(one.id))) {
    const further = await read(conversation, page.next);
    page.items.push(...further.items);
    page.next = further.next;
  }
  return page;
}

/** `pages` with a fresh page in place of the one read from `cursor`. */
export function withPage(pages: Pages, cursor: string | null, fresh: Page<Message>): Pages {
  const at = pages.pageParams.indexOf(cursor);
  const old = pages.pages[at];
  if (old === undefined) return pages;
  const page =
    cursor === null
      ? { items: joined(fresh.items, old.items), next: old.items.length > 0 ? old.next : fresh.next }
      : fresh;
  return { ...pages, pages: pages.pages.with(at, page) };
}

/**
 * The newest page after it was read again, down to where it ended before: the page below begins there. New messages push old
 * ones out of what is read, so those are kept; what was read beyond the end stands on the page below.
 */
function joined(fresh: Message[], old: Message[]): Message[] {
  const end = fresh.findIndex((one) => one.id === old.at(-1)?.id);
  if (end >= 0) return fresh.slice(0, end + 1);
  const from = old.findIndex((one) => one.id === fresh.at(-1)?.id);
  return from < 0 ? fresh : [...fresh, ...old.slice(from + 1)];
}

const firstPage = (pages: Pages): Pages => ({
  pages: pages.pages.slice(0, 1),
  pageParams: pages.pageParams.slice(0, 1),
});
