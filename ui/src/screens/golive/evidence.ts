/**
 * What is known of a connection: by the service's own word, by our own store, or not at all.
 *
 * Nothing here knows a service by name. Which facts can be known follows from the fields of its form (`app_id`, `phone_number`, …) and
 * from the particulars that its test and its webhook give where they have them.
 */
import type {
  Agent,
  Arrival,
  Connection,
  Connector,
  ConversationRow,
  DeliveryRow,
  Health,
  Refusal,
  TestResult,
  Turn,
  WebhookState,
} from "../../bindings";

export type Evidence = {
  connector: Connector;
  connection: Connection;
  /** The service calls us; else we fetch. */
  called: boolean;
  health: Health | undefined;
  /** The last test, if one was made since the window was opened. */
  test: TestResult | undefined;
  hook: WebhookState | undefined;
  /** Why the service could not be asked where it calls. */
  hookTrouble: string | undefined;
  /** Who answers here. */
  agent: Agent | undefined;
  /** The model connection of that agent. */
  model: Connection | undefined;
  /** What came in over it, the newest first. */
  arrivals: Arrival[];
  /** The last call for it that was refused. */
  refusal: Refusal | undefined;
  /** The conversation that spoke last. */
  conversation: ConversationRow | undefined;
  /** The last answer of an agent in that conversation. */
  turn: Turn | undefined;
  /** What went out over it, the newest first. */
  deliveries: DeliveryRow[];
};

/** Something the test or the webhook told, by its name. */
export const detail = ({ test, hook }: Evidence, name: string): unknown => test?.details[name] ?? hook?.details[name];

/** Whether the form of the service has a field. */
export const asks = ({ connector }: Evidence, field: string): boolean =>
  connector.schema.properties?.[field] !== undefined;

/** The newest call of the service that we took for its own. */
export const lastCall = ({ arrivals }: Evidence): Arrival | undefined => arrivals.find((one) => one.method === "POST");

/** The newest message of a customer. */
export const lastMessage = ({ arrivals }: Evidence): Arrival | undefined =>
  arrivals.find((one) => one.effects.some((effect) => effect.effect === "message"));

/** The newest of ours that surely left. */
export const lastSent = ({ deliveries }: Evidence): DeliveryRow | undefined =>
  deliveries.find((one) => one.status === "sent" || one.status === "delivered" || one.status === "read");

/** Whether the service calls us here by its own word; `undefined`: it does not tell. */
export function callsHere(evidence: Evidence): boolean | undefined {
  const { connection, hook } = evidence;
  if (detail(evidence, "webhook_is_ours") === true) return true;
  const url = connection.webhook_url ?? hook?.desired_url;
  if (hook?.confirmed_url) return hook.confirmed_url === url || detail(evidence, "is_ours") === true;
  // A sandbox, or an app that does not open to us: nobody can ask.
  if (detail(evidence, "sandbox") === true || detail(evidence, "callback_known") === false) return undefined;
  return hook === undefined ? undefined : false;
}
