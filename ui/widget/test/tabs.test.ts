import { afterEach, describe, expect, test, vi } from "vitest";
import { Tabs } from "../app/tabs";

/** What Chromium says in a frame that may not keep anything. */
const refusal = () => new DOMException("Access to the Locks API is denied in this context.", "SecurityError");
type Request = (name: string, options: LockOptions, held: () => Promise<void> | undefined) => Promise<unknown>;

function browserWith(request: Request, channel: unknown = BroadcastChannel): void {
  vi.stubGlobal("navigator", { locks: { request } });
  vi.stubGlobal("BroadcastChannel", channel);
}

/** Every change of the lead, in order. */
function open(): { tabs: Tabs<string>; leads: boolean[] } {
  const leads: boolean[] = [];
  const tabs = new Tabs<string>(
    "shopbell:vis_1",
    () => undefined,
    (leading) => leads.push(leading),
  );
  return { tabs, leads };
}
const soon = () => new Promise((done) => setTimeout(done, 10));

afterEach(() => vi.unstubAllGlobals());

describe("a tab whose browser refuses Web Locks", () => {
  test.each<[string, Request]>([
    ["rejects", () => Promise.reject(refusal())],
    [
      "throws",
      () => {
        throw refusal();
      },
    ],
  ])("leads by itself when the request %s", async (_, request) => {
    browserWith(request);
    const { tabs, leads } = open();
    tabs.take();
    await soon();
    expect(leads).toEqual([true]);
    expect(tabs.leading).toBe(true);
    tabs.say("nobody hears it, and nothing breaks");
    tabs.take();
    await soon();
    expect(leads).toEqual([true]);
    tabs.close();
  });

  test("leads by itself when the channel between tabs is refused as well", () => {
    browserWith(
      () => Promise.reject(refusal()),
      class {
        constructor() {
          throw refusal();
        }
      },
    );
    const { tabs, leads } = open();
    expect(leads).toEqual([true]);
    tabs.close();
  });

  test("does not lead after it was closed", async () => {
    browserWith(() => Promise.reject(refusal()));
    const { tabs, leads } = open();
    tabs.close();
    await soon();
    expect(leads).toEqual([]);
  });
});

test("a tab whose lock is stolen follows, and asks for it again", async () => {
  const asked: string[] = [];
  let steal: (cause: unknown) => void = () => undefined;
  browserWith((_, options, held) => {
    asked.push(JSON.stringify(options));
    // The second request waits in the queue for as long as the thief lives.
    if (asked.length > 1) return new Promise(() => undefined);
    return new Promise((done, fail) => {
      steal = fail;
      Promise.resolve()
        .then(() => held())
        .then(done);
    });
  });
  const { tabs, leads } = open();
  await soon();
  steal(new DOMException("stolen", "AbortError"));
  await soon();
  expect(leads).toEqual([true, false]);
  expect(tabs.leading).toBe(false);
  expect(asked).toEqual(["{}", "{}"]);
  tabs.close();
});
