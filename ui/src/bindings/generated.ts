// What the hub can be asked, and the shapes of questions and answers. Written by a test of shopbell-core; do not edit.

/** An account to choose. */
export type AccountChoice = {
  /** Its id. */
  id: string,
  /** As its owner knows it. */
  name: string,
};

/** What helps after a refusal. The inbox has a button for most of them. */
export type Action = "reauthorise" | "grant_permission" | "use_template" | "fix_template" | "fix_content" | "slow_down" | "unreachable" | "blocked" | "not_today" | "pay" | "fix_account";

/** A file to learn from. */
export type AddKnowledge = {
  /** The name of the file; its ending says how it is read. */
  name: string,
  /** Its type, as the sender sees it. Not believed. */
  mime?: string | null,
  /** Its bytes in base64. */
  base64: string,
};

/** A channel to add. */
export type AddLabChannel = {
  /** The kind of service. */
  connector: string,
};

/** How a connection reaches a contact. Never a phone column: (connector, scheme, value). */
export type Address = {
  /** The connector in whose world it means something. */
  connector: string,
  /** What kind of value it is ("chat", "phone", "visitor"). */
  scheme: string,
  /** The value itself. */
  value: string,
};

/** Somebody (a program) who answers. */
export type Agent = {
  /** Its id. */
  id: AgentId,
  /** Its name. */
  name: string,
  /** What it is told. May hold `{{variables}}`. */
  instructions: string,
  /** What it is told besides on one kind of channel, by connector. */
  channel_instructions: { [key in string]: string },
  /** The model connection it asks. */
  connection: ConnectionId,
  /** The model there; the connection's default when empty. */
  model: string,
  /** How the model is asked. */
  settings: ModelSettings,
  /** The tools it may use. */
  tools: Array<string>,
  /** How its answers are cut. */
  stream_mode: StreamMode,
  /** It answers where no other agent is named. */
  default: boolean,
  /** Its answers in the last 24 hours. */
  turns_today: number,
  /** What they cost. */
  cost_today_micro_usd: MicroUsd,
  /** When it was made. */
  created_at: Timestamp,
  /** When it was last changed. */
  updated_at: Timestamp,
};

/** What an agent is to be; what is missing stays, or is as usual for a new agent. */
export type AgentDraft = {
  /** Its name, as customers may read it. */
  name?: string | null,
  /** What it is told. May hold `{{variables}}`. */
  instructions?: string | null,
  /** What it is told besides on one kind of channel, by connector. */
  channel_instructions?: { [key in string]: string } | null,
  /** The model connection it asks; the first one when missing. */
  connection?: ConnectionId | null,
  /** The model there; empty = the connection's default. */
  model?: string | null,
  /** How the model is asked. */
  settings?: AgentSettings | null,
  /** The tools it may use. */
  tools?: Array<string> | null,
  /** How its answers are cut. */
  stream_mode?: StreamMode | null,
};

/** Figures of one agent. */
export type AgentFigures = {
  /** Which. */
  agent: AgentId,
  /** Its name; null when it was deleted. */
  name?: string | null,
  /** Its answers in the period. */
  turns: number,
  /** How many of them failed. */
  failed: number,
  /** What they cost. */
  cost_micro_usd: MicroUsd,
};

/** Somebody (a program) who answers. */
export type AgentId = string;

/** How the model is asked; what is missing stays, or is as usual for a new agent. */
export type AgentSettings = {
  /** 0 to 2; higher is freer. */
  temperature?: number | null,
  /** How long an answer may be, in tokens. */
  max_tokens?: number | null,
  /** How many of the last messages the model sees. */
  history?: number | null,
  /** How many tool calls one answer may take. */
  max_tool_calls?: number | null,
  /** How long one answer may take, in seconds. */
  max_seconds?: number | null,
};

/** How the shop does. */
export type Analytics = {
  /** From when on the figures of the period count. */
  since: Timestamp,
  /** All messages ever, by kind of connector. */
  total_messages_by_channel: { [key in string]: number },
  /** When the last message came or went, by kind of connector. */
  last_message_by_channel: { [key in string]: Timestamp },
  /** Each connection. */
  connections: Array<ConnectionFigures>,
  /** How soon customers heard something. */
  first_response: FirstResponse,
  /** Each agent. */
  agents: Array<AgentFigures>,
  /** What the agents' answers cost in the period. */
  cost_micro_usd: MicroUsd,
};

/** A change and its number. */
export type Announced = {
  /** Grows with every change. */
  seq: number,
} & ({ "kind": "conversation",
  /** Which. */
  id: ConversationId }
  | { "kind": "message",
  /** Which. */
  id: MessageId,
  /** Where. */
  conversation: ConversationId }
  | { "kind": "delivery",
  /** Which. */
  id: DeliveryId,
  /** Where. */
  conversation: ConversationId }
  | { "kind": "connection",
  /** Which. */
  id: ConnectionId }
  | { "kind": "agent",
  /** Which. */
  id: AgentId }
  | { "kind": "contact",
  /** Which. */
  id: ContactId }
  | { "kind": "knowledge",
  /** Which. */
  id: DocumentId }
  | { "kind": "arrival",
  /** Which. */
  id: ArrivalId }
  | { "kind": "turn",
  /** Which. */
  id: TurnId,
  /** Where. */
  conversation: ConversationId }
  | { "kind": "typing",
  /** Where. */
  conversation: ConversationId,
  /** Who: "contact", "agent". */
  who: string,
  /** Began (true) or stopped. */
  on: boolean }
  | { "kind": "media",
  /** Which. */
  id: MediaId }
  | { "kind": "settings" });

/** Something that came in. */
export type Arrival = {
  /** Its id. */
  id: ArrivalId,
  /** Over which connection. */
  connection: ConnectionId,
  /** When. */
  received_at: Timestamp,
  /** How: "POST", "GET", or "PULL" for what was fetched. */
  method: string,
  /** What became of it. */
  verdict: Verdict,
  /** Why, in words. */
  reason?: string | null,
  /** Its size. */
  bytes: number,
  /** How often it was tried. */
  attempts: number,
  /** What it did. */
  effects: Array<Effect>,
};

/** A raw request or update as it came. */
export type ArrivalId = string;

/** An arrival, raw. */
export type ArrivalWhole = {
  /** As it came, secrets masked. */
  raw: Raw,
  /** Its id. */
  id: ArrivalId,
  /** Over which connection. */
  connection: ConnectionId,
  /** When. */
  received_at: Timestamp,
  /** How: "POST", "GET", or "PULL" for what was fetched. */
  method: string,
  /** What became of it. */
  verdict: Verdict,
  /** Why, in words. */
  reason?: string | null,
  /** Its size. */
  bytes: number,
  /** How often it was tried. */
  attempts: number,
  /** What it did. */
  effects: Array<Effect>,
};

/** Of which time. */
export type AskAnalytics = {
  /** From this moment on; the last thirty days when missing. Whole days (UTC) are counted. */
  since?: Timestamp | null,
};

/** What to count. */
export type AskLabCounts = {
  /** Only this channel. */
  connection?: ConnectionId | null,
  /** Only this thread. */
  thread?: string | null,
};

/** Another owner. */
export type Assign = {
  /** Which conversation. */
  conversation: ConversationId,
  /** Who has the next word from now on. */
  owner: { type: "agent"; id: string } | { type: "person" },
};

/** How a connection proves who it is. */
export type Auth = "none" | "api_key" | "basic" | "oauth";

/** How one connection is signed in to, and until when. */
export type AuthRow = {
  /** The connection. */
  connection: ConnectionId,
  /** What its owner calls it. */
  name: string,
  /** The kind of service. */
  connector: string,
  /** That kind's type; null when this version no longer knows it. */
  type?: ConnectorType | null,
  /** How it proves who it is: by the owner's sign-in where there is one, else as its kind does. */
  auth?: Auth | null,
  /** The account. */
  account?: string | null,
  /** How the sign-in stands; null where nobody signed in. */
  state?: SignInState | null,
  /** When the present token ends; null = it does not, or nobody knows. */
  expires_at?: Timestamp | null,
  /** When it was given. */
  refreshed_at?: Timestamp | null,
  /** When it is renewed next; null = it is not. */
  refresh_at?: Timestamp | null,
  /** Why renewing failed last. */
  error?: string | null,
  /** What less works because a box was not ticked. */
  missing: Array<string>,
};

/** Whose word it is, with their name. */
export type Author = { "type": "contact",
  /** Their name. */
  name: string | null }
  | { "type": "agent",
  /** Which one. */
  id: AgentId,
  /** Its name; null when it was deleted. */
  name: string | null }
  | { "type": "person",
  /** Which one. */
  id: PersonId | null,
  /** Their name. */
  name: string | null }
  | { "type": "system",
};

/** How far the making or unpacking of a sealed file is. */
export type BackupProgress = {
  /** What is being done. */
  doing: Doing,
  /** How much of it is done. */
  done: number,
  /** How much there is. */
  total: number,
};

/** How the copies of one kind fare. */
export type BackupState = {
  /** When the last good one was finished. */
  done_at?: Timestamp | null,
  /** Where it is. */
  file?: string | null,
  /** How large it is. */
  bytes: number,
  /** When one was last tried. */
  tried_at?: Timestamp | null,
  /** Why that came to nothing, in a sentence; null when it did not. */
  trouble?: string | null,
};

/** The copies of this shop. */
export type Backups = {
  /** Where the daily copies are. */
  folder: string,
  /** How the daily copies fare. */
  local: BackupState,
  /** When each daily copy that is still there was made, newest first. */
  copies: Array<Timestamp>,
  /** How the sealed file fares. */
  portable: BackupState,
  /** Where a sealed file goes when nobody says otherwise. */
  export_folder: string,
  /** A sealed file being made or unpacked. */
  progress: BackupProgress | null,
};

/** Which connection is to be signed in. */
export type BeginSignIn = {
  /** The connection; a draft will do. */
  connection: ConnectionId,
  /** Scopes to ask for besides the usual ones. */
  scopes?: Array<string> | null,
};

/** A sign-in that has begun. */
export type BegunSignIn = {
  /** Its id. */
  flow: FlowId,
  /** The service's page, to be opened in the system's browser. */
  authorize_url: string,
  /** How the answer comes back. */
  way: SignInWay,
  /** Until when the owner may take. */
  ends_at: Timestamp,
};

/** An arrival as it is taken along. */
export type CapturedArrival = {
  /** Always "shopbell-arrival/1". */
  format: string,
  /** The kind of channel it came over. */
  connector: string,
  /** When it came. */
  received_at: Timestamp,
  /** Numbers and names of the account that stand in it, by the field of the form they come from. Never a secret. */
  account: { [key in string]: string },
  /** "POST", "GET", or "PULL" for what was fetched. */
  method: string,
  /** Below the hook. */
  path: string,
  /** The query. */
  query: string,
  /** Its headers, secrets masked. */
  headers: Array<[string, string]>,
  /** Its body, secrets masked. */
  body: string,
};

/** Somebody's visiting card. */
export type Card = {
  /** The name on it. */
  name: string,
  /** Its phone numbers. */
  phones: Array<string>,
};

/** Labels to put on and to take off. */
export type ChangeLabels = {
  /** Which conversation. */
  conversation: ConversationId,
  /** Labels to put on. */
  add?: Array<string> | null,
  /** Labels to take off. */
  remove?: Array<string> | null,
};

/** Another passphrase. */
export type ChangePassphrase = {
  /** The one in force; missing when the keychain alone holds the key. */
  old?: string | null,
  /** The new one. */
  passphrase: string,
};

/** What the composer must know of a channel. */
export type ChannelLimits = {
  /** How people talk there. */
  medium: Medium,
  /** The longest text of one message; longer ones are split. */
  text_limit: TextLimit,
  /** The largest file that may be sent, in bytes, by kind; missing = not possible. */
  media_limits: { [key in string]: number },
  /** The longest caption, in the unit of `text_limit`. */
  caption_limit: number,
  /** The types that are taken, by kind; a kind that is missing takes any. */
  media_types: { [key in string]: Array<string> },
  /** Files are fetched by the service from a public address, so that one is needed for sending them. */
  files_by_link: boolean,
  /** How many buttons fit one message; more become a list or numbers. */
  max_choices: number,
  /** How many rows fit a list. */
  max_rows: number,
  /** Templates may be sent, also after the time for free answers. */
  templates: boolean,
  /** For how many seconds after a customer's message a person may answer freely; null = as long as agents. */
  person_window_seconds?: number | null,
  /** For how many seconds after a customer's message the shop may answer freely; null = always. */
  reply_window_seconds?: number | null,
  /** Whether the service calls us, so that there is an address to paste there. */
  webhook: boolean,
};

/** One line of a test's result. */
export type Check = {
  /** Whether it was proven; `false` is "not yet", never an error. */
  ok: boolean,
  /** What was proven. */
  text: string,
};

/** One button or row that a customer may press. */
export type Choice = {
  /** What comes back when it is pressed; 64 bytes at most. */
  id: string,
  /** What stands on it. */
  label: string,
  /** A link that opens instead, where the channel has such buttons. */
  url?: string,
  /** A line under it, where the channel has lists. */
  description?: string,
};

/** The account that was meant. */
export type ChooseAccount = {
  /** The sign-in. */
  flow: FlowId,
  /** The account's id. */
  account: string,
};

/** Cloudflare's program. */
export type CloudflaredRow = {
  /** Where it was found. */
  found?: string | null,
  /** It can be fetched for this computer. */
  can_download: boolean,
  /** In which version. */
  version: string,
};

/** What the caller can do about it. A new code means a new behaviour of a screen. */
export type Code = "invalid" | "not_found" | "unauthorized" | "forbidden" | "conflict" | "vault_locked" | "wrong_passphrase" | "service" | "too_large" | "rate_limited" | "disk_full" | "read_only" | "corrupt" | "newer_database" | "already_open" | "port_taken" | "unavailable" | "internal";

/** A configured account. */
export type Connection = {
  /** Its id. */
  id: ConnectionId,
  /** What its owner calls it. */
  name: string,
  /** The kind of service. */
  connector: string,
  /** That kind's type; null when this version no longer knows it. */
  type?: ConnectorType | null,
  /** The SVG of its mark. */
  icon?: string | null,
  /** The colour of its mark. */
  color?: string | null,
  /** Whether it works. */
  status: ConnectionStatus,
  /** Why not, in a sentence. */
  reason?: string | null,
  /** Who answers here; the default agent when null. */
  agent?: AgentId | null,
  /** The account that the last test named. */
  account?: string | null,
  /** Its settings; a secret is `{"set":true}`. */
  config: Record<string, unknown>,
  /** The address to paste at the service, where it calls us. */
  webhook_url?: string | null,
  /** When it last proved that it works. */
  last_proven_at?: Timestamp | null,
  /** When it was made. */
  created_at: Timestamp,
};

/** Figures of one connection. */
export type ConnectionFigures = {
  /** Which. */
  connection: ConnectionId,
  /** What it is called. */
  name: string,
  /** Its kind. */
  connector: string,
  /** All messages ever. */
  total: number,
  /** From customers, in the period. */
  from_customers: number,
  /** From agents, in the period. */
  from_agents: number,
  /** From people of the shop, in the period. */
  from_people: number,
  /** When the last message came or went. */
  last_message_at?: Timestamp | null,
};

/** A configured account at an outside service. */
export type ConnectionId = string;

/** A connection, as a mark beside a conversation. */
export type ConnectionRef = {
  /** Its id. */
  id: ConnectionId,
  /** What its owner calls it. */
  name: string,
  /** Its kind. */
  connector: string,
  /** The SVG of its mark. */
  icon: string | null,
  /** The colour of its mark. */
  color: string | null,
};

/** Whether a connection works. */
export type ConnectionStatus = "draft" | "active" | "paused" | "needs_sign_in" | "failing";

/** A kind of service. */
export type Connector = {
  /** Its kind, for ever ("telegram"). */
  kind: string,
  /** Its name. */
  name: string,
  /** One of the six types of the catalogue. */
  type: ConnectorType,
  /** How it is signed in to. */
  auth: Auth,
  /** Whether it can be used. */
  status: ConnectorStatus,
  /** Why not. */
  disabled_reason?: string | null,
  /** The SVG of its mark, white on transparent. */
  icon: string,
  /** The colour of its mark. */
  color: string,
  /** One line of what it is and what it takes. */
  summary: string,
  /** What it can carry, or what it is for. */
  abilities: Array<string>,
  /** What the owner needs before starting. */
  prerequisites: Array<Prerequisite>,
  /** What to do, in order. */
  steps: Array<SetupStep>,
  /** Where to read more. */
  links: Array<ReadMore>,
  /** The JSON schema of its form. */
  schema: JsonSchema,
  /** Limits of a channel; null for everything else. */
  channel?: ChannelLimits | null,
  /** Agents can think with it. */
  model: boolean,
  /** The hub itself serves the page where customers write. */
  page: boolean,
  /** How one signs in in the browser; null = a key is typed. */
  sign_in?: SignInButton | null,
};

/** Whether a kind of service can be connected. */
export type ConnectorStatus = "available" | "disabled";

/** The six types of S0.1. */
export type ConnectorType = "Agent" | "Channel" | "Tool - Native" | "Tool - User" | "MCP - External" | "STT & TTS";

/** A contact with everything said with them. */
export type Contact = {
  /** Their conversations, newest first, fifty at most. */
  conversations: Array<ContactConversation>,
  /** Who may be the same person, and why. Nobody is joined silently. */
  perhaps: Array<PerhapsSame>,
  /** Who was joined with this contact, newest first. */
  merged: Array<MergedContact>,
  /** Their id. */
  id: ContactId,
  /** Their name. */
  name: string,
  /** Their language, if known. */
  language?: string | null,
  /** They blocked the shop. */
  blocked: boolean,
  /** How connections reach them. */
  addresses: Array<Address>,
  /** When they first wrote. */
  created_at: Timestamp,
};

/** One conversation of a contact. */
export type ContactConversation = {
  /** Its id. */
  id: ConversationId,
  /** Over which connection. */
  connection: ConnectionId,
  /** What that connection is called. */
  connection_name: string,
  /** Whether it waits for anybody. */
  status: ConversationStatus,
  /** The last line. */
  preview: string,
  /** When it was said. */
  last_message_at: Timestamp,
};

/** Somebody at the other end. */
export type ContactId = string;

/** Somebody at the other end, by name. */
export type ContactRef = {
  /** Their id. */
  id: ContactId,
  /** Their name; empty when nobody said one. */
  name: string,
  /** How this conversation reaches them. */
  address: Address,
};

/** Somebody at the other end. */
export type ContactRow = {
  /** Their id. */
  id: ContactId,
  /** Their name. */
  name: string,
  /** Their language, if known. */
  language?: string | null,
  /** They blocked the shop. */
  blocked: boolean,
  /** How connections reach them. */
  addresses: Array<Address>,
  /** When they first wrote. */
  created_at: Timestamp,
};

/** One part of a message. */
export type Content = { "type": "text",
  /** The words. */
  text: string }
  | { "type": "media",
  /** What kind of file. */
  kind: MediaKind,
  /** The stored file. */
  media: MediaId,
  /** Words beside it. */
  caption?: string,
  /** Its name, if it had one. */
  filename?: string,
  /** Its type ("image/jpeg"). */
  mime: string,
  /** Its size; 0 while unknown. */
  bytes: number,
  /** Its length in milliseconds, for sound and film. */
  duration_ms?: number,
  /** How loud a sound is along its length, in 64 equal steps, 255 the loudest; missing until it was listened to. */
  wave?: Array<number> }
  | { "type": "location",
  /** Degrees north. */
  latitude: number,
  /** Degrees east. */
  longitude: number,
  /** Its name. */
  name?: string,
  /** Its address in words. */
  address?: string }
  | { "type": "contacts",
  /** The cards. */
  contacts: Array<Card> }
  | { "type": "choices",
  /** The words. */
  text: string,
  /** The buttons. */
  options: Array<Choice> }
  | { "type": "ask_location",
  /** The words. */
  text: string }
  | { "type": "chosen",
  /** The button's id. */
  id: string,
  /** What stood on it. */
  label: string }
  | { "type": "reaction",
  /** The sign. */
  emoji: string,
  /** The message it was put on, as the service names it. */
  target: string }
  | { "type": "template",
  /** Its id at the service. */
  id: string,
  /** Its name at the service. */
  name: string,
  /** Its language. */
  language: string,
  /** What fills its gaps, by the gap's key. */
  values: { [key in string]: string },
  /** How it reads with its gaps filled: what the inbox and search see. */
  text: string }
  | { "type": "order",
  /** What the customer wrote beside it. */
  text: string,
  /** What was ordered. */
  lines: Array<OrderLine> }
  | { "type": "form",
  /** Its name. */
  name: string,
  /** What was filled in. */
  answers: Record<string, unknown> }
  | { "type": "shared",
  /** "story_reply", "story_mention", "post", "reel", "link". */
  what: string,
  /** Where it can be seen, while it can. */
  url?: string,
  /** Its title. */
  title?: string }
  | { "type": "unsupported",
  /** What the service calls it. */
  kind: string }
  | { "type": "event",
  /** Which ("took_over", "handed_back", "transfer", "escalated", "resolved", "reopened", "state_set", "searched", "turn_failed"). */
  event: string,
  /** Its particulars. */
  details: Record<string, unknown>,
};

/** How many open conversations stand under each tab. */
export type ConversationCounts = {
  /** Somebody asked for a person. */
  needs_person: number,
  /** A person has the next word. */
  mine: number,
  /** An agent has the next word. */
  agent: number,
  /** Open ones. */
  all: number,
  /** No number goes beyond this one: it means "so many or more". */
  most: number,
};

/** Everything said with one contact over one connection. */
export type ConversationId = string;

/** A conversation in the list. */
export type ConversationRow = {
  /** Its id. */
  id: ConversationId,
  /** With whom. */
  contact: ContactRef,
  /** Over which connection. */
  connection: ConnectionRef,
  /** How people talk there. */
  medium: Medium,
  /** Whether it waits for anybody. */
  status: ConversationStatus,
  /** Until when it is out of sight. */
  snoozed_until?: Timestamp | null,
  /** Who has the next word. */
  owner: Owner,
  /** Grows at every change of owner. */
  epoch: number,
  /** Whether somebody asked for a person. */
  needs_person: boolean,
  /** Why, in a sentence. */
  needs_reason?: string | null,
  /** How urgent the agent found it. */
  urgency?: string | null,
  /** Messages nobody has seen. */
  unread: number,
  /** The last line. */
  preview: string,
  /** Who wrote it. */
  preview_by: Speaker,
  /** How far it came, when the shop wrote it. */
  preview_delivery?: Delivery | null,
  /** Its labels. */
  labels: Array<string>,
  /** The customer's language, if known. */
  language?: string | null,
  /** When the last message was said. */
  last_message_at: Timestamp,
  /** Until when the shop may answer freely; null = always. */
  reply_window_ends_at?: Timestamp | null,
  /** Until when a person (not an agent) may answer freely; null = always. */
  person_window_ends_at?: Timestamp | null,
  /** The advertisement or link through which the customer came. */
  referral?: Referral | null,
  /** When it began. */
  created_at: Timestamp,
};

/** Whether a conversation is waiting for anybody. */
export type ConversationStatus = "open" | "snoozed" | "resolved";

/** What became of a customer. */
export type ConversionEvent = "lead_submitted" | "qualified_lead" | "purchase";

/** A report to a service's advertising. */
export type ConversionId = string;

/** A report, as it is shown. */
export type ConversionReport = {
  /** Its id. */
  id: ConversionId,
  /** What was reported. */
  event: ConversionEvent,
  /** ISO 4217. */
  currency?: string | null,
  /** What it was worth. */
  amount?: number | null,
  /** When it happened. */
  at: Timestamp,
  /** "queued", "sending", "sent", "failed" or "unconfirmed". */
  status: string,
  /** Why it failed or waits, in words. */
  reason?: string | null,
};

/** What was and what may be reported of a conversation. */
export type Conversions = {
  /** The last moment at which something may be reported; missing where nothing may. */
  possible_until?: Timestamp | null,
  /** What was reported, oldest first. */
  items: Array<ConversionReport>,
};

/** From where to copy. */
export type CopyAgents = {
  /** The profile; the usual one when missing. */
  profile?: string | null,
};

/** Whether the documents speak of a topic. */
export type Covered = {
  /** The topic. */
  topic: Topic,
  /** Whether something was found. */
  found: boolean,
};

/** A new agent. */
export type CreateAgent = {
  /** Its name, as customers may read it. */
  name: string,
  /** What it is told. May hold `{{variables}}`. */
  instructions?: string | null,
  /** What it is told besides on one kind of channel, by connector. */
  channel_instructions?: { [key in string]: string } | null,
  /** The model connection it asks; the first one when missing. */
  connection?: ConnectionId | null,
  /** The model there; empty = the connection's default. */
  model?: string | null,
  /** How the model is asked. */
  settings?: AgentSettings | null,
  /** The tools it may use. */
  tools?: Array<string> | null,
  /** How its answers are cut. */
  stream_mode?: StreamMode | null,
};

/** A new account. */
export type CreateConnection = {
  /** The kind of service. */
  connector: string,
  /** What its owner calls it. */
  name: string,
  /** Its settings, secrets included. */
  config: Record<string, unknown>,
  /** Who answers there; the default agent when missing. */
  agent?: AgentId | null,
  /** Keep it although something is missing; it is not used until it is complete. */
  draft?: boolean | null,
};

/** A passphrase for a new vault. */
export type CreateVault = {
  /** The passphrase; without one the keychain of this computer holds the key. */
  passphrase?: string | null,
};

/** What was made. */
export type CreatedConnection = {
  /** Its id. */
  id: ConnectionId,
  /** Whether it is in use. */
  status: ConnectionStatus,
  /** The address to paste at the service, where it calls us. */
  webhook_url?: string | null,
};

/** What is wrong with the database. */
export type DatabaseTrouble = {
  /** All of it is still being looked through. */
  checking: boolean,
  /** What was found, in the database's own words. */
  found: Array<string>,
  /** The newest backup that was looked through and is whole. */
  backup?: string | null,
  /** What happened and how to go on, in words. */
  way_out: string,
};

/** A document, by its id. */
export type DeleteKnowledge = {
  /** Its id. */
  id: DocumentId,
};

/** How far the sending of a message came. */
export type Delivery = {
  /** Its id, for a retry. */
  id: DeliveryId,
  /** How far. */
  status: DeliveryStatus,
  /** Why it did not get farther, in words. */
  reason?: string | null,
  /** It was given up for now and waits for a person. */
  parked: boolean,
  /** How often it was tried. */
  attempts: number,
  /** What helps, where the service's answer tells: the screens have a button for it. */
  action?: Action | null,
};

/** Which deliveries. */
export type DeliveryFilter = "queued" | "sending" | "unconfirmed" | "sent" | "delivered" | "read" | "failed" | "parked";

/** The sending of one message. */
export type DeliveryId = string;

/** The sending of one message. */
export type DeliveryRow = {
  /** The message. */
  message: MessageId,
  /** Where it was said. */
  conversation: ConversationId,
  /** Over which connection. */
  connection: ConnectionId,
  /** To whom, by name. */
  contact: string,
  /** Its words, shortened. */
  preview: string,
  /** When it is tried next, while it waits. */
  due_at?: Timestamp | null,
  /** When it was written. */
  sent_at: Timestamp,
  /** Its id, for a retry. */
  id: DeliveryId,
  /** How far. */
  status: DeliveryStatus,
  /** Why it did not get farther, in words. */
  reason?: string | null,
  /** It was given up for now and waits for a person. */
  parked: boolean,
  /** How often it was tried. */
  attempts: number,
  /** What helps, where the service's answer tells: the screens have a button for it. */
  action?: Action | null,
};

/** How far the sending of a message came. Only evidence moves it. */
export type DeliveryStatus = "queued" | "sending" | "unconfirmed" | "sent" | "delivered" | "read" | "failed";

/** Which way a message went. */
export type Direction = "in" | "out" | "note";

/** Which notice was seen. */
export type DismissNotice = {
  /** Its connection. */
  connection: ConnectionId,
  /** Its key. */
  key: string,
};

/** A question that is done with. */
export type DismissUnanswered = {
  /** Its id. */
  id: string,
};

/** A document the agents may quote. */
export type DocumentId = string;

/** What is being done with a sealed file. */
export type Doing = "checking" | "sealing" | "unpacking";

/** The ways to a public address. */
export type DriverKind = "off" | "own" | "ngrok" | "cloudflare_named" | "cloudflare_quick" | "ssh_server" | "localhost_run" | "pinggy" | "bore";

/** What one event did. */
export type Effect = { "effect": "message",
  /** Which. */
  message: MessageId,
  /** Where. */
  conversation: ConversationId }
  | { "effect": "repeat",
  /** As which message, if it was one. */
  message?: MessageId }
  | { "effect": "changed",
  /** Which. */
  message: MessageId }
  | { "effect": "status",
  /** Which. */
  delivery: DeliveryId,
  /** To what. */
  status: string }
  | { "effect": "nothing",
  /** What it was. */
  what: string }
  | { "effect": "not_understood",
  /** Why. */
  why: string,
};

/** A request or an answer that says nothing. */
export type Empty = Record<string, never>;

/** On what grounds two contacts are one person. */
export type Evidence = "service" | "person";

/** A sealed file to be made. */
export type ExportBackup = {
  /** What opens it on the other computer. Nobody can open it without. */
  passphrase: string,
  /** A folder on this computer; without one it goes to the documents. */
  folder?: string | null,
};

/** A sealed file. */
export type ExportedBackup = {
  /** Where it is. */
  file: string,
  /** How large it is. */
  bytes: number,
  /** How many files of conversations it holds. */
  files: number,
  /** How many files and keys were missing or damaged, and are not in it. */
  left_out: number,
};

/** A file that is not here. */
export type FileMark = {
  /** Which. */
  media: MediaId,
  /** It was given up; `retry_media` tries again. Else it is on its way, or waits for its connection. */
  failed: boolean,
  /** What keeps it, in words. */
  reason?: string | null,
};

/** The address on which the browser ended. */
export type FinishSignIn = {
  /** All of it, as the browser's address line shows it. */
  address: string,
};

/** How soon customers heard something. */
export type FirstResponse = {
  /** Half of the conversations had an answer within this. */
  median_ms?: number | null,
  /** Nine of ten had. */
  slowest_tenth_ms?: number | null,
  /** Conversations that were answered. */
  answered: number,
  /** Conversations that wait for their first answer. */
  waiting: number,
};

/** Somebody on the way to a service's page to sign in, and back. */
export type FlowId = string;

/** A sealed file on this computer. */
export type FoundBackup = {
  /** Where it is. */
  file: string,
  /** When it was made. */
  made_at: Timestamp,
  /** How large it is. */
  bytes: number,
  /** The version of Shopbell that made it. */
  version: string,
};

/** What fills a gap. */
export type GapKind = "text" | "image" | "video" | "document";

/** Which agent. */
export type GetAgent = {
  /** Its id. */
  id: AgentId,
};

/** Which arrival. */
export type GetArrival = {
  /** Its id. */
  id: ArrivalId,
};

/** Which connection. */
export type GetConnection = {
  /** Its id. */
  id: ConnectionId,
};

/** Which contact. */
export type GetContact = {
  /** Their id. */
  contact: ContactId,
};

/** Which conversation. */
export type GetConversation = {
  /** Its id. */
  conversation: ConversationId,
};

/** Which channel. */
export type GetLabChannel = {
  /** Its connection. */
  connection: ConnectionId,
};

/** Which script. */
export type GetLabScript = {
  /** Its id. */
  id: LabScriptId,
};

/** Which phone. */
export type GetLabThread = {
  /** The channel's connection. */
  connection: ConnectionId,
  /** The thread. */
  thread: string,
};

/** Which sign-in. */
export type GetSignIn = {
  /** Its id. */
  flow: FlowId,
};

/** Which turn. */
export type GetTurn = {
  /** Its id. */
  id: TurnId,
};

/** A person gives the next word back. */
export type HandBack = {
  /** Where. */
  conversation: ConversationId,
  /** A line of context for the agent. */
  note?: string | null,
  /** To which agent; the connection's own when missing. */
  agent?: AgentId | null,
};

/** One header. */
export type Header = {
  /** Its name. */
  name: string,
  /** What it says. */
  value: string,
};

/** How the hub is. */
export type Health = {
  /** The version of Shopbell. */
  version: string,
  /** Whether secrets can be read. */
  vault: VaultState,
  /** What holds the master key; null before the vault is made. */
  vault_kind?: VaultKind | null,
  /** Why the vault is closed, in a sentence. */
  vault_reason?: string | null,
  /** This computer's keychain can hold the key. */
  keychain: boolean,
  /** The profile. */
  profile: string,
  /** It is a Lab: customers are played, nobody real is reached. */
  lab: boolean,
  /** Where the data is. */
  data_dir: string,
  /** Messages come in and are answered. */
  receiving: boolean,
  /** Why not, in a sentence. */
  receiving_reason?: string | null,
  /** The first run is over. */
  first_run_done: boolean,
  /** How far it came. */
  setup_step: number,
  /** The hub's language. */
  language: string,
  /** The address that services call, when there is one. */
  public_url?: string | null,
  /** What is wrong with the database; null while it is sound. */
  database?: DatabaseTrouble | null,
  /** This hub came from another computer; null = it has always been here. */
  moved?: MovedHub | null,
};

/** Where on the way from a service to the store something is wrong. */
export type Hop = "setting" | "token" | "provider" | "network" | "dns" | "tls" | "http" | "other_instance" | "portal" | "clock" | "tunnel" | "signature" | "store";

/** A list that fits one answer. */
export type Items<T> = {
  /** All of it. */
  items: Array<T>,
};

/** The form of a connector: as much of JSON Schema as forms use. */
export type JsonSchema = {
  /** Its type, or its types. */
  type?: string | string[],
  /** What stands above the field. */
  title?: string,
  /** What stands below it. */
  description?: string,
  /** The fields of a group, in order. */
  properties?: { [key in string]: JsonSchema },
  /** The fields that are needed. */
  required?: Array<string>,
  /** The values to choose from. */
  enum?: (string | number | null)[],
  /** One of these; with `const` in each they are values to choose from. */
  oneOf?: Array<JsonSchema>,
  /** Any of these; with `null` among them the field is optional. */
  anyOf?: Array<JsonSchema>,
  /** All of these. */
  allOf?: Array<JsonSchema>,
  /** The only value. */
  const?: string | number,
  /** What stands in a list. */
  items?: JsonSchema,
  /** What the values of a map are; `false`: no other fields. */
  additionalProperties?: boolean | JsonSchema,
  /** The value when none is given. */
  default?: unknown,
  /** What the text means ("password", "uri", "color"). */
  format?: string,
  /** It is kept in the vault and never read back. */
  writeOnly?: boolean,
  /** The least number. */
  minimum?: number,
  /** The greatest number. */
  maximum?: number,
  /** The longest text. */
  maxLength?: number,
  /** The shortest text. */
  minLength?: number,
  /** What such a value looks like. */
  examples?: unknown[],
  /** Stands elsewhere: `#/$defs/Name`. */
  $ref?: string,
  /** What is referred to. */
  $defs?: { [key in string]: JsonSchema },
  /** Which JSON Schema this is. */
  $schema?: string,
  /** It stands under Advanced. */
  "x-advanced"?: boolean,
  /** The group it stands in. */
  "x-group"?: string,
  /** It has several lines. */
  "x-multiline"?: boolean,
};

/** A document the agents may quote. */
export type KnowledgeDocument = {
  /** Its id. */
  id: DocumentId,
  /** The name of its file. */
  name: string,
  /** Its title. */
  title: string,
  /** Its type. */
  mime: string,
  /** Its size. */
  bytes: number,
  /** Whether it can be used. */
  status: KnowledgeStatus,
  /** How many passages it has. */
  passages: number,
  /** In how many answers it was used. */
  used: number,
  /** When it was added. */
  added_at: Timestamp,
};

/** A passage that answers a question. */
export type KnowledgeHit = {
  /** Its document. */
  document: DocumentId,
  /** The document's title. */
  title: string,
  /** Where in it. */
  location: string,
  /** The lines that answer, word for word. */
  excerpt: string,
  /** How much of the question it answers, 0 to 1. */
  score: number,
  /** It is good enough to be told a customer. */
  good: boolean,
};

/** Whether a document can be used. */
export type KnowledgeStatus = "ready";

/** A channel of the Lab. */
export type LabChannel = {
  /** Its connection. */
  connection: ConnectionId,
  /** What it is called. */
  name: string,
  /** The kind of service. */
  connector: string,
  /** The SVG of its mark. */
  icon: string,
  /** The colour of its mark. */
  color: string,
  /** What real life does to its messages. */
  weather: LabWeather,
};

/** What was copied. */
export type LabCopied = {
  /** How many agents. */
  agents: number,
  /** How many documents. */
  documents: number,
};

/** Both directions of one channel. */
export type LabCounts = {
  /** From the customers to the shop. */
  customers: LabTally,
  /** From the shop to the customers. */
  shop: LabTally,
};

/** What the hub did. */
export type LabDeed = "arrived" | "repeat" | "not_understood" | "thinking" | "answered" | "given_up" | "failed" | "tried_again" | "unsure" | "sent";

/** Something the hub did. */
export type LabEvent = {
  /** What. */
  deed: LabDeed,
  /** When. */
  at: Timestamp,
  /** How long it took. */
  took_ms?: number | null,
  /** How often it was tried. */
  attempts?: number | null,
};

/** A kind of channel that can be played. */
export type LabKind = {
  /** The kind of service. */
  connector: string,
  /** Its name. */
  name: string,
  /** The SVG of its mark. */
  icon: string,
  /** The colour of its mark. */
  color: string,
};

/** A message on the phone. */
export type LabMessage = {
  /** Whose. */
  side: LabSide,
  /** What. */
  content: Array<Content>,
  /** When. */
  at: Timestamp,
  /** How far it came, for the customer's own. */
  tick?: LabTick | null,
  /** How often it was sent; the weather sends some twice. */
  copies: number,
};

/** To whom a conversation belongs. */
export type LabOwner = "agent" | "person";

/** What came of a replay. */
export type LabReplayed = {
  /** How many arrivals were made. */
  arrivals: number,
  /** How many messages are there that were not there before. */
  new_messages: number,
  /** How many arrivals ended how. */
  verdicts: { [key in string]: number },
};

/** How a script went. */
export type LabRun = {
  /** Every step went as it should. */
  ok: boolean,
  /** Step by step. */
  steps: Array<LabStepResult>,
  /** In which thread it was played. */
  thread: string,
  /** The conversation it made. */
  conversation?: ConversationId | null,
};

/** A customer that can be played again. */
export type LabScript = {
  /** Its id; a new script when missing. */
  id?: LabScriptId | null,
  /** What it is called. */
  name: string,
  /** Over which kind of channel. */
  connector: string,
  /** What the customer is called. */
  customer: string,
  /** In which weather; as the channel is when missing. */
  weather?: LabWeather | null,
  /** What happens, in order. */
  steps: Array<LabStep>,
};

/** A customer of the Lab that can be played again. */
export type LabScriptId = string;

/** Whose message it is on the phone. */
export type LabSide = "customer" | "shop";

/** The Lab. */
export type LabState = {
  /** Its channels, the oldest first. */
  channels: Array<LabChannel>,
  /** What else can be played. */
  available: Array<LabKind>,
};

/** One step of a script. */
export type LabStep = { "do": "say",
  /** The words. */
  text: string }
  | { "do": "wait_for_answer",
  /** How long, in seconds. */
  seconds: number }
  | { "do": "expect_text",
  /** The words. */
  contains: string }
  | { "do": "expect_owner",
  /** To whom. */
  owner: LabOwner }
  | { "do": "expect_no_double" };

/** How one step went. */
export type LabStepResult = {
  /** As it should. */
  ok: boolean,
  /** What was found, in words. */
  found: string,
  /** How long it took. */
  took_ms: number,
};

/** One direction. */
export type LabTally = {
  /** What was written. */
  written: number,
  /** What arrived at the other side. */
  arrived: number,
  /** What is nowhere, although nobody carries it any more. */
  lost: number,
  /** What arrived more often than it was written. */
  doubled: number,
};

/** A phone. */
export type LabThread = {
  /** What stands on it, oldest first. */
  messages: Array<LabMessage>,
  /** The conversation in the hub, once there is one. */
  conversation?: ConversationId | null,
  /** Whose it is. */
  owner?: LabOwner | null,
  /** An agent is writing. */
  writing: boolean,
  /** What the hub did last, oldest first. */
  events: Array<LabEvent>,
};

/** How far a customer's message came. */
export type LabTick = "on_the_way" | "arrived" | "answered" | "lost";

/** What real life does to the messages of one channel. Shares are in percent: 33 is every third. */
export type LabWeather = {
  /** Messages of customers that come twice. */
  duplicates: number,
  /** Messages overtake each other. */
  reorder: boolean,
  /** Everything takes that much longer, either way. */
  delay_ms: number,
  /** Calls of ours that the service refuses as too many. */
  too_many: number,
  /** Calls of ours that the service carries out without an answer. */
  timeouts: number,
  /** Files that are gone when they are fetched. */
  expired_media: number,
};

/** A label that is in use. */
export type Label = {
  /** Its word. */
  name: string,
  /** How many conversations carry it. */
  conversations: number,
};

/** Which arrivals to list. */
export type ListArrivals = {
  /** Only those of one connection. */
  connection?: ConnectionId | null,
  /** Only those with this verdict. */
  verdict?: Verdict | null,
  /** Where to go on. */
  cursor?: string | null,
  /** How many, 200 at most. */
  limit?: number | null,
};

/** Which connections to list. */
export type ListConnections = {
  /** Where to go on. */
  cursor?: string | null,
  /** How many, 200 at most. */
  limit?: number | null,
};

/** Which contacts to list. */
export type ListContacts = {
  /** Words of the name. */
  query?: string | null,
  /** Where to go on. */
  cursor?: string | null,
  /** How many, 200 at most. */
  limit?: number | null,
};

/** Which conversations to list. */
export type ListConversations = {
  /** Only these; all when missing. */
  status?: ConversationStatus | null,
  /** Only those of one connection. */
  connection?: ConnectionId | null,
  /** Only one tab. */
  owner?: OwnerFilter | null,
  /** Only those with this label. */
  label?: string | null,
  /** Words in what was said or in the contact's name. */
  query?: string | null,
  /** Where to go on. */
  cursor?: string | null,
  /** How many, 200 at most. */
  limit?: number | null,
};

/** Which deliveries to list. */
export type ListDeliveries = {
  /** Only these. */
  status?: DeliveryFilter | null,
  /** Only those of one connection. */
  connection?: ConnectionId | null,
  /** Where to go on. */
  cursor?: string | null,
  /** How many, 200 at most. */
  limit?: number | null,
};

/** A page of a list. */
export type ListKnowledge = {
  /** Where to go on. */
  cursor?: string | null,
  /** How many, 200 at most. */
  limit?: number | null,
};

/** Whose messages, and where to go on. */
export type ListMessages = {
  /** The conversation. */
  conversation: ConversationId,
  /** Where to go on. */
  cursor?: string | null,
  /** How many, 200 at most. */
  limit?: number | null,
};

/** Whose models. */
export type ListModels = {
  /** The connection. */
  connection: ConnectionId,
};

/** Which notices. */
export type ListNotices = {
  /** Only those of one connection. */
  connection?: ConnectionId | null,
};

/** Which refusals to list. */
export type ListRefusals = {
  /** Where to go on. */
  cursor?: string | null,
  /** How many, 200 at most. */
  limit?: number | null,
};

/** Which turns to list. */
export type ListTurns = {
  /** Only those of one conversation. */
  conversation?: ConversationId | null,
  /** Where to go on. */
  cursor?: string | null,
  /** How many, 200 at most. */
  limit?: number | null,
};

/** A way in for one browser. */
export type LoginLink = {
  /** Works once, within ten minutes. */
  url: string,
};

/** Which conversation was seen. */
export type MarkRead = {
  /** Its id. */
  conversation: ConversationId,
};

/** A stored file. */
export type MediaId = string;

/** What kind of file a media part is. */
export type MediaKind = "image" | "audio" | "voice" | "video" | "document" | "sticker";

/** How people talk on a channel. */
export type Medium = "chat" | "email" | "sms" | "voice";

/** Which two contacts are one person. */
export type MergeContacts = {
  /** The one that stays. */
  contact: ContactId,
  /** The one that becomes part of it. */
  other: ContactId,
};

/** The joining of two contacts. */
export type MergeId = string;

/** Somebody who was joined with a contact. */
export type MergedContact = {
  /** The joining, for undoing it. */
  merge: MergeId,
  /** The name that was joined. */
  name: string,
  /** On what grounds. */
  evidence: Evidence,
  /** When. */
  at: Timestamp,
};

/** One thing that was said. */
export type Message = {
  /** Its id. */
  id: MessageId,
  /** Where it was said. */
  conversation: ConversationId,
  /** Who said it. */
  author: Author,
  /** Which way it went. */
  direction: Direction,
  /** What was said. */
  content: Array<Content>,
  /** When. */
  sent_at: Timestamp,
  /** The service's own name for it. */
  external_id?: string | null,
  /** How far its sending came. */
  delivery?: Delivery | null,
  /** It had left already when a person took over. */
  late: boolean,
  /** Its files that are not here, or not yet. */
  files?: Array<FileMark> | null,
  /** Where an agent's words come from. */
  sources: Array<Source>,
  /** The answer of an agent it belongs to. */
  turn?: TurnId | null,
  /** When it was changed. */
  edited_at?: Timestamp | null,
  /** When it was taken back. */
  deleted_at?: Timestamp | null,
  /** The message it answers, as the service names it. */
  reply_to?: string | null,
  /** It was passed on from somewhere else. */
  forwarded: boolean,
  /** The caller's own name for it. */
  client_key?: string | null,
};

/** One thing that was said. */
export type MessageId = string;

/** Millionths of a US dollar. */
export type MicroUsd = number;

/** A model in a list. */
export type ModelRow = {
  /** Its id at the service. */
  id: string,
  /** Its name. */
  name: string,
  /** How much it can read, in tokens. */
  context: number | null,
};

/** How an agent's model is asked. */
export type ModelSettings = {
  /** 0 to 2; higher is freer. Left out for models that refuse it. */
  temperature: number,
  /** How long an answer may be, in tokens. */
  max_tokens: number,
  /** How many of the last messages the model sees. */
  history: number,
  /** How many tool calls one answer may take. */
  max_tool_calls: number,
  /** How long one answer may take, in seconds. */
  max_seconds: number,
};

/** This hub came from another computer. */
export type MovedHub = {
  /** When the backup was made. */
  made_at: Timestamp,
  /** When it was restored here. */
  restored_at: Timestamp,
  /** When its owner said that the other computer is off; null = it still waits for that. */
  confirmed_at?: Timestamp | null,
  /** How many messages were waiting to be sent there, and are parked here. */
  parked: number,
  /** The sign-ins that may have to be done again. */
  sign_ins: Array<SignInAgain>,
};

/** Something about an account that its owner should know. */
export type Notice = {
  /** Its connection. */
  connection: ConnectionId,
  /** What it is about. */
  key: string,
  /** How grave. */
  level: NoticeLevel,
  /** In words. */
  text: string,
  /** When. */
  at: Timestamp,
  /** When somebody saw it. */
  seen_at?: Timestamp | null,
};

/** How grave a notice is. */
export type NoticeLevel = "info" | "warning" | "problem";

/** A link of our own scheme. */
export type OpenLink = {
  /** The whole link. */
  url: string,
};

/** One line of an order. */
export type OrderLine = {
  /** The product, as the catalogue names it. */
  product: string,
  /** How many. */
  quantity: number,
  /** The price of one. */
  price?: number,
  /** In which currency (ISO 4217). */
  currency?: string,
};

/** Who has the next word. */
export type Owner = { "type": "agent",
  /** Which one. */
  id: AgentId,
  /** Its name; null when it was deleted. */
  name: string | null }
  | { "type": "person",
  /** Which one. */
  id: PersonId | null,
  /** Their name. */
  name: string | null,
};

/** The tabs of the inbox. */
export type OwnerFilter = "needs_person" | "mine" | "agent";

/** One page of a list. */
export type Page<T> = {
  /** What stands on it. */
  items: Array<T>,
  /** The `cursor` of the next page; null at the end. */
  next: string | null,
};

/** Somebody who may be the same person. */
export type PerhapsSame = {
  /** Who. */
  id: ContactId,
  /** Their name. */
  name: string,
  /** The number that both have. */
  phone: string,
  /** Where the other one has it. */
  connector: string,
};

/** Somebody of the shop. */
export type PersonId = string;

/** Something needed before starting. */
export type Prerequisite = {
  /** What. */
  text: string,
};

/** A request as it came. */
export type Raw = {
  /** "POST", "GET", "PULL". */
  method: string,
  /** Below the hook. */
  path: string,
  /** The query. */
  query: string,
  /** Its headers, in order. */
  headers: Array<Header>,
  /** Its body as text; bytes that are no text show as �. */
  body: string,
};

/** A page to read. */
export type ReadMore = {
  /** What it is about. */
  text: string,
  /** Where it is. */
  url: string,
};

/** How a customer came: an advertisement, a link. Kept with the conversation; the first one stays. */
export type Referral = {
  /** "ad", "post", "link". */
  kind: string,
  /** The advertisement's id at the service. */
  source_id: string | null,
  /** Its address. */
  url: string | null,
  /** Its headline. */
  headline: string | null,
  /** Its words. */
  body: string | null,
  /** The click's own id, needed to report what became of it. */
  click_id: string | null,
  /** When the customer came. */
  at: Timestamp | null,
};

/** A request that was refused. */
export type Refusal = {
  /** When. */
  at: Timestamp,
  /** For which connection, if any. */
  connection?: ConnectionId | null,
  /** Why. */
  reason: string,
  /** Where it came from. */
  address: string,
  /** Its size. */
  bytes: number,
};

/** What the agent would have said. */
export type Rehearsed = {
  /** Its words. */
  text: string,
  /** Buttons under them. */
  choices: Array<Choice>,
  /** Where they come from. */
  sources: Array<Source>,
  /** The tools used. */
  steps: Array<Used>,
  /** What it took. */
  usage: Usage,
};

/** An arrival to play. */
export type ReplayInLab = {
  /** As `export_arrival` gave it. */
  arrival: CapturedArrival,
  /** How often, 1000 at most; once when missing. */
  times?: number | null,
};

/** Something to report. */
export type ReportConversion = {
  /** About which conversation. */
  conversation: ConversationId,
  /** What became of the customer. */
  event: ConversionEvent,
  /** The currency of `amount`, in three letters (ISO 4217). */
  currency?: string | null,
  /** What it was worth; a purchase needs it. */
  amount?: number | null,
};

/** A sealed file to be restored here. */
export type RestoreBackup = {
  /** Where it is on this computer. */
  file: string,
  /** What was chosen when it was made. */
  passphrase: string,
  /** Also where somebody has worked already; what is here is then kept aside. */
  replace: boolean,
};

/** What was restored. The hub is opened again in a moment, and stands still until `confirm_move`. */
export type RestoredBackup = {
  /** When the backup was made. */
  made_at: Timestamp,
  /** How many files of conversations came with it. */
  files: number,
  /** How many files and keys were missing already when it was made. */
  left_out: number,
  /** Where what was here before is kept. */
  kept_aside?: string | null,
};

/** Which delivery. */
export type RetryDelivery = {
  /** Its id. */
  id: DeliveryId,
};

/** A file to fetch again. */
export type RetryMedia = {
  /** Which. */
  id: MediaId,
};

/** What a customer says. */
export type SayInLab = {
  /** Over which channel. */
  connection: ConnectionId,
  /** In which thread; digits fit every service. */
  thread: string,
  /** What the customer is called. */
  name: string,
  /** What: words, an uploaded file, a place, a pressed button; each part is a message of its own. */
  content: Array<Content>,
};

/** What to look for. */
export type Search = {
  /** The words; all of them must be there, the last one may be unfinished. */
  query: string,
  /** Where to look. */
  filters?: SearchFilters | null,
  /** In which order; the newest first when missing. */
  order?: SearchOrder | null,
  /** Where to go on. */
  cursor?: string | null,
  /** How many, 200 at most. */
  limit?: number | null,
};

/** Where to look. */
export type SearchFilters = {
  /** Only there. */
  type?: SearchKind | null,
  /** Only in one conversation. */
  conversation?: ConversationId | null,
  /** Only over one connection. */
  connection?: ConnectionId | null,
};

/** One find. */
export type SearchHit = {
  /** What it is. */
  type: SearchKind,
  /** The id of the message or contact. */
  id: string,
  /** Where it was said. */
  conversation?: ConversationId | null,
  /** Whose it is. */
  contact: ContactId,
  /** The contact's name; empty when nobody said one. */
  title: string,
  /** How a connection reaches the contact. */
  address?: Address | null,
  /** The words around; what was found stands between U+E000 and U+E001. */
  excerpt: string,
  /** When. */
  at?: Timestamp | null,
};

/** What was found. */
export type SearchKind = "message" | "note" | "contact";

/** A question to try. */
export type SearchKnowledge = {
  /** The question. */
  query: string,
  /** How many hits, 8 at most. */
  limit?: number | null,
};

/** In which order finds are given. */
export type SearchOrder = "newest" | "best";

/** Whether a secret is kept. */
export type SecretMark = {
  /** It is. */
  set: boolean,
};

/** What to say. */
export type SendReply = {
  /** Where. */
  conversation: ConversationId,
  /** What. A file needs no more than its `kind` and its id in `media`. */
  content: Array<Content>,
  /** Only for the team; the customer never sees it. */
  note?: boolean | null,
  /** The caller's own name for this reply: the same one twice sends once. */
  client_key?: string | null,
  /** The message of this conversation that it answers; shown there where the channel can. */
  reply_to?: MessageId | null,
};

/** Another status. */
export type SetConversationStatus = {
  /** Where. */
  conversation: ConversationId,
  /** Which. */
  status: ConversationStatus,
  /** Until when, for "snoozed". */
  until?: Timestamp | null,
};

/** Which agent to make the default. */
export type SetDefaultAgent = {
  /** Its id. */
  agent: AgentId,
};

/** Other weather. */
export type SetLabWeather = {
  /** The channel's connection. */
  connection: ConnectionId,
  /** The weather from now on. */
  weather: LabWeather,
};

/** Another way to a public address; what is missing stays. */
export type SetTunnel = {
  /** Which. */
  driver?: DriverKind | null,
  /** The owner's own address; also that of a server or a named tunnel. */
  url?: string | null,
  /** The name at ngrok; empty = the account's own. */
  domain?: string | null,
  /** The SSH or bore server: a name, or name:port. */
  server?: string | null,
  /** The user there. */
  user?: string | null,
  /** The port that the server opens; 0 = any. */
  remote_port?: number | null,
  /** Where cloudflared is; empty = wherever this computer has it. */
  program?: string | null,
  /** Cloudflared may be fetched. */
  may_download?: boolean | null,
  /** ngrok's authtoken; empty forgets it. */
  authtoken: string,
  /** The token of a tunnel at Cloudflare; empty forgets it. */
  token: string,
  /** The password at a server, or Pinggy's token; empty forgets it. */
  password: string,
  /** The server's key was changed by its owner: the next one it shows is kept. */
  trust_host_key?: boolean | null,
};

/** The shop's own settings. */
export type Settings = {
  /** What the shop is called; empty until somebody says so. */
  shop_name: string,
  /** The language of the screens and of the hub's sentences: "en", "pt-BR" or "es". */
  language: string,
  /** Light or dark. */
  theme: Theme,
  /** How far the first run came. */
  first_run_step: number,
  /** The first run is over. */
  first_run_done: boolean,
  /** Single-letter keys work. */
  single_keys: boolean,
  /** Keys that were changed: what they do → what to press ("z", "Shift+e", "g i"); empty = nothing. */
  keys: { [key in string]: string },
  /** The proxy for outgoing calls (`http://host:port`); empty = none. */
  proxy: string,
  /** The shop's time zone, by its name ("America/Sao_Paulo"); empty = this computer's. */
  time_zone: string,
};

/** One step of a set-up. */
export type SetupStep = {
  /** What to do. */
  title: string,
  /** How. */
  text: string,
};

/** A sign-in that may have to be done again. */
export type SignInAgain = {
  /** The connection. */
  connection: ConnectionId,
  /** Its name. */
  name: string,
  /** Why. */
  why: string,
};

/** The button to sign in. */
export type SignInButton = {
  /** Whose name stands on it. */
  provider: string,
  /** The fields of the form that must be filled before. */
  needs: Array<string>,
};

/** Where a sign-in stands. */
export type SignInRow = {
  /** Its id. */
  flow: FlowId,
  /** The connection. */
  connection: ConnectionId,
  /** Where it stands. */
  status: SignInStatus,
  /** How the answer comes back. */
  way: SignInWay,
  /** Why it came to nothing, or which step failed, in a sentence. */
  reason?: string | null,
  /** Whose account it is. */
  account?: string | null,
  /** The accounts to choose from. */
  accounts: Array<AccountChoice>,
  /** What less works because a box was not ticked. */
  missing: Array<string>,
  /** What is being done for the account after the sign-in, in order. */
  steps: Array<StepRow>,
  /** Until when the owner may take. */
  ends_at: Timestamp,
};

/** How a grant stands. */
export type SignInState = "active" | "degraded" | "needs_sign_in" | "signed_out";

/** Where a flow stands. */
export type SignInStatus = "waiting" | "trading" | "choosing" | "settling" | "done" | "failed" | "cancelled";

/** How the answer comes back from the browser. */
export type SignInWay = "deep_link" | "loopback" | "public";

/** Out of sight for a while. */
export type Snooze = {
  /** Which conversation. */
  conversation: ConversationId,
  /** Until when; until the customer writes when missing. */
  until?: Timestamp | null,
};

/** Where an agent's words come from. */
export type Source = {
  /** The document's title. */
  title: string,
  /** Where in it ("line 31", a heading). */
  location?: string,
  /** The words themselves. */
  quote?: string,
  /** The document. */
  document?: DocumentId,
};

/** Who wrote last. */
export type Speaker = "contact" | "agent" | "person" | "system";

/** A step after the sign-in. */
export type StepRow = {
  /** What it does. */
  words: string,
  /** Whether it is done. */
  done: boolean,
  /** Whether it failed; the reason stands above. */
  failed: boolean,
};

/** How a streamed answer is cut into messages (S4.2). */
export type StreamMode = "full" | "sentence" | "direct";

/** A person takes the next word. */
export type TakeOver = {
  /** Where. */
  conversation: ConversationId,
  /** A private note to leave. */
  note?: string | null,
};

/** A template that the service approved, or did not. */
export type Template = {
  /** Its id at the service; what [`Content::Template`] names. */
  id: string,
  /** Its name. */
  name: string,
  /** Its language ("pt_BR"). */
  language: string,
  /** "marketing", "utility", "authentication". */
  category: string,
  /** Whether it may be sent. */
  status: TemplateStatus,
  /** What stands above the words, if that is text. */
  header: string | null,
  /** The words, with gaps as `{{1}}` or `{{name}}`. */
  body: string,
  /** What stands below the words. */
  footer: string | null,
  /** What stands on its buttons. */
  buttons: Array<string>,
  /** What must be filled in, in order. */
  gaps: Array<TemplateGap>,
};

/** A gap of a template. */
export type TemplateGap = {
  /** Its key in the values of [`Content::Template`] ("body.1", "header.media", "button.0"). */
  key: string,
  /** What it is called in the text ("1", "name"). */
  label: string,
  /** An example, as the template's author gave it. */
  example: string | null,
  /** What goes in: words, or a file of that kind (then the value is a media id). */
  kind: GapKind,
};

/** Whether a template may be sent. */
export type TemplateStatus = "approved" | "pending" | "rejected" | "paused" | "disabled";

/** What a test found. */
export type TestResult = {
  /** It works. */
  ok: boolean,
  /** The account as its owner knows it. */
  account?: string | null,
  /** What was proven, or not yet, in order. */
  checks: Array<Check>,
  /** Particulars for scripts. */
  details: Record<string, unknown>,
  /** Why it does not work, in a sentence. */
  error?: string | null,
};

/** A length and what it counts. */
export type TextLimit = {
  /** How many. */
  max: number,
  /** Of what. */
  unit: TextUnit,
};

/** What a text limit counts. */
export type TextUnit = "utf16" | "chars" | "bytes";

/** Light or dark. */
export type Theme = "light" | "dark" | "system";

/** A moment, in milliseconds since 1970 UTC; the same number in SQLite and in JSON. */
export type Timestamp = number;

/** Something an agent may do besides writing. */
export type Tool = {
  /** Its name, for ever. */
  name: string,
  /** What it does, for shopkeepers. */
  description: string,
  /** It changes something. */
  changes: boolean,
  /** A new agent has it. */
  usual: boolean,
};

/** Something every shop is asked. */
export type Topic = "prices" | "allergens" | "opening_hours" | "ordering_ahead" | "delivery_area" | "payment";

/** A side chat with an agent, saved or not. */
export type TryAgent = {
  /** The agent; a new one when missing. */
  agent?: AgentId | null,
  /** What would be changed about it. */
  draft?: AgentDraft | null,
  /** The kind of channel to pretend. */
  connector?: string | null,
  /** What was said so far, the customer's words last. */
  messages: Array<TryLine>,
};

/** A line of the side chat. */
export type TryLine = {
  /** Who said it. */
  role: TryRole,
  /** What was said. */
  text: string,
};

/** Who speaks in a side chat. */
export type TryRole = "user" | "assistant";

/** An address there was. */
export type TunnelAddress = {
  /** How it was made. */
  driver: DriverKind,
  /** The address. */
  url: string,
  /** Since when. */
  from_at: Timestamp,
  /** When it was last known to work. */
  last_at: Timestamp,
  /** How many requests came by it. */
  requests: number,
  /** How much came in, in bytes. */
  bytes_in: number,
  /** How much went out, in bytes. */
  bytes_out: number,
};

/** Where the tunnel stands. */
export type TunnelPhase = "off" | "starting" | "connected" | "verifying" | "public_ok" | "degraded" | "reconnecting" | "failed";

/** What was typed for the ways; fields of other ways are kept. */
export type TunnelSettings = {
  /** The owner's own address. */
  url: string,
  /** The name at ngrok. */
  domain: string,
  /** The SSH or bore server. */
  server: string,
  /** The user there. */
  user: string,
  /** The port there. */
  remote_port: number,
  /** Where cloudflared is. */
  program: string,
  /** It may be fetched. */
  may_download: boolean,
  /** ngrok's authtoken. */
  authtoken: SecretMark,
  /** The token of a tunnel at Cloudflare. */
  token: SecretMark,
  /** The password. */
  password: SecretMark,
};

/** The public address. */
export type TunnelState = {
  /** How it is made. */
  driver: DriverKind,
  /** It was named when Shopbell was started, and cannot be changed here. */
  fixed: boolean,
  /** Where it stands. */
  phase: TunnelPhase,
  /** The address that the tunnel has. */
  url?: string | null,
  /** The address that services are told; proven, or the owner's own. */
  public_url?: string | null,
  /** Where on the way something is wrong. */
  hop?: Hop | null,
  /** What is wrong, in a sentence. */
  trouble?: string | null,
  /** Since when it stands there. */
  since_at: Timestamp,
  /** When the address was last proven from outside. */
  proven_at?: Timestamp | null,
  /** When it is tried again. */
  next_try_at?: Timestamp | null,
  /** What was typed. */
  settings: TunnelSettings,
  /** The line that lets Shopbell into an SSH server of the owner's. */
  public_key?: string | null,
  /** Cloudflare's program. */
  cloudflared: CloudflaredRow,
  /** The addresses there were, newest first. */
  history: Array<TunnelAddress>,
};

/** One answer of an agent. */
export type Turn = {
  /** Its id. */
  id: TurnId,
  /** Where. */
  conversation: ConversationId,
  /** Whose. */
  agent: AgentId,
  /** The agent's name. */
  agent_name?: string | null,
  /** What became of it. */
  status: TurnStatus,
  /** When the customer's message asked for it. */
  wanted_at: Timestamp,
  /** When it began. */
  started_at?: Timestamp | null,
  /** When it ended. */
  ended_at?: Timestamp | null,
  /** How often it was begun. */
  attempts: number,
  /** Tokens and cost. */
  usage: Usage,
  /** What it cost. */
  cost_micro_usd: MicroUsd,
  /** Why it failed. */
  error?: string | null,
};

/** One answer of an agent. */
export type TurnId = string;

/** What became of a turn. */
export type TurnStatus = "wanted" | "running" | "done" | "superseded" | "failed" | "stopped";

/** One step of a turn. */
export type TurnStep = {
  /** "said", "call" (the model wants a tool), "begun" (a tool that changes something was started), "result". */
  kind: string,
  /** When. */
  at: Timestamp,
  /** How long it took. */
  took_ms: number,
  /** Its particulars. */
  body: Record<string, unknown>,
};

/** What is left of a turn whose steps are not kept any more. */
export type TurnSummary = {
  /** In how many pieces it spoke. */
  said: number,
  /** The tools that it ran, in order. */
  tools: Array<string>,
};

/** A turn with its steps. */
export type TurnWhole = {
  /** What it did, in order. */
  steps: Array<TurnStep>,
  /** What is left where the steps are not kept any more, after a month. */
  summary?: TurnSummary | null,
  /** Its id. */
  id: TurnId,
  /** Where. */
  conversation: ConversationId,
  /** Whose. */
  agent: AgentId,
  /** The agent's name. */
  agent_name?: string | null,
  /** What became of it. */
  status: TurnStatus,
  /** When the customer's message asked for it. */
  wanted_at: Timestamp,
  /** When it began. */
  started_at?: Timestamp | null,
  /** When it ended. */
  ended_at?: Timestamp | null,
  /** How often it was begun. */
  attempts: number,
  /** Tokens and cost. */
  usage: Usage,
  /** What it cost. */
  cost_micro_usd: MicroUsd,
  /** Why it failed. */
  error?: string | null,
};

/** A question that nothing in the documents answers. */
export type Unanswered = {
  /** Its id. */
  id: string,
  /** The question. */
  question: string,
  /** Where it was asked. */
  conversation: ConversationId,
  /** When. */
  at: Timestamp,
};

/** Which joining to undo. */
export type UndoMerge = {
  /** Its id. */
  merge: MergeId,
};

/** The passphrase of the vault. */
export type UnlockVault = {
  /** The passphrase; without one the keychain is asked again. */
  passphrase?: string | null,
};

/** Changes of an agent; what is missing stays. */
export type UpdateAgent = {
  /** Which. */
  id: AgentId,
  /** Its name, as customers may read it. */
  name?: string | null,
  /** What it is told. May hold `{{variables}}`. */
  instructions?: string | null,
  /** What it is told besides on one kind of channel, by connector. */
  channel_instructions?: { [key in string]: string } | null,
  /** The model connection it asks; the first one when missing. */
  connection?: ConnectionId | null,
  /** The model there; empty = the connection's default. */
  model?: string | null,
  /** How the model is asked. */
  settings?: AgentSettings | null,
  /** The tools it may use. */
  tools?: Array<string> | null,
  /** How its answers are cut. */
  stream_mode?: StreamMode | null,
};

/** Changes of an account; what is missing stays. */
export type UpdateConnection = {
  /** Which. */
  id: ConnectionId,
  /** What its owner calls it. */
  name?: string | null,
  /** Settings to change. A secret that is missing or `{"set":true}` stays, empty text takes it away, null takes any other field away. */
  config?: Record<string, unknown> | null,
  /** Who answers there; null = the default agent. */
  agent?: string | null,
  /** "active", "paused" or "draft". */
  status?: ConnectionStatus | null,
};

/** Settings to change; what is missing stays. */
export type UpdateSettings = {
  /** What the shop is called. */
  shop_name?: string | null,
  /** "en", "pt-BR" or "es". */
  language?: string | null,
  /** Light or dark. */
  theme?: Theme | null,
  /** How far the first run came. */
  first_run_step?: number | null,
  /** The first run is over. */
  first_run_done?: boolean | null,
  /** Single-letter keys work. */
  single_keys?: boolean | null,
  /** Keys that differ from the usual ones, all of them: what they do → what to press. */
  keys?: { [key in string]: string } | null,
  /** The proxy for outgoing calls; empty = none. */
  proxy?: string | null,
  /** The shop's time zone, by its name; empty = this computer's. */
  time_zone?: string | null,
};

/** A file to keep. */
export type UploadMedia = {
  /** Its name. */
  name: string,
  /** Its type, as the sender sees it; what the bytes are decides. */
  mime?: string | null,
  /** Its bytes in base64. */
  base64: string,
};

/** A kept file. */
export type UploadedMedia = {
  /** Its id, for a media part of a reply. */
  id: MediaId,
  /** What it is. */
  kind: MediaKind,
  /** Its type, as sniffed. */
  mime: string,
  /** Its name. */
  filename: string,
  /** Its size. */
  bytes: number,
};

/** What a model call took. */
export type Usage = {
  /** Tokens read. */
  input_tokens: number,
  /** Of these, tokens that the service had cached. */
  cached_tokens: number,
  /** Tokens written. */
  output_tokens: number,
  /** What it cost; 0 where the price is not known. */
  cost: MicroUsd,
  /** Whether these figures are our own estimate because the service sent none. */
  estimated: boolean,
};

/** A tool that was used on the way. */
export type Used = {
  /** Which. */
  tool: string,
  /** Its arguments, as the model wrote them. */
  arguments: string,
  /** What it gave back. */
  result: string,
  /** Whether it would have changed something. */
  pretended: boolean,
};

/** What holds the master key. */
export type VaultKind = "keychain" | "passphrase";

/** Whether secrets can be read. */
export type VaultState = "open" | "locked" | "none";

/** What became of an arrival. */
export type Verdict = "pending" | "handled" | "repeat" | "nothing" | "not_understood" | "parked";

/** The word that a service asks for when it first calls. */
export type VerifyToken = {
  /** To be pasted there. */
  verify_token: string,
};

/** Where a service calls us, by our word and by its own. */
export type WebhookState = {
  /** Where it should call. */
  desired_url?: string | null,
  /** Where it calls, by its own word; null = nowhere. */
  confirmed_url?: string | null,
  /** How many updates wait there. */
  pending?: number | null,
  /** Its last trouble with us. */
  last_error?: string | null,
  /** When that was. */
  last_error_at?: Timestamp | null,
  /** When the connection last proved that it works. */
  last_proven_at?: Timestamp | null,
  /** What else it told. */
  details: Record<string, unknown>,
};

/** A website chat, to be pasted. */
export type WebsiteSnippet = {
  /** The line for the shop's pages. */
  snippet: string,
  /** A page on this computer with that line in it. */
  test_page_url: string,
};

/** Every command: what it takes, what it gives. */
export type Commands = {
  /** How the hub is. Answers always. */
  health: [Empty, Health];
  /** Makes the vault and opens it: under a passphrase, or in the keychain without one. */
  create_vault: [CreateVault, Health];
  /** Opens the vault with its passphrase, or asks the keychain again. */
  unlock_vault: [UnlockVault, Health];
  /** Gives the vault another passphrase. */
  change_passphrase: [ChangePassphrase, Empty];
  /** A link that signs one browser in, once, within ten minutes. */
  new_login_link: [Empty, LoginLink];
  /** The copies of this shop: the last good one, and why the last attempt came to nothing. */
  get_backups: [Empty, Backups];
  /** Makes a copy of the database now. */
  back_up_now: [Empty, Backups];
  /** Seals everything, keys included, into one file that a passphrase opens on another computer. */
  export_backup: [ExportBackup, ExportedBackup];
  /** Puts a sealed file in the place of what is here. The hub is opened again in a moment and then stands still until `confirm_move`. */
  restore_backup: [RestoreBackup, RestoredBackup];
  /** The sealed files that lie where people keep such things, newest first. */
  find_backups: [Empty, Items<FoundBackup>];
  /** Says that the computer this hub came from is off: work begins here. */
  confirm_move: [Empty, Empty];
  /** The shop's own settings. */
  get_settings: [Empty, Settings];
  /** Changes the settings that are given. */
  update_settings: [UpdateSettings, Settings];
  /** Conversations, newest first. */
  list_conversations: [ListConversations, Page<ConversationRow>];
  /** How many open conversations stand under each tab. */
  count_conversations: [Empty, ConversationCounts];
  /** One conversation. */
  get_conversation: [GetConversation, ConversationRow];
  /** What was said in a conversation, newest first. */
  list_messages: [ListMessages, Page<Message>];
  /** Sends a reply (and takes the conversation over from its agent), or keeps a private note. The same `client_key` sends once. */
  send_reply: [SendReply, Message];
  /** Says that everything in a conversation was seen. */
  mark_read: [MarkRead, Empty];
  /** The templates of a connection's account, with the gaps to fill. */
  list_templates: [GetConnection, Items<Template>];
  /** What was and what may be reported of a conversation to the service's advertising. */
  list_conversions: [GetConversation, Conversions];
  /** Reports to the service's advertising what became of a customer who came through it: each event once for a click. */
  report_conversion: [ReportConversion, Conversions];
  /** What services told about their accounts, newest first. */
  list_notices: [ListNotices, Items<Notice>];
  /** Says that a notice was seen. */
  dismiss_notice: [DismissNotice, Empty];
  /** A person takes the next word; the agent falls silent at once. */
  take_over: [TakeOver, ConversationRow];
  /** A person gives the next word back to an agent. */
  hand_back: [HandBack, ConversationRow];
  /** Gives a conversation to an agent or to a person. */
  assign: [Assign, ConversationRow];
  /** Opens, snoozes or resolves a conversation. */
  set_conversation_status: [SetConversationStatus, ConversationRow];
  /** Puts a conversation out of sight until a moment, or until the customer writes. */
  snooze: [Snooze, ConversationRow];
  /** Puts labels on a conversation and takes others off. */
  label: [ChangeLabels, ConversationRow];
  /** Every label in use, the most used first. */
  list_labels: [Empty, Items<Label>];
  /** Finds messages, notes and contacts by their words. */
  search: [Search, Page<SearchHit>];
  /** Contacts, newest first. */
  list_contacts: [ListContacts, Page<ContactRow>];
  /** One contact with its addresses and conversations. */
  get_contact: [GetContact, Contact];
  /** Makes one person of two contacts, until it is undone. */
  merge_contacts: [MergeContacts, Contact];
  /** Makes two persons of one again. */
  undo_merge: [UndoMerge, Contact];
  /** Keeps a file, to be sent with a reply. */
  upload_media: [UploadMedia, UploadedMedia];
  /** Fetches a file again that a customer sent and that could not be fetched. */
  retry_media: [RetryMedia, FileMark];
  /** Every kind of service that can be connected. */
  list_connectors: [Empty, Items<Connector>];
  /** Every configured account, oldest first. */
  list_connections: [ListConnections, Page<Connection>];
  /** One configured account. A secret reads back as `{"set":true}`. */
  get_connection: [GetConnection, Connection];
  /** Makes a connection and puts it to use. */
  create_connection: [CreateConnection, CreatedConnection];
  /** Changes a connection and puts it to use. */
  update_connection: [UpdateConnection, Connection];
  /** Deletes a connection and its secrets; its conversations stay readable. */
  delete_connection: [GetConnection, Empty];
  /** Proves that a connection works, without a customer noticing. */
  test_connection: [GetConnection, TestResult];
  /** The models that a connection's account may use. */
  list_models: [ListModels, Items<ModelRow>];
  /** Tells the service where to call. */
  register_webhook: [GetConnection, WebhookState];
  /** Where the service calls, by its own word. */
  webhook_state: [GetConnection, WebhookState];
  /** The public address: how it is made, how it is, and which ones there were. */
  tunnel_state: [Empty, TunnelState];
  /** Chooses another way to a public address, or tries the present one again. */
  set_tunnel: [SetTunnel, TunnelState];
  /** The line that puts a website chat on a page, and a page on this computer to try it. */
  website_snippet: [GetConnection, WebsiteSnippet];
  /** The verify token of a connection, to be pasted at the service. */
  reveal_verify_token: [GetConnection, VerifyToken];
  /** Begins to sign a connection in; gives the service's page to open in the system's browser. */
  begin_sign_in: [BeginSignIn, BegunSignIn];
  /** Where a sign-in stands. */
  get_sign_in: [GetSignIn, SignInRow];
  /** Takes the answer of a sign-in from the address on which the browser ended. */
  finish_sign_in: [FinishSignIn, SignInRow];
  /** Chooses among the accounts that a sign-in opens. */
  choose_sign_in_account: [ChooseAccount, SignInRow];
  /** Does again what failed after a sign-in, from that step on. */
  resume_sign_in: [GetSignIn, SignInRow];
  /** Calls a sign-in off. */
  cancel_sign_in: [GetSignIn, SignInRow];
  /** Signs a connection out: gives the grant back at the service and forgets its tokens. */
  sign_out: [GetConnection, Empty];
  /** Renews a connection's access token now. */
  refresh_sign_in: [GetConnection, AuthRow];
  /** How every connection is signed in to, until when, and when that is renewed. */
  list_sign_ins: [Empty, Items<AuthRow>];
  /** Takes a `shopbell://` link: the answer of a sign-in, or the wish to see the window. */
  open_link: [OpenLink, Empty];
  /** Every agent, oldest first. */
  list_agents: [Empty, Items<Agent>];
  /** One agent. */
  get_agent: [GetAgent, Agent];
  /** Makes an agent; the first one answers everywhere. */
  create_agent: [CreateAgent, Agent];
  /** Changes an agent. */
  update_agent: [UpdateAgent, Agent];
  /** Deletes an agent; its conversations go to the default agent, or wait for a person. */
  delete_agent: [GetAgent, Empty];
  /** Makes an agent the one that answers where no other is named. */
  set_default_agent: [SetDefaultAgent, Empty];
  /** Lets an agent answer in a side chat; nothing is kept. */
  try_agent: [TryAgent, Rehearsed];
  /** Every tool an agent may have. */
  list_tools: [Empty, Items<Tool>];
  /** Every document, newest first. */
  list_knowledge: [ListKnowledge, Page<KnowledgeDocument>];
  /** Reads a file and keeps what it says. */
  add_knowledge: [AddKnowledge, KnowledgeDocument];
  /** Forgets a document. */
  delete_knowledge: [DeleteKnowledge, Empty];
  /** What the documents say to a question. */
  search_knowledge: [SearchKnowledge, Items<KnowledgeHit>];
  /** What every shop is asked, and whether the documents speak of it. */
  knowledge_coverage: [Empty, Items<Covered>];
  /** Questions that nothing in the documents answers, newest first. */
  list_unanswered: [ListKnowledge, Page<Unanswered>];
  /** Takes a question off that list. */
  dismiss_unanswered: [DismissUnanswered, Empty];
  /** What came in, newest first, each with its verdict. */
  list_arrivals: [ListArrivals, Page<Arrival>];
  /** One arrival, raw, with secrets masked. */
  get_arrival: [GetArrival, ArrivalWhole];
  /** Reads an arrival again; what it did before is not done twice. */
  replay_arrival: [GetArrival, Arrival];
  /** Requests that were refused, newest first; a line each, never their body. */
  list_refusals: [ListRefusals, Page<Refusal>];
  /** What goes out, newest first. */
  list_deliveries: [ListDeliveries, Page<DeliveryRow>];
  /** Sends a failed, parked or unconfirmed message again. */
  retry_delivery: [RetryDelivery, DeliveryRow];
  /** The answers of agents, newest first. */
  list_turns: [ListTurns, Page<Turn>];
  /** One answer of an agent, step by step. */
  get_turn: [GetTurn, TurnWhole];
  /** An arrival to be taken along into a Lab, without its secrets. */
  export_arrival: [GetArrival, CapturedArrival];
  /** The Lab: its channels, and what else can be played. */
  lab_state: [Empty, LabState];
  /** Adds a channel to the Lab, with a stand-in for its service and made-up credentials. */
  lab_add_channel: [AddLabChannel, LabChannel];
  /** Takes a channel out of the Lab; what was said over it stays readable. */
  lab_remove_channel: [GetLabChannel, Empty];
  /** Says what real life does to the messages of a channel. */
  lab_set_weather: [SetLabWeather, LabChannel];
  /** How much was written, arrived, was lost or came twice: everywhere, on one channel, or in one thread of it. */
  lab_counts: [AskLabCounts, LabCounts];
  /** Copies agents and what they may quote from another profile on this computer; never a connection or a secret. */
  lab_copy_agents: [CopyAgents, LabCopied];
  /** Plays an arrival that was taken along from a real shop, as often as asked. */
  lab_replay_arrival: [ReplayInLab, LabReplayed];
  /** A customer says something. */
  lab_say: [SayInLab, Empty];
  /** What a customer's phone shows, and what the hub did. */
  lab_thread: [GetLabThread, LabThread];
  /** Customers that can be played again, by name. */
  lab_list_scripts: [Empty, Items<LabScript>];
  /** Keeps a customer that can be played again. */
  lab_save_script: [LabScript, LabScript];
  /** Forgets one. */
  lab_delete_script: [GetLabScript, Empty];
  /** Plays one and says step by step how it went. */
  lab_run_script: [GetLabScript, LabRun];
  /** Totals per connection, first response time, cost. */
  analytics: [AskAnalytics, Analytics];
};
