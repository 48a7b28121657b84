/** A make-believe bakery in São Paulo: its people and what they wrote. Only for `vite --mode mock`. */
import type { Author, Contact, ConversationRow, Delivery, EventPart, Message, Owner, Part } from "../../bindings";

const start = Date.now();
/** So many minutes before the page was opened. */
export const minutesAgo = (minutes: number): number => start - minutes * 60_000;

export const nina: Owner = { type: "agent", id: "agt_nina", name: "Nina" };
/** One person has the whole shop, so the hub names nobody. */
export const you: Owner = { type: "person", id: null, name: null };
export const nobody: Owner = { type: "person", id: null, name: null };
const mark: Delivery = { id: "dlv_0", status: "sent", parked: false, attempts: 1 };
const whatsapp = { id: "con_wa", name: "Loja Pinheiros", connector: "whatsapp-meta", icon: null, color: null };
const website = { id: "con_web", name: "Chat do site", connector: "website", icon: null, color: null };
const telegram = { id: "con_tg", name: "@paodourado_bot", connector: "telegram", icon: null, color: null };
const mail = { id: "con_mail", name: "contato@paodourado.exemplo", connector: "email-smtp", icon: null, color: null };

type Rows = [
  id: string,
  name: string,
  connection: typeof whatsapp,
  owner: Owner,
  minutes: number,
  unread: number,
  preview: string,
  more?: Partial<ConversationRow>,
];
const rows: Rows[] = [
  [
    "rafael",
    "Rafael · Café Aurora",
    whatsapp,
    nobody,
    4,
    2,
    "120 croissants e só chegaram 80. Preciso do resto antes das 11h",
    { labels: ["Reclamação"], reply_window_ends_at: minutesAgo(-1430) },
  ],
  [
    "mariana",
    "Mariana Alves",
    whatsapp,
    nina,
    0.4,
    0,
    "Perfeito! Dá pra escrever “Parabéns Clara” em cima?",
    { labels: ["Pedido"], reply_window_ends_at: minutesAgo(-1435) },
  ],
  ["joao", "João Pedro", telegram, nobody, 11, 1, "Oi! Vi o panetone no story, ainda tem?", { labels: ["Natal"] }],
  [
    "bia",
    "Beatriz Tanaka",
    website,
    you,
    18,
    0,
    "Reservado! Retirada amanhã às 9h.",
    { preview_by: "agent", preview_delivery: { ...mark, status: "read" }, labels: ["Pedido"] },
  ],
  [
    "helena",
    "Helena Souza",
    telegram,
    nina,
    26,
    0,
    "Temos sim, Helena. Separo duas para você?",
    { preview_by: "agent", preview_delivery: { ...mark, status: "unconfirmed" } },
  ],
  [
    "moinho",
    "Moinho Ouro Fino",
    mail,
    you,
    55,
    0,
    "Nota fiscal 88.213: farinha T65, 25 sacos",
    { medium: "email", labels: ["Fornecedor"] },
  ],
  [
    "livia",
    "Lívia Carvalho",
    whatsapp,
    you,
    84,
    0,
    "Seu bolo fica pronto às 16h de sábado.",
    {
      preview_by: "agent",
      preview_delivery: { ...mark, status: "failed", reason: "A janela de 24 horas fechou." },
      reply_window_ends_at: minutesAgo(60),
      labels: ["Pedido"],
      referral: {
        kind: "ad",
        source_id: "120210000000000000",
        url: "https://fb.me/3cr4Wqqkv",
        headline: "Bolos por encomenda para o fim de semana",
        body: null,
        click_id: "ARAkLkA8rmlFeiCktEJQ",
        at: minutesAgo(60 * 24 * 2),
      },
    },
  ],
  [
    "visita",
    "Visitante de Pinheiros",
    website,
    nina,
    98,
    0,
    "Abrimos às 6h30, inclusive no feriado.",
    { preview_by: "agent", preview_delivery: { ...mark, status: "read" } },
  ],
  ["caio", "Caio Prado", telegram, nina, 1500, 0, "Valeu, estava ótimo!"],
];
const more = [
  "Alice Moura",
  "Bruno Tavares",
  "Célia Antunes",
  "Davi Lopes",
  "Elisa Prado",
  "Fábio Nunes",
  "Gabriela Reis",
  "Heitor Dias",
  "Íris Campos",
  "Jonas Lima",
];

const plainRow = { epoch: 1, needs_person: false, labels: [], created_at: minutesAgo(90_000) };

export const conversationRows: ConversationRow[] = [
  ...rows.map(
    ([id, name, connection, owner, minutes, unread, preview, rest]): ConversationRow => ({
      id: `cnv_${id}`,
      contact: { id: `ctc_${id}`, name, address: { connector: connection.connector, scheme: "user", value: id } },
      connection,
      ...plainRow,
      medium: "chat",
      status: "open",
      owner,
      needs_person: owner === nobody,
      unread,
      preview,
      preview_by: "contact",
      last_message_at: minutesAgo(minutes),
      ...rest,
    }),
  ),
  ...Array.from(
    { length: 240 },
    (_, n): ConversationRow => ({
      id: `cnv_more_${n}`,
      contact: {
        id: `ctc_more_${n}`,
        name: `${more[n % more.length]}${n < 10 ? "" : ` ${Math.floor(n / 10) + 1}`}`,
        address: { connector: "website", scheme: "visitor", value: `${n}` },
      },
      connection: [website, telegram, whatsapp][n % 3] ?? website,
      ...plainRow,
      medium: "chat",
      status: n % 5 === 0 ? "resolved" : "open",
      owner: nina,
      unread: 0,
      preview:
        ["Obrigada, até amanhã!", "Vocês abrem no domingo?", "Combinado, passo às 8h.", "Aceita Pix?"][n % 4] ?? "",
      preview_by: "contact",
      last_message_at: minutesAgo(2000 + n * 190),
    }),
  ),
];

let count = 0;
const said = (
  author: Author,
  direction: Message["direction"],
  minutes: number,
  content: Part[],
  rest: Partial<Message> = {},
): Message => ({
  id: `msg_${String(++count).padStart(5, "0")}`,
  author,
  direction,
  content,
  sent_at: minutesAgo(minutes),
  conversation: "",
  late: false,
  sources: [],
  forwarded: false,
  caught_up: false,
  ...rest,
});
const event = (name: string, details: EventPart["details"] = {}): Part[] => [{ type: "event", event: name, details }];
const text = (words: string): Part[] => [{ type: "text", text: words }];
const customer: Author = { type: "contact", name: null };
const agent: Author = { type: "agent", id: "agt_nina", name: "Nina" };
const me: Author = { type: "person", id: "psn_you", name: null };
const system: Author = { type: "system" };
const read = { external_id: "wamid.HBgL5511", delivery: { ...mark, status: "read" as const } };

export const messagesOf: Record<string, Message[]> = {
  cnv_mariana: [
    said(agent, "out", 24_600, text("Os dois pães de fermentação natural saíram para entrega. Bom dia!"), read),
    said(system, "out", 24_590, event("resolved", { agent: "Nina" })),
    said(customer, "in", 9, text("Bom dia! Vocês fazem bolo de cenoura sem lactose? É pro aniversário da minha filha")),
    said(customer, "in", 9, [
      {
        type: "media",
        kind: "voice",
        media: "med_voice",
        mime: "audio/ogg",
        bytes: 31_000,
        duration_ms: 14_000,
        wave: Array.from({ length: 64 }, (_, n) =>
          Math.round(255 * Math.abs(Math.sin(n * 0.41) * Math.cos(n * 0.13 + 1))),
        ),
      },
    ]),
    said(system, "out", 8, event("searched", { agent: "Nina", query: "bolo cenoura sem lactose" })),
    said(
      agent,
      "out",
      8,
      text(
        "Bom dia, Mariana! Fazemos sim: o **bolo de cenoura sem lactose** de 2 kg serve de 15 a 18 pessoas e sai por R$ 118. Para sábado de manhã dá tempo: o pedido fecha hoje às 17h.",
      ),
      {
        ...read,
        sources: [
          {
            title: "cardapio-2026.txt",
            location: "Bolos sem lactose",
            quote: "Cenoura s/ lactose 2 kg (15–18) ... 118,00",
          },
        ],
      },
    ),
    said(customer, "in", 0.4, text("Perfeito! Dá pra escrever “Parabéns Clara” em cima?")),
  ],
  cnv_rafael: [
    said(
      customer,
      "in",
      14,
      text("Bom dia. Pedi 120 croissants e só chegaram 80. Preciso do resto antes das 11h ou vou ter que cancelar."),
    ),
    said(agent, "out", 14, text("Bom dia, Rafael. Sinto muito! Estou chamando alguém da loja agora mesmo."), read),
    said(
      system,
      "out",
      13,
      event("transfer", {
        agent: "Nina",
        reason: "Pedido de atacado atrasado, faltam 40 peças. O cliente pode cancelar.",
        priority: "urgent",
      }),
    ),
    said(
      { type: "person", id: "psn_bruno", name: "Bruno" },
      "note",
      10,
      text("@Júlia já falei com o motoboy, os 40 saem do forno 9h50 e chegam lá até 10h30."),
    ),
    said(customer, "in", 4, text("120 croissants e só chegaram 80. Preciso do resto antes das 11h")),
    said(customer, "in", 4, [
      {
        type: "media",
        kind: "document",
        media: "med_pdf",
        mime: "application/pdf",
        bytes: 84_000,
        filename: "comprovante-pix.pdf",
      },
    ]),
  ],
  cnv_bia: [
    said(customer, "in", 40, text("Oi, posso reservar duas baguetes para amanhã?")),
    said(customer, "in", 39, [
      {
        type: "location",
        latitude: -23.5614,
        longitude: -46.6823,
        name: "Rua dos Pinheiros, 312",
        address: "Pinheiros, São Paulo",
      },
    ]),
    said(
      agent,
      "out",
      38,
      [
        {
          type: "choices",
          text: "Qual horário de retirada?",
          options: [
            { id: "8", label: "8h" },
            { id: "9", label: "9h" },
            { id: "10", label: "10h" },
          ],
        },
      ],
      read,
    ),
    said(customer, "in", 37, [{ type: "chosen", id: "9", label: "9h" }]),
    said(system, "out", 30, event("took_over")),
    said(customer, "in", 29, [
      { type: "contacts", contacts: [{ name: "Kenji Tanaka", phones: ["+55 11 95555-0134"] }] },
    ]),
    said(customer, "in", 28, [
      {
        type: "media",
        kind: "image",
        media: "med_photo",
        mime: "image/png",
        bytes: 480_000,
        caption: "Igual a esta",
      },
    ]),
    said(customer, "in", 27, [{ type: "unsupported", kind: "poll" }]),
    said(customer, "in", 26, text("Sem o cartão, tá?"), { edited_at: minutesAgo(25) }),
    said(customer, "in", 25, [], { deleted_at: minutesAgo(24) }),
    said(me, "out", 18, text("Reservado! Retirada amanhã às 9h."), read),
  ],
  cnv_livia: [
    said(customer, "in", 1500, text("Meu bolo fica pronto que horas?")),
    said(me, "out", 84, text("Seu bolo fica pronto às 16h de sábado."), {
      delivery: {
        ...mark,
        id: "dlv_1",
        status: "failed",
        reason: "Já se passaram 24 horas desde que a Lívia escreveu. Agora o WhatsApp pede um modelo aprovado.",
      },
    }),
  ],
  cnv_helena: [
    said(customer, "in", 27, text("Ainda tem focaccia hoje?")),
    said(agent, "out", 26, text("Temos sim, Helena. Separo duas para você?"), {
      delivery: { ...mark, id: "dlv_2", status: "unconfirmed", reason: "A conexão caiu durante o envio." },
      sources: [{ title: "cardapio-2026.txt", location: "linha 31" }],
    }),
  ],
};

export const contactOf = (row: ConversationRow): Contact => ({
  id: row.contact.id,
  name: row.contact.name,
  addresses: [
    { connector: row.connection.connector, scheme: "phone", value: "+55 11 98877-4410" },
    { connector: "email-smtp", scheme: "email", value: "mariana.alves@exemplo.com.br" },
  ],
  blocked: false,
  created_at: minutesAgo(60 * 24 * 610),
  conversations: [
    {
      id: "cnv_caio",
      connection: "con_wa",
      connection_name: "WhatsApp",
      status: "resolved",
      preview: "2 × pão de fermentação natural",
      last_message_at: minutesAgo(24_600),
    },
    {
      id: "cnv_visita",
      connection: "con_web",
      connection_name: "Chat do site",
      status: "resolved",
      preview: "Horário no feriado do dia 12",
      last_message_at: minutesAgo(57_000),
    },
  ],
  perhaps:
    row.contact.id === "ctc_mariana"
      ? [
          { id: "ctc_mari", name: "Mari A.", phone: "+5511988774410", connector: "telegram" },
          { id: "ctc_bia", name: "", phone: "+5511988774410", connector: "website" },
        ]
      : [],
  merged: [],
});
