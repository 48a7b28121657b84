import { expect, it } from "vitest";
import type { Connection } from "../../bindings";
import { stateOf, worstFirst } from "./state";

const now = 1_795_176_904_000;
const connection = (more: Partial<Connection>): Connection => ({
  id: "con_1",
  name: "Telegram",
  connector: "telegram",
  status: "active",
  config: {},
  created_at: 0,
  ...more,
});

it("calls nothing proven without evidence of the last hour", () => {
  expect(stateOf(connection({ last_proven_at: now - 60_000 }), undefined, now)).toBe("proven");
  expect(stateOf(connection({ last_proven_at: now - 3 * 3_600_000 }), undefined, now)).toBe("stale");
  expect(stateOf(connection({}), undefined, now)).toBe("untried");
});

it("does not ask for a proof where there is no outside service", () => {
  const builtIn = { kind: "built-in", name: "", type: "Agent", auth: "none", status: "available" } as const;
  const rest = { icon: "", color: "", summary: "", links: [], model: true, page: false };
  const connector = { ...builtIn, abilities: [], prerequisites: [], steps: [], schema: {}, ...rest };
  expect(stateOf(connection({}), connector, now)).toBe("ready");
});

it("puts what wants its owner first", () => {
  const list = (["proven", "paused", "failing", "draft", "needs_sign_in"] as const).map((state) => ({
    connection: connection({ id: state }),
    state,
  }));
  expect(worstFirst(list).map((one) => one.state)).toEqual(["failing", "needs_sign_in", "draft", "paused", "proven"]);
});
