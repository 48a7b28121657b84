/**
 * A make-believe hub, to look at the screens before or without a real one: `npm run dev:mock`.
 *
 * It keeps its state in the page; `?fresh` starts with the first run, `?vault=locked|none` with the vault. A production
 * build never contains it.
 */
import type {
  Backups,
  Change,
  Commands,
  Contact,
  ConversationRow,
  ConversionReport,
  Health,
  KnowledgeDocument,
  Message,
  Settings,
} from "../bindings";
import { ApiError } from "./error";
import type { ChangeEvent, Host } from "./host";
import { contactOf, conversationRows, messagesOf, nina, you } from "./mock/bakery";
import { registrations, tunnel } from "./mock/reach";
import { type Answers, roomAnswers } from "./mock/rooms";
import { agentList, connectionList, connectorList, knowledgeList } from "./mock/services";
import { signInAnswers } from "./mock/signIn";

const asked = new URLSearchParams(location.search);
const fresh = asked.has("fresh");
const rows = fresh ? [] : [...conversationRows];
const documents = fresh ? [] : [...knowledgeList];
const agents = [...agentList];
/** Contacts that were joined with others, as they stand now. */
const joined = new Map<string, Contact>();
/** What was told to the advertising. */
const told = new Map<string, ConversionReport[]>();
const toldOf = (conversation: string) => ({
  possible_until: rows.find((one) => one.id === conversation)?.referral ? Date.now() + 86_400_000 : null,
  items: told.get(conversation) ?? [],
});
const listeners = new Set<(event: ChangeEvent) => void>();
let seq = 0;
const day = 86_400_000;
const copies: Backups = {
  folder: "/home/paula/.local/share/shopbell/default/backups",
  local: {
    done_at: Date.now() - 2.2 * day,
    tried_at: Date.now() - 600_000,
    file: "day.db",
    bytes: 48_200_000,
    trouble: "Há pouco espaço no disco para uma cópia de segurança: ela ocupa 112 MB e há 38 MB livres.",
  },
  copies: [2.2, 3.2, 4.2].map((ago) => Date.now() - ago * day),
  portable: { done_at: null, tried_at: null, file: null, bytes: 0, trouble: null },
  export_folder: "/home/paula/Documents",
  progress: null,
};
/** `?moved`: it came from another computer and stands still. */
let moved: Health["moved"] = asked.has("moved")
  ? {
      made_at: Date.now() - day,
      restored_at: Date.now(),
      confirmed_at: null,
      parked: 2,
      sign_ins: [
        { connection: "con_ig", name: "Instagram", why: "O serviço pode pedir isso de novo neste computador." },
      ],
    }
  : null;
let vault = (asked.get("vault") ?? (fresh ? "none" : "open")) as Health["vault"];
const settings: Settings = {
  shop_name: fresh ? "" : "Pão Dourado",
  language: asked.get("lang") ?? "pt-BR",
  theme: (asked.get("theme") as Settings["theme"] | null) ?? "light",
  first_run_step: 0,
  first_run_done: !fresh,
  single_keys: true,
  keys: {},
  proxy: "",
  time_zone: "",
};

function announce(kind: Change["kind"], id: string, conversation?: string) {
  const change = { seq: ++seq, kind, id, conversation: conversation ?? "" } as Change;
  for (const listener of listeners) listener({ type: "change", change });
}

function row(id: string): ConversationRow {
  const found = rows.find((one) => one.id === id);
  if (found === undefined) throw new ApiError("not_found", "Esta conversa não existe mais.");
  return found;
}

const health = (): Health => ({
  version: "0.1.0",
  vault,
  keychain: asked.has("keychain"),
  profile: asked.get("profile") ?? "default",
  lab: false,
  data_dir: "/home/loja/.local/share/shopbell",
  receiving: !asked.has("deaf") && !moved,
  moved,
  receiving_reason: asked.has("deaf") ? "O Shopbell não está recebendo. O túnel parou às 09:41." : null,
  first_run_done: settings.first_run_done,
  setup_step: settings.first_run_step,
  language: settings.language,
  public_url: "https://pao.exemplo",
});

const mine = (one: ConversationRow) => one.owner.type === "person" && !one.needs_person;
const wanted = (one: ConversationRow) => one.needs_person;

function changeOwner(
  id: string,
  owner: ConversationRow["owner"],
  event: "took_over" | "handed_back",
  note?: string | null,
) {
  const found = row(id);
  const index = rows.indexOf(found);
  rows[index] = { ...found, owner, needs_person: false };
  const line: Message = {
    id: `msg_e${Date.now()}`,
    author: { type: "system" },
    direction: "out",
    sent_at: Date.now(),
    content: [{ type: "event", event, details: note ? { note } : {} }],
    conversation: id,
    late: false,
    sources: [],
    forwarded: false,
    caught_up: false,
  };
  messagesOf[id] = [...(messagesOf[id] ?? []), line];
  announce("conversation", id, id);
  announce("message", line.id, id);
  return { ...found, owner, needs_person: false };
}

function reply(request: Commands["send_reply"][0]): Message {
  const known = messagesOf[request.conversation]?.find(
    (one) => one.client_key && one.client_key === request.client_key,
  );
  if (known) return known;
  const made: Message = {
    id: `msg_z${Date.now()}`,
    author: { type: "person", id: "psn_you", name: null },
    conversation: request.conversation,
    late: false,
    sources: [],
    forwarded: false,
    caught_up: false,
    direction: request.note ? "note" : "out",
    content: request.content,
    sent_at: Date.now(),
    client_key: request.client_key ?? null,
    ...(request.note ? {} : { delivery: { id: "dlv_new", status: "queued" as const, parked: false, attempts: 0 } }),
  };
  messagesOf[request.conversation] = [...(messagesOf[request.conversation] ?? []), made];
  announce("message", made.id, request.conversation);
  const step = (status: "sent" | "delivered" | "read", after: number) =>
    setTimeout(() => {
      const all = messagesOf[request.conversation] ?? [];
      messagesOf[request.conversation] = all.map((one) =>
        one.id === made.id ? { ...one, delivery: { id: "dlv_new", status, parked: false, attempts: 1 } } : one,
      );
      announce("delivery", made.id, request.conversation);
    }, after);
  if (!request.note) {
    step("sent", 700);
    step("delivered", 1600);
    step("read", 4000);
  }
  return made;
}

function read(request: Commands["add_knowledge"][0]): KnowledgeDocument {
  const made: KnowledgeDocument = {
    id: `doc_${Date.now()}`,
    name: request.name,
    title: request.name,
    mime: request.mime ?? "text/plain",
    status: "ready",
    bytes: Math.round(request.base64.length * 0.75),
    passages: 42,
    used: 0,
    added_at: Date.now(),
  };
  documents.push(made);
  announce("knowledge", made.id);
  return made;
}

const answers: Answers = {
  health,
  get_settings: () => settings,
  update_settings: (request) => {
    Object.assign(settings, request);
    setTimeout(() => announce("settings", "settings"));
    return settings;
  },
  tunnel_state: () => tunnel,
  set_tunnel: (request) => {
    const driver = request.driver ?? tunnel.driver;
    Object.assign(tunnel, { driver, phase: driver === "off" ? "off" : "public_ok", trouble: null, hop: null });
    return tunnel;
  },
  list_registrations: () => ({ items: registrations }),
  get_backups: () => copies,
  back_up_now: () => {
    Object.assign(copies.local, { done_at: Date.now(), tried_at: Date.now(), trouble: null });
    return copies;
  },
  export_backup: () => ({
    file: "/home/paula/Documents/Shopbell.shopbell",
    bytes: 91_000_000,
    files: 120,
    left_out: 0,
  }),
  find_backups: () => ({
    items: [
      {
        file: "/media/paula/PENDRIVE/Shopbell 2026-11-20 18.02.11.shopbell",
        made_at: Date.now() - day,
        bytes: 91_000_000,
        version: "0.1.0",
      },
    ],
  }),
  restore_backup: () => {
    throw new ApiError("wrong_passphrase", "Esta frase secreta não abre a cópia.");
  },
  confirm_move: () => {
    moved = null;
    return {};
  },
  create_vault: () => {
    vault = "open";
    return health();
  },
  unlock_vault: (request) => {
    if (request.passphrase !== "padaria1")
      throw new ApiError("invalid", "Esta frase não abre o cofre.", {
        passphrase: "Esta frase não abre o cofre. Tente de novo.",
      });
    vault = "open";
    return health();
  },
  list_conversations: (request) => {
    const words = request.query?.toLowerCase() ?? "";
    const found = rows
      .filter(
        (one) =>
          !request.owner ||
          (request.owner === "mine" ? mine(one) : request.owner === "agent" ? one.owner.type === "agent" : wanted(one)),
      )
      .filter((one) => !request.status || one.status === request.status)
      .filter((one) => !request.connection || one.connection.id === request.connection)
      .filter((one) => words === "" || `${one.contact.name} ${one.preview}`.toLowerCase().includes(words))
      .sort((a, b) => b.last_message_at - a.last_message_at);
    const from = Number(request.cursor ?? 0);
    const to = from + (request.limit ?? 50);
    return { items: found.slice(from, to), next: to < found.length ? String(to) : null };
  },
  count_conversations: () => {
    const open = rows.filter((one) => one.status === "open");
    return {
      needs_person: open.filter(wanted).length,
      mine: open.filter(mine).length,
      agent: open.filter((one) => one.owner.type === "agent").length,
      all: open.length,
      most: 1000,
    };
  },
  get_conversation: (request) => row(request.conversation),
  list_messages: (request) => {
    const last = row(request.conversation);
    const only: Message = {
      id: "msg_only",
      conversation: last.id,
      author: { type: "contact", name: null },
      direction: "in",
      content: [{ type: "text", text: last.preview }],
      sent_at: last.last_message_at,
      late: false,
      sources: [],
      forwarded: false,
      caught_up: false,
    };
    const own = messagesOf[request.conversation] ?? [only];
    return { items: [...own].reverse(), next: null };
  },
  send_reply: reply,
  take_over: (request) => changeOwner(request.conversation, you, "took_over"),
  hand_back: (request) => changeOwner(request.conversation, nina, "handed_back", request.note),
  set_conversation_status: (request) => {
    const found = row(request.conversation);
    rows[rows.indexOf(found)] = { ...found, status: request.status };
    announce("conversation", found.id, found.id);
    return { ...found, status: request.status };
  },
  mark_read: (request) => {
    const found = row(request.conversation);
    if (found.unread > 0) {
      rows[rows.indexOf(found)] = { ...found, unread: 0 };
      announce("conversation", found.id, found.id);
    }
    return {};
  },
  get_contact: (request) => {
    const found = rows.find((one) => one.contact.id === request.contact);
    if (found === undefined) throw new ApiError("not_found", "Este contato não existe mais.");
    return joined.get(found.contact.id) ?? contactOf(found);
  },
  list_conversions: ({ conversation }) => toldOf(conversation),
  report_conversion: ({ conversation, event, currency, amount }) => {
    if (event === "purchase" && amount == null)
      throw new ApiError("invalid", "Uma compra é informada com o valor.", {
        amount: "Uma compra é informada com o valor.",
      });
    told.set(conversation, [
      ...(told.get(conversation) ?? []),
      { id: `cvr_${event}`, event, currency: currency ?? null, amount: amount ?? null, at: Date.now(), status: "sent" },
    ]);
    return toldOf(conversation);
  },
  merge_contacts: (request) => {
    const before = answers.get_contact?.({ contact: request.contact }) as Contact;
    const other = before.perhaps.find((one) => one.id === request.other);
    const made = {
      merge: `mrg_${request.other}`,
      name: other?.name ?? "",
      evidence: "person" as const,
      at: Date.now(),
    };
    const after: Contact = {
      ...before,
      perhaps: before.perhaps.filter((one) => one.id !== request.other),
      merged: [made, ...before.merged],
    };
    joined.set(before.id, after);
    announce("contact", before.id);
    return after;
  },
  undo_merge: (request) => {
    const found = [...joined.values()].find((one) => one.merged.some((line) => line.merge === request.merge));
    const was = found && rows.find((one) => one.contact.id === found.id);
    if (found === undefined || was === undefined) throw new ApiError("not_found", "Isto já foi desfeito.");
    const merged = found.merged.filter((one) => one.merge !== request.merge);
    const apart = contactOf(was).perhaps.filter((one) => !merged.some((line) => line.merge === `mrg_${one.id}`));
    const after: Contact = { ...found, merged, perhaps: apart };
    joined.set(found.id, after);
    announce("contact", found.id);
    return after;
  },
  search: (request) => ({
    items: rows
      .filter((one) => one.contact.name.toLowerCase().includes(request.query.toLowerCase()))
      .slice(0, 6)
      .map((one) => ({
        type: "contact" as const,
        id: one.contact.id,
        contact: one.contact.id,
        address: one.contact.address,
        conversation: one.id,
        title: one.contact.name,
        excerpt: one.preview,
      })),
    next: null,
  }),
  upload_media: (request) => ({
    id: `med_${request.name}`,
    kind: "document",
    mime: request.mime ?? "application/octet-stream",
    filename: request.name,
    bytes: Math.round(request.base64.length * 0.75),
  }),
  list_connectors: () => ({ items: connectorList }),
  list_connections: () => ({ items: connectionList, next: null }),
  website_snippet: () => ({
    snippet: '<script>(function(){/* … */})({base:"http://127.0.0.1:7411",key:"9f2c47bd18e63b0"})</script>',
    test_page_url: "http://127.0.0.1:7411/widget/v1/test/9f2c47bd18e63b0",
  }),
  list_agents: () => ({ items: agents }),
  update_agent: (request) => {
    const at = agents.findIndex((one) => one.id === request.id);
    const changed = { ...(agents[at] ?? agentList[0]), ...request } as (typeof agents)[number];
    agents[at] = changed;
    announce("agent", request.id);
    return changed;
  },
  try_agent: () => ({
    text: "Temos sim: pão de fermentação natural com farinha de arroz, 500 g, por R$ 29. Sai às terças e sextas, a partir das 10h.",
    sources: [
      {
        title: "cardapio-2026.txt",
        location: "linha 31",
        quote: "Pão sem glúten (arroz) 500 g . . . 29,00 . . . ter e sex, 10h",
      },
    ],
    choices: [],
    steps: [
      {
        tool: "knowledge_search",
        arguments: '{"query":"pão sem glúten"}',
        result: "Pão sem glúten (arroz) 500 g . . . 29,00",
        pretended: false,
      },
    ],
    usage: { input_tokens: 0, cached_tokens: 0, output_tokens: 0, cost: 0, estimated: false },
  }),
  list_knowledge: () => ({ items: documents, next: null }),
  knowledge_coverage: () => ({
    items: (["prices", "allergens", "opening_hours", "ordering_ahead", "payment", "delivery_area"] as const).map(
      (topic, at) => ({
        topic,
        found: documents.length > 0 && at < 5,
      }),
    ),
  }),
  add_knowledge: read,
  delete_knowledge: (request) => {
    documents.splice(
      documents.findIndex((one) => one.id === request.id),
      1,
    );
    announce("knowledge", request.id);
    return {};
  },
  ...roomAnswers(announce),
  ...signInAnswers(announce),
};

const photo = `data:image/svg+xml;utf8,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" width="900" height="600"><rect width="900" height="600" fill="#e9d5b0"/><ellipse cx="450" cy="330" rx="250" ry="120" fill="#b5762c"/><path d="M280 300c60-60 280-60 340 0" stroke="#f3d9a4" stroke-width="16" fill="none"/></svg>')}`;

export const mockHost: Host = {
  async call(name, request) {
    await new Promise((done) => setTimeout(done, 40));
    const answer = answers[name];
    if (answer === undefined) throw new ApiError("not_found", `The make-believe hub does not know ${name}.`);
    return structuredClone(answer(request));
  },
  onChanges(listener) {
    listeners.add(listener);
    listener({ type: "link", up: true });
    return () => listeners.delete(listener);
  },
  mediaUrl: () => photo,
  async playableUrl() {
    return { url: photo, revoke: () => {} };
  },
  async openExternal(url) {
    window.open(url, "_blank", "noopener,noreferrer");
  },
  async login() {},
};
