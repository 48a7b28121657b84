/** The list of things to be done before customers write: what is proven, what is still open, and what only its owner can know. */
import { fieldsOf, isKept } from "../../components/schema-form/schema";
import { asks, callsHere, detail, type Evidence, lastCall, lastMessage, lastSent } from "./evidence";

export type ItemId =
  | "app"
  | "account"
  | "number"
  | "fields"
  | "token"
  | "id"
  | "https"
  | "hook"
  | "verified"
  | "added"
  | "agent"
  | "message"
  | "logged";
export type ItemNote =
  | "answered"
  | "refused"
  | "untested"
  | "own"
  | "number_verified"
  | "number_waits"
  | "number_wrote"
  | "filled"
  | "missing"
  | "token_lasts"
  | "token_ends"
  | "id_found"
  | "id_other"
  | "https_here"
  | "https_none"
  | "hook_here"
  | "hook_elsewhere"
  | "hook_nowhere"
  | "hook_rang"
  | "verified_called"
  | "verified_told"
  | "verified_not"
  | "in_use"
  | "not_in_use"
  | "agent_answers"
  | "agent_none"
  | "agent_model"
  | "both_ways"
  | "only_in"
  | "nothing_in"
  | "logged_here"
  | "not_logged";
/** `own`: nobody but its owner can know, who ticks it. */
export type Item = {
  id: ItemId;
  state: "yes" | "no" | "own";
  note: ItemNote;
  /** The moment of the proof. */
  at?: number | undefined;
  /** What stands in the sentence. */
  what?: string | undefined;
  /** The hub's or the service's own sentence. */
  said?: string | undefined;
};

/** Fields that name the account or number at the service. */
const names = ["phone_number_id", "account_id", "account_sid"];
const text = (value: unknown): string => (typeof value === "string" ? value.trim() : "");
const filled = (value: unknown): boolean => isKept(value) || (value !== undefined && value !== null && value !== "");

/** The list, in the order of the work. What a service does not have is left out. */
export function goLive(evidence: Evidence): Item[] {
  const phone = asks(evidence, "phone_number");
  return [
    account(evidence),
    ...(phone ? [number(evidence)] : []),
    fields(evidence),
    ...(asks(evidence, "access_token") ? [token(evidence)] : []),
    ...id(evidence),
    ...(evidence.called ? [https(evidence), hook(evidence), verified(evidence)] : []),
    added(evidence),
    agent(evidence),
    message(evidence),
    logged(evidence),
  ];
}

/** The name of the field that says which account it is. */
export const nameField = (evidence: Evidence): string | undefined => names.find((one) => asks(evidence, one));

function account(evidence: Evidence): Item {
  const { test, connection } = evidence;
  const call = lastCall(evidence);
  if (!asks(evidence, "app_id")) {
    if (test?.ok) return { id: "account", state: "yes", note: "answered" };
    if (test) return { id: "account", state: "no", note: "refused", said: test.error ?? undefined };
    const at = connection.last_proven_at ?? undefined;
    return at
      ? { id: "account", state: "yes", note: "answered", at }
      : { id: "account", state: "no", note: "untested" };
  }
  // The app's own secret opened something: a question as the app, or a signature.
  const opened =
    detail(evidence, "token_kind") !== undefined ||
    detail(evidence, "callback_known") === true ||
    typeof detail(evidence, "signed_by") === "string";
  if (opened) return { id: "app", state: "yes", note: "answered" };
  if (call) return { id: "app", state: "yes", note: "answered", at: call.received_at };
  if (test && !test.ok) return { id: "app", state: "no", note: "refused", said: test.error ?? undefined };
  return test ? { id: "app", state: "own", note: "own" } : { id: "app", state: "no", note: "untested" };
}

function number(evidence: Evidence): Item {
  const told = detail(evidence, "code_verification_status");
  const sender = detail(evidence, "sender_status");
  if (told === "VERIFIED") return { id: "number", state: "yes", note: "number_verified" };
  if (told === "NOT_VERIFIED" || told === "EXPIRED") return { id: "number", state: "no", note: "number_waits" };
  if (typeof sender === "string")
    return sender.startsWith("ONLINE")
      ? { id: "number", state: "yes", note: "number_verified" }
      : { id: "number", state: "no", note: "number_waits", said: sender };
  const sent = lastSent(evidence);
  if (sent && detail(evidence, "sandbox") !== true)
    return { id: "number", state: "yes", note: "number_wrote", at: sent.sent_at };
  return { id: "number", state: "own", note: "own" };
}

function fields({ connector, connection }: Evidence): Item {
  const needed = fieldsOf(connector.schema).filter((one) => one.required);
  const missing = needed.filter((one) => !filled(connection.config[one.name]) && one.schema.default === undefined);
  const what = (missing.length > 0 ? missing : needed).map((one) => one.title).join(", ");
  return missing.length > 0
    ? { id: "fields", state: "no", note: "missing", what }
    : { id: "fields", state: "yes", note: "filled", what };
}

function token(evidence: Evidence): Item {
  const kind = detail(evidence, "token_kind");
  const ends = detail(evidence, "token_expires_at");
  if (kind === undefined) {
    if (evidence.test && !evidence.test.ok)
      return { id: "token", state: "no", note: "refused", said: evidence.test.error ?? undefined };
    return evidence.test ? { id: "token", state: "own", note: "own" } : { id: "token", state: "no", note: "untested" };
  }
  return typeof ends === "number"
    ? { id: "token", state: "no", note: "token_ends", at: ends }
    : { id: "token", state: "yes", note: "token_lasts" };
}

function id(evidence: Evidence): Item[] {
  const field = nameField(evidence);
  if (field === undefined) return [];
  const given = text(evidence.connection.config[field]);
  const told = text(detail(evidence, field));
  const what = evidence.connector.schema.properties?.[field]?.title ?? field;
  if (told !== "" && told !== given) return [{ id: "id", state: "no", note: "id_other", what, said: told }];
  if (evidence.test?.ok && given !== "") return [{ id: "id", state: "yes", note: "id_found", what }];
  return [{ id: "id", state: "no", note: evidence.test ? "refused" : "untested", what }];
}

function https({ connection }: Evidence): Item {
  const url = connection.webhook_url ?? "";
  return url.startsWith("https://")
    ? { id: "https", state: "yes", note: "https_here", what: new URL(url).host }
    : { id: "https", state: "no", note: "https_none" };
}

function hook(evidence: Evidence): Item {
  const here = callsHere(evidence);
  const call = lastCall(evidence);
  if (here) return { id: "hook", state: "yes", note: "hook_here" };
  if (call) return { id: "hook", state: "yes", note: "hook_rang", at: call.received_at };
  if (here === undefined)
    return evidence.hookTrouble
      ? { id: "hook", state: "no", note: "refused", said: evidence.hookTrouble }
      : { id: "hook", state: "own", note: "own" };
  const elsewhere = evidence.hook?.confirmed_url;
  return elsewhere
    ? { id: "hook", state: "no", note: "hook_elsewhere", what: elsewhere }
    : { id: "hook", state: "no", note: "hook_nowhere", said: evidence.hook?.last_error ?? undefined };
}

function verified(evidence: Evidence): Item {
  const call = lastCall(evidence);
  if (call) return { id: "verified", state: "yes", note: "verified_called", at: call.received_at };
  // Such a service takes an address only after it was answered with the verify token there.
  if (callsHere(evidence) && asks(evidence, "verify_token"))
    return { id: "verified", state: "yes", note: "verified_told" };
  return { id: "verified", state: "no", note: "verified_not", said: evidence.refusal?.reason };
}

function added({ connection }: Evidence): Item {
  return connection.status === "active"
    ? { id: "added", state: "yes", note: "in_use" }
    : { id: "added", state: "no", note: "not_in_use", said: connection.reason ?? undefined };
}

function agent({ agent: who, model }: Evidence): Item {
  if (who === undefined) return { id: "agent", state: "no", note: "agent_none" };
  return model?.status === "active"
    ? { id: "agent", state: "yes", note: "agent_answers", what: who.name }
    : { id: "agent", state: "no", note: "agent_model", what: who.name, said: model?.reason ?? undefined };
}

function message(evidence: Evidence): Item {
  const came = lastMessage(evidence);
  const went = lastSent(evidence);
  if (came && went)
    return { id: "message", state: "yes", note: "both_ways", at: Math.max(came.received_at, went.sent_at) };
  return came
    ? { id: "message", state: "no", note: "only_in", at: came.received_at }
    : { id: "message", state: "no", note: "nothing_in" };
}

function logged({ conversation }: Evidence): Item {
  return conversation
    ? { id: "logged", state: "yes", note: "logged_here", at: conversation.last_message_at }
    : { id: "logged", state: "no", note: "not_logged" };
}
