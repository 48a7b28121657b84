/** Evidence for the tests: a number at a service that calls us, with an app and a token, of which nothing is known yet. */
import type {
  Agent,
  Arrival,
  Connection,
  Connector,
  ConversationRow,
  DeliveryRow,
  TestResult,
  Turn,
} from "../../bindings";
import type { Evidence } from "./evidence";

export const now = 1_795_176_904_000;
const string = (title: string) => ({ type: "string", title });
export const connector: Connector = {
  kind: "chat",
  name: "Chat",
  type: "Channel",
  auth: "api_key",
  status: "available",
  icon: "",
  color: "",
  summary: "",
  abilities: [],
  prerequisites: [],
  steps: [],
  links: [],
  model: false,
  page: false,
  schema: {
    type: "object",
    required: ["phone_number", "phone_number_id", "app_id", "access_token"],
    properties: {
      phone_number: string("Phone number"),
      phone_number_id: string("Phone number ID"),
      app_id: string("App ID"),
      access_token: { ...string("Access token"), writeOnly: true },
      verify_token: { ...string("Verify token"), writeOnly: true },
    },
  },
};
export const connection: Connection = {
  id: "con_1",
  name: "Shop",
  connector: "chat",
  status: "active",
  webhook_url: "https://shop.example/hooks/1",
  config: { phone_number: "+5511", phone_number_id: "106", app_id: "67", access_token: { set: true } },
  created_at: 0,
};
export const test = (details: TestResult["details"], ok = true): TestResult => ({ ok, checks: [], details });
export const arrival = (more: Partial<Arrival>): Arrival => ({
  id: "arr_1",
  connection: "con_1",
  received_at: now - 60_000,
  method: "POST",
  verdict: "handled",
  bytes: 1,
  attempts: 1,
  effects: [{ effect: "message", message: "msg_1", conversation: "cnv_1" }],
  ...more,
});
export const delivery = (more: Partial<DeliveryRow>): DeliveryRow => ({
  id: "dlv_1",
  message: "msg_2",
  conversation: "cnv_1",
  connection: "con_1",
  contact: "",
  preview: "",
  sent_at: now - 30_000,
  status: "delivered",
  parked: false,
  attempts: 1,
  ...more,
});
export const agent = { id: "agt_1", name: "Nina", connection: "con_ai", default: true } as Agent;
export const model = { ...connection, id: "con_ai", status: "active" } as Connection;
export const conversation = {
  id: "cnv_1",
  owner: { type: "agent", id: "agt_1", name: "Nina" },
  last_message_at: now,
} as ConversationRow;
export const turn = { id: "trn_1", status: "done", wanted_at: now - 40_000, ended_at: now - 35_000 } as Turn;

export const evidence = (more: Partial<Evidence> = {}): Evidence => ({
  connector,
  connection,
  called: true,
  health: undefined,
  test: undefined,
  hook: undefined,
  hookTrouble: undefined,
  agent: undefined,
  model: undefined,
  arrivals: [],
  refusal: undefined,
  conversation: undefined,
  turn: undefined,
  deliveries: [],
  ...more,
});
/** Everything that can be known, and all of it good. */
export const whole: Partial<Evidence> = {
  test: test({
    code_verification_status: "VERIFIED",
    token_kind: "system_user",
    token_expires_at: null,
    webhook_is_ours: true,
  }),
  agent,
  model,
  arrivals: [arrival({})],
  conversation,
  turn,
  deliveries: [delivery({})],
};
