/**
 * What the make-believe hub answers to the rooms behind the inbox: connections, agents, knowledge, activity, settings.
 * Only for `vite --mode mock`.
 */
import type { Agent, Commands, Connection, Notice, TestResult } from "../../bindings";
import { ApiError } from "../error";
import { minutesAgo } from "./bakery";
import { arrivals, deliveries, refusals, turnSteps, turns } from "./happened";
import { agentList, connectionList, connectorList } from "./services";

export type Answers = { [N in keyof Commands]?: (request: Commands[N][0]) => Commands[N][1] };
export type Announce = (kind: "connection" | "agent" | "arrival" | "delivery" | "knowledge", id: string) => void;

connectionList.push(
  {
    id: "con_mail",
    name: "E-mail",
    connector: "email-smtp",
    status: "needs_sign_in",
    reason: "O servidor recusa a senha desde 06:40.",
    account: "contato@paodourado.exemplo",
    config: {},
    created_at: minutesAgo(90_000),
    last_proven_at: minutesAgo(400),
  },
  {
    id: "con_tg2",
    name: "Bot de encomendas",
    connector: "telegram",
    status: "active",
    account: "@encomendas_bot",
    config: { bot_token: { set: true }, mode: "webhook" },
    webhook_url: "https://pao.exemplo/hooks/9f2c47bd18e63b0a4c77",
    created_at: minutesAgo(80_000),
    last_proven_at: minutesAgo(188),
  },
  {
    id: "con_old",
    name: "Telegram antigo",
    connector: "telegram",
    status: "paused",
    config: {},
    account: "@pao_bot",
    created_at: 0,
  },
  { id: "con_draft", name: "OpenAI", connector: "openai", status: "draft", config: {}, created_at: 0 },
);

const told: Notice[] = [
  {
    connection: "con_wa",
    key: "template:pascoa:pt_BR",
    level: "problem",
    text: "A Meta recusou o modelo pascoa (pt_BR): conteúdo abusivo. Mude-o no Gerenciador do WhatsApp e envie de novo.",
    at: minutesAgo(40),
  },
  {
    connection: "con_wa",
    key: "quality",
    level: "warning",
    text: "Clientes bloqueiam ou denunciam o número +55 11 4002-8922. Escreva menos e só o que eles esperam.",
    at: minutesAgo(190),
  },
  {
    connection: "con_wa",
    key: "limit",
    level: "info",
    text: "A loja pode escrever primeiro a 1000 clientes por dia.",
    at: minutesAgo(2900),
  },
  {
    connection: "con_wa",
    key: "name",
    level: "info",
    text: "A Meta aprovou o nome Pão Dourado.",
    at: minutesAgo(8000),
  },
  {
    connection: "con_wa",
    key: "verified",
    level: "info",
    text: "A Meta verificou a empresa por trás desta conta do WhatsApp.",
    at: minutesAgo(9000),
    seen_at: minutesAgo(8900),
  },
];

function connection(id: string): Connection {
  const found = connectionList.find((one) => one.id === id);
  if (found === undefined) throw new ApiError("not_found", "Esta conexão não existe mais.");
  return found;
}

function test(id: string): TestResult {
  const one = connection(id);
  const kind = connectorList.find((known) => known.kind === one.connector);
  if (one.status === "failing") return { ok: false, error: one.reason ?? null, checks: [], details: { status: 401 } };
  one.last_proven_at = Date.now();
  if (one.connector === "whatsapp-meta")
    return {
      ok: true,
      account: "Pão Dourado (+55 11 4002-8922)",
      checks: [
        { ok: true, text: "A Meta aceita o token de acesso para este número." },
        { ok: true, text: "O número está verificado." },
        { ok: false, text: "O token de acesso é temporário. Crie um de usuário do sistema." },
        { ok: true, text: "A Meta envia as mensagens deste número para o Shopbell." },
      ],
      details: {
        code_verification_status: "VERIFIED",
        token_kind: "temporary",
        token_expires_at: Date.now() + 20 * 3_600_000,
        webhook_is_ours: !location.search.includes("elsewhere"),
      },
    };
  return {
    ok: true,
    account: one.account ?? kind?.name ?? one.name,
    checks: [
      { ok: true, text: `${kind?.name} conhece esta conta` },
      { ok: true, text: "A chave pode enviar mensagens" },
      { ok: false, text: "Nada recebido ainda: mande uma mensagem para si" },
    ],
    details: { bot_username: "encomendas_bot", webhook_set: true },
  };
}

/** The answers, and what they announce. */
export function roomAnswers(announce: Announce): Answers {
  const changed = (one: Connection) => {
    announce("connection", one.id);
    return one;
  };
  return {
    list_notices: ({ connection: of }) => ({ items: told.filter((one) => !of || one.connection === of) }),
    dismiss_notice: ({ connection: of, key }) => {
      const found = told.find((one) => one.connection === of && one.key === key);
      if (found === undefined) throw new ApiError("not_found", "Este aviso não existe mais.");
      found.seen_at ??= Date.now();
      announce("connection", of);
      return {};
    },
    test_connection: ({ id }) => {
      const result = test(id);
      announce("connection", id);
      return result;
    },
    create_connection: (request) => {
      const kind = connectorList.find((known) => known.kind === request.connector);
      const missing = (kind?.schema.required ?? []).filter((name) => !request.config[name]);
      if (missing.length > 0)
        throw new ApiError(
          "invalid",
          "Falta uma coisa.",
          Object.fromEntries(missing.map((name) => [name, "Isto é necessário."])),
        );
      const secrets = Object.entries(kind?.schema.properties ?? {}).filter(([, field]) => field.writeOnly);
      const made: Connection = {
        id: `con_${Date.now()}`,
        name: request.name,
        connector: request.connector,
        status: "active",
        agent: request.agent ?? null,
        config: {
          ...request.config,
          ...Object.fromEntries(
            secrets.filter(([name]) => request.config[name]).map(([name]) => [name, { set: true }]),
          ),
        },
        webhook_url: "https://pao.exemplo/hooks/77aa47bd18e63b0a4c77",
        created_at: Date.now(),
      };
      connectionList.push(made);
      announce("connection", made.id);
      return { id: made.id, status: made.status, webhook_url: made.webhook_url ?? null };
    },
    update_connection: ({ id, ...more }) => changed(Object.assign(connection(id), more)),
    delete_connection: ({ id }) => {
      connectionList.splice(connectionList.indexOf(connection(id)), 1);
      announce("connection", id);
      return {};
    },
    register_webhook: ({ id }) => {
      announce("connection", id);
      const url = connection(id).webhook_url ?? null;
      return { desired_url: url, confirmed_url: url, pending: 0, last_proven_at: Date.now(), details: {} };
    },
    webhook_state: ({ id }) => ({
      desired_url: connection(id).webhook_url ?? null,
      confirmed_url: location.search.includes("elsewhere")
        ? "https://another.example/hook"
        : (connection(id).webhook_url ?? null),
      pending: 3,
      ...(id === "con_wa"
        ? {}
        : { last_error: "Wrong response from the webhook: 502 Bad Gateway", last_error_at: minutesAgo(44) }),
      details: { max_connections: 40 },
    }),
    list_models: ({ connection: id }) => {
      if (id === "con_draft") throw new ApiError("unreachable", "A OpenAI não aceita esta chave.");
      return {
        items: ["gpt-4o", "gpt-4o-mini", "o1-mini"].map((model) => ({ id: model, name: model, context: null })),
      };
    },
    list_tools: () => ({
      items: [
        {
          name: "knowledge_search",
          description: "Procura nos arquivos da loja e cita de onde vem.",
          changes: false,
          usual: true,
        },
        { name: "knowledge_get_document", description: "Lê um documento inteiro.", changes: false, usual: true },
        {
          name: "conversation_get_context",
          description: "Vê canal, idioma e o que já foi dito.",
          changes: false,
          usual: true,
        },
        { name: "conversation_set_state", description: "Anota algo na conversa.", changes: true, usual: true },
        { name: "transfer_to_human", description: "Chama uma pessoa e fica em silêncio.", changes: true, usual: true },
        { name: "escalate", description: "Marca a conversa como urgente.", changes: true, usual: true },
        { name: "end_conversation", description: "Encerra a conversa.", changes: true, usual: true },
      ],
    }),
    create_agent: (request) => {
      const made = {
        ...agentList[0],
        ...request,
        default: false,
        id: `agt_${Date.now()}`,
      } as Agent;
      agentList.push(made);
      announce("agent", made.id);
      return made;
    },
    delete_agent: ({ id }) => {
      announce("agent", id);
      return {};
    },
    set_default_agent: ({ agent }) => {
      announce("agent", agent);
      return {};
    },
    search_knowledge: ({ query }) => ({
      items: /entrega|delivery|envío|prazer|zzz/i.test(query)
        ? []
        : [
            {
              document: "doc_1",
              title: "cardapio-2026.txt",
              location: "linha 31",
              excerpt: "Pão sem glúten (arroz) 500 g . . . 29,00 . . . ter e sex, 10h",
              score: 0.9,
              good: true,
            },
          ],
    }),
    list_unanswered: () => ({
      items: [
        { id: "una_1", question: "Vocês entregam em Moema?", conversation: "cnv_joao", at: minutesAgo(31), count: 4 },
        { id: "una_2", question: "Aceitam vale-refeição?", conversation: "cnv_bia", at: minutesAgo(300), count: 1 },
      ],
      next: null,
    }),
    dismiss_unanswered: () => ({}),
    replay_arrival: ({ id }) => {
      const found = arrivals.find((one) => one.id === id);
      if (found === undefined) throw new ApiError("not_found", "Este registro não existe mais.");
      announce("arrival", id);
      return found;
    },
    list_arrivals: (request) => ({
      items: arrivals
        .filter((one) => !request.verdict || one.verdict === request.verdict)
        .filter((one) => !request.connection || one.connection === request.connection),
      next: null,
    }),
    get_arrival: ({ id }) => {
      const found = arrivals.find((one) => one.id === id);
      if (found === undefined) throw new ApiError("not_found", "Este registro não existe mais.");
      return {
        ...found,
        raw: {
          method: found.method,
          path: "",
          query: "",
          headers: [
            { name: "content-type", value: "application/json" },
            { name: "x-hub-signature-256", value: "sha256=•••" },
          ],
          body: '{"object":"whatsapp_business_account","entry":[{"id":"106540352242922","changes":[{"field":"messages","value":{"messages":[{"from":"5511988774410","id":"wamid.HBgNNTUxMTk4ODc3NDQxMBUC","timestamp":1795176904,"type":"text","text":{"body":"Perfeito! Dá pra escrever \u201cParabéns Clara\u201d em cima?"}}],"flags":[true,null]}}]}]}',
        },
      };
    },
    list_refusals: () => ({ items: refusals, next: null }),
    list_deliveries: ({ status, connection: of }) => ({
      items: deliveries.filter((one) => (!status || one.status === status) && (!of || one.connection === of)),
      next: null,
    }),
    retry_delivery: ({ id }) => {
      const found = deliveries.find((one) => one.id === id);
      if (found === undefined) throw new ApiError("not_found", "Esta mensagem não existe mais.");
      found.status = "queued";
      found.reason = null;
      announce("delivery", id);
      return found;
    },
    list_turns: () => ({ items: turns, next: null }),
    get_turn: ({ id }) => {
      const found = turns.find((one) => one.id === id);
      if (found === undefined) throw new ApiError("not_found", "Esta resposta não existe mais.");
      return { ...found, steps: turnSteps };
    },
    change_passphrase: (request) => {
      if (request.old !== "padaria1")
        throw new ApiError("invalid", "Esta frase não abre o cofre.", { old: "Não é esta." });
      return {};
    },
  };
}
