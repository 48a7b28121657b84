/** The make-believe bakery's services, agents, files and arrivals. Only for `vite --mode mock`. */
import type { Agent, Connection, Connector, JsonSchema, KnowledgeDocument } from "../../bindings";
import { minutesAgo } from "./bakery";

const icon = (color: string, path: string) => ({
  color,
  icon: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${path}</svg>`,
});
const phone =
  '<path d="M13.832 16.568a1 1 0 0 0 1.213-.303l.355-.465A2 2 0 0 1 17 15h3a2 2 0 0 1 2 2v3a2 2 0 0 1-2 2A18 18 0 0 1 2 4a2 2 0 0 1 2-2h3a2 2 0 0 1 2 2v3a2 2 0 0 1-.8 1.6l-.468.351a1 1 0 0 0-.292 1.233 14 14 0 0 0 6.392 6.384"/>';
const plane =
  '<path d="M14.536 21.686a.5.5 0 0 0 .937-.024l6.5-19a.496.496 0 0 0-.635-.635l-19 6.5a.5.5 0 0 0-.024.937l7.93 3.18a2 2 0 0 1 1.112 1.11z"/>';
const bubble =
  '<path d="M22 17a2 2 0 0 1-2 2H6.828a2 2 0 0 0-1.414.586l-2.202 2.202A.71.71 0 0 1 2 21.286V5a2 2 0 0 1 2-2h16a2 2 0 0 1 2 2z"/>';
const letter = '<path d="m22 7-8.991 5.727a2 2 0 0 1-2.009 0L2 7"/><rect x="2" y="4" width="20" height="16" rx="2"/>';
const bot =
  '<path d="M12 8V4H8"/><rect width="16" height="12" x="4" y="8" rx="2"/><path d="M15 13v2"/><path d="M9 13v2"/>';

const secret = (title: string, description?: string): JsonSchema => ({
  type: "string",
  title,
  writeOnly: true,
  ...(description ? { description } : {}),
});
const base: JsonSchema = { type: ["string", "null"], format: "uri", title: "Service address", "x-advanced": true };
const form = (required: string[], properties: Record<string, JsonSchema>): JsonSchema => ({
  type: "object",
  required,
  properties: { ...properties, base_url: base },
});
const kind = (
  kind: string,
  name: string,
  type: Connector["type"],
  picture: { icon: string; color: string },
  schema: JsonSchema,
  more: Partial<Connector> = {},
): Connector => ({
  kind,
  name,
  type,
  auth: "api_key",
  status: "available",
  ...picture,
  abilities: [],
  prerequisites: [],
  steps: [],
  summary: "",
  links: [],
  model: false,
  page: false,
  schema,
  ...more,
});

/** What a channel that is called by its service can carry. */
const channel: Connector["channel"] = {
  medium: "chat",
  text_limit: { max: 4096, unit: "chars" },
  media_limits: { image: 5_000_000, document: 100_000_000 },
  caption_limit: 1024,
  media_types: {},
  files_by_link: false,
  max_choices: 3,
  max_rows: 10,
  templates: true,
  reply_window_seconds: 86_400,
  webhook: true,
};

export const connectorList: Connector[] = [
  kind(
    "website",
    "Website chat",
    "Channel",
    icon("#225b43", bubble),
    form([], {
      theme: {
        type: "object",
        title: "Look",
        properties: {
          primary_color: { type: "string", title: "Colour", default: "#225b43" },
          position: { enum: ["right", "left"], default: "right", title: "Side" },
          greeting_message: { type: "string", title: "Greeting" },
        },
      },
      allowed_origins: {
        type: "array",
        items: { type: "string" },
        title: "Allowed pages",
        description: "Empty: only pages on this computer.",
      },
    }),
    { auth: "none", abilities: ["text", "buttons", "typing"], summary: "A chat on your own page. One line to paste." },
  ),
  kind(
    "telegram",
    "Telegram",
    "Channel",
    icon("#2178b8", plane),
    form(["bot_token"], {
      bot_token: secret("Bot token", "From BotFather; it looks like 123456789:ABC…"),
      mode: {
        oneOf: [
          { const: "polling", title: "Fetch messages (no address needed)" },
          { const: "webhook", title: "Be called by Telegram" },
        ],
        default: "polling",
        title: "How messages come",
      },
    }),
    {
      abilities: ["text", "photos", "voice", "files", "location", "buttons"],
      prerequisites: [{ text: "A Telegram account" }],
      steps: [
        { title: "Talk to BotFather", text: "Send /newbot and choose a name." },
        { title: "Copy the token", text: "" },
        { title: "Send yourself a message", text: "" },
      ],
      summary: "A bot of your own. Two minutes.",
    },
  ),
  kind(
    "whatsapp-meta",
    "WhatsApp",
    "Channel",
    icon("#1a7f4b", phone),
    form(["phone_number", "phone_number_id", "app_id", "access_token", "app_secret"], {
      phone_number: { type: "string", title: "Phone number", examples: ["+55 11 4002-8922"] },
      display_name: { type: "string", title: "Name customers see" },
      phone_number_id: { type: "string", title: "Phone number ID" },
      business_account_id: { type: "string", title: "Business account ID" },
      app_id: { type: "string", title: "App ID" },
      access_token: secret("Access token"),
      app_secret: secret("App secret", "Proves that a message really comes from Meta."),
      graph_version: { type: "string", title: "Graph API version", default: "v20.0", "x-advanced": true },
    }),
    {
      abilities: ["text", "photos"],
      channel,
      prerequisites: [{ text: "A public web address: Shopbell makes one under Settings" }],
      steps: [
        { title: "Make an app", text: "Open developers.facebook.com and choose My Apps > Create App." },
        { title: "Add the number", text: "In the app open WhatsApp > API Setup." },
        { title: "Copy the app's ID and secret", text: "Open App settings > Basic." },
        { title: "Make a token that lasts", text: "Open Settings > Users > System users." },
        { title: "Publish the app", text: "In the app open Publish and switch it to Live." },
        { title: "Write to your number", text: "Send a message to the number from another phone." },
      ],
      summary: "A number of your own, straight from Meta, by access token",
    },
  ),
  kind(
    "email-smtp",
    "E-mail",
    "Channel",
    icon("#5b6472", letter),
    form(["from_email", "smtp"], {
      from_email: { type: "string", title: "From address" },
      from_name: { type: "string", title: "From name" },
      smtp: {
        type: "object",
        title: "Outgoing",
        required: ["host", "port"],
        properties: {
          host: { type: "string", title: "Server" },
          port: { type: "integer", minimum: 1, maximum: 65535, default: 587, title: "Port" },
          secure: { type: "boolean", default: true, title: "Encrypted" },
          username: { type: "string", title: "User" },
          password: secret("Password"),
        },
      },
    }),
    { status: "disabled" },
  ),
  kind("built-in", "Built-in answers", "Agent", icon("#23302a", bot), form([], {}), {
    auth: "none",
    summary: "Answers from your files. No key, no cost.",
  }),
  kind(
    "openai",
    "OpenAI",
    "Agent",
    icon("#23302a", bot),
    form(["api_key"], { api_key: secret("API key"), organization: { type: "string", title: "Organisation" } }),
    { prerequisites: [{ text: "An API key" }] },
  ),
  kind("openai-compatible", "OpenAI-compatible", "Agent", icon("#23302a", bot), {
    type: "object",
    required: ["base_url"],
    properties: { base_url: { type: "string", format: "uri", title: "Address" }, api_key: secret("API key") },
  }),
  kind(
    "google-calendar",
    "Google Agenda",
    "Tool - Native",
    icon("#2f63c0", letter),
    form(["client_id", "client_secret"], {
      client_id: { type: "string", title: "ID do cliente" },
      client_secret: secret("Chave secreta do cliente"),
    }),
    { auth: "oauth", sign_in: { provider: "Google", needs: ["client_id", "client_secret"] } },
  ),
];

export const connectionList: Connection[] = [
  {
    id: "con_tg",
    name: "@paodourado_bot",
    connector: "telegram",
    status: "failing",
    reason: "O Telegram não aceita este token. Copie de novo do BotFather; ele é assim: 123456789:ABC…",
    account: "@paodourado_bot",
    config: { bot_token: { set: true }, mode: "polling" },
    created_at: minutesAgo(90_000),
    last_proven_at: minutesAgo(190),
  },
  {
    id: "con_web",
    name: "Chat do site",
    connector: "website",
    status: "active",
    account: "paodourado.exemplo",
    agent: "agt_nina",
    config: { theme: { primary_color: "#225b43", position: "right" } },
    created_at: minutesAgo(90_000),
    last_proven_at: minutesAgo(2),
  },
  {
    id: "con_wa",
    name: "Loja Pinheiros",
    connector: "whatsapp-meta",
    status: "active",
    account: "+55 11 4002-8922",
    agent: "agt_nina",
    webhook_url: "https://pao.exemplo/hooks/meta/670843887433847",
    config: {
      phone_number: "+55 11 4002-8922",
      phone_number_id: "106540352242922",
      app_id: "670843887433847",
      access_token: { set: true },
      app_secret: { set: true },
    },
    created_at: minutesAgo(90_000),
    last_proven_at: minutesAgo(14),
  },
  {
    id: "con_ai",
    name: "Respostas prontas",
    connector: "built-in",
    status: "active",
    config: {},
    created_at: minutesAgo(90_000),
    last_proven_at: minutesAgo(40),
  },
];

export const agentList: Agent[] = [
  {
    id: "agt_nina",
    name: "Nina",
    instructions: "Você é a Nina, da Pão Dourado. Responda curto e com simpatia, só com o que está nos arquivos.",
    connection: "con_ai",
    model: "",
    channel_instructions: {},
    created_at: minutesAgo(90_000),
    updated_at: minutesAgo(900),
    settings: {
      temperature: 0.7,
      max_tokens: 4096,
      history: 30,
      max_tool_calls: 8,
      max_seconds: 120,
      answer_within_hours: 12,
    },
    tools: ["knowledge_search", "transfer_to_human"],
    stream_mode: "sentence",
    default: true,
    turns_today: 41,
    cost_today_micro_usd: 0,
  },
];

export const knowledgeList: KnowledgeDocument[] = [
  {
    id: "doc_1",
    name: "cardapio-2026.txt",
    title: "Cardápio 2026",
    status: "ready",
    mime: "text/plain",
    bytes: 18_400,
    passages: 42,
    used: 118,
    added_at: minutesAgo(300),
  },
  {
    id: "doc_2",
    name: "precos-encomendas.csv",
    title: "precos-encomendas.csv",
    status: "ready",
    mime: "text/csv",
    bytes: 9_200,
    passages: 184,
    used: 9,
    added_at: minutesAgo(60),
  },
];
