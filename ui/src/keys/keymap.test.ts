import { expect, it } from "vitest";
import { bindings, isSingle, keyIds, keymap, partsOf, pressed, takenBy, withKey } from "./keymap";

const press = (key: string, more: KeyboardEventInit = {}) => pressed(new KeyboardEvent("keydown", { key, ...more }));

it("has no key twice where both would work", () => {
  const all = bindings({});
  // Esc and Ctrl+Enter mean the nearest thing; the place that has the focus decides.
  const doubled = keyIds.filter((id) => !keymap[id].fixed && takenBy(all, id, all[id]) !== undefined);
  expect(doubled).toEqual([]);
});

it("allows the same key on two screens, and refuses it on one", () => {
  const all = bindings({});
  expect(takenBy(all, "connect", "j")).toBeUndefined();
  expect(takenBy(all, "take", "j")).toBe("next");
  expect(takenBy(all, "connect", "?")).toBe("sheet");
  // The first of two keys would be waited for.
  expect(takenBy(all, "take", "g")).toBe("go_inbox");
  expect(takenBy(all, "go_settings", "j x")).toBe("next");
  expect(takenBy(all, "take", "")).toBeUndefined();
});

it("keeps what differs from the usual, and forgets what does not", () => {
  const changed = withKey(withKey({}, "snooze", "x"), "label", "");
  expect(changed).toEqual({ snooze: "x", label: "" });
  expect(withKey(changed, "snooze", "z")).toEqual({ label: "" });
  const all = bindings({ ...changed, palette: "p", fly: "f" });
  expect([all.snooze, all.label, all.take, all.palette]).toEqual(["x", "", "t", "mod+k"]);
  expect("fly" in all).toBe(false);
});

it("reads keys and draws them", () => {
  expect([
    press("E", { shiftKey: true }),
    press("?", { shiftKey: true }),
    press("k", { ctrlKey: true }),
    press("e", { altKey: true }),
  ]).toEqual(["Shift+e", "?", "mod+k", undefined]);
  expect([press("F6"), press("F6", { shiftKey: true }), press(" "), press("Shift")]).toEqual([
    "F6",
    "Shift+F6",
    undefined,
    undefined,
  ]);
  expect([partsOf("Shift+e"), partsOf("g i"), partsOf("+"), partsOf("")]).toEqual([
    ["Shift", "E"],
    ["G", "I"],
    ["+"],
    [],
  ]);
  expect(["g i", "Shift+e", "?", "mod+k", "F6", "Shift+F6", "Esc", ""].map(isSingle)).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});
