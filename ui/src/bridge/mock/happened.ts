/** What rang at the make-believe bakery, what went out and how its agent answered. Only for `vite --mode mock`. */
import type { Arrival, DeliveryRow, Refusal, Turn, TurnStep } from "../../bindings";
import { minutesAgo } from "./bakery";

const connections = ["con_wa", "con_web", "con_tg"];
export const arrivals: Arrival[] = Array.from({ length: 260 }, (_, n): Arrival => {
  const message = { effect: "message" as const, message: "msg_00003", conversation: "cnv_mariana" };
  const base = {
    id: `arr_${n}`,
    connection: connections[n % 3] ?? "con_wa",
    received_at: minutesAgo(n * 7 + 2.1),
    method: n % 3 === 2 ? "PULL" : "POST",
    bytes: 812 + n * 13,
    attempts: 1,
  };
  if (n === 2) return { ...base, verdict: "repeat", effects: [{ effect: "repeat", message: "msg_00003" }] };
  if (n === 3)
    return { ...base, verdict: "not_understood", effects: [{ effect: "not_understood", why: "poll_answer" }] };
  if (n === 6)
    return {
      ...base,
      verdict: "parked",
      attempts: 10,
      reason: "O disco estava cheio dez vezes seguidas.",
      effects: [],
    };
  if (n % 4 === 1)
    return {
      ...base,
      verdict: "handled",
      effects: ["read", "read", "delivered"].map((status, k) => ({
        effect: "status" as const,
        delivery: `dlv_${k}`,
        status,
      })),
    };
  if (n % 7 === 4) return { ...base, verdict: "nothing", effects: [{ effect: "nothing", what: "typing" }] };
  return { ...base, verdict: "handled", effects: [message] };
});

export const refusals: Refusal[] = [
  {
    at: minutesAgo(17),
    connection: "con_wa",
    reason: "A assinatura não confere",
    address: "185.220.101.4",
    bytes: 1402,
  },
  { at: minutesAgo(300), connection: null, reason: "Grande demais", address: "203.0.113.9", bytes: 9_400_000 },
];

export const deliveries: DeliveryRow[] = [
  {
    id: "dlv_1",
    message: "msg_00009",
    conversation: "cnv_livia",
    connection: "con_wa",
    contact: "Lívia Carvalho",
    preview: "Seu bolo fica pronto às 16h de sábado.",
    status: "failed",
    reason: "A janela de 24 horas fechou. O WhatsApp agora pede um modelo aprovado.",
    parked: false,
    attempts: 1,
    sent_at: minutesAgo(84),
  },
  {
    id: "dlv_2",
    message: "msg_00010",
    conversation: "cnv_helena",
    connection: "con_tg2",
    contact: "Helena Souza",
    preview: "Temos sim, Helena. Separo duas para você?",
    status: "unconfirmed",
    reason: "A conexão caiu antes da resposta. Pode ter chegado.",
    parked: false,
    attempts: 1,
    sent_at: minutesAgo(26),
  },
  {
    id: "dlv_3",
    message: "msg_00011",
    conversation: "cnv_caio",
    connection: "con_tg2",
    contact: "Caio Prado",
    preview: "Valeu, até sexta!",
    status: "queued",
    parked: true,
    reason: "O Telegram respondeu com um erro dez vezes seguidas.",
    attempts: 10,
    sent_at: minutesAgo(210),
  },
  ...Array.from(
    { length: 40 },
    (_, n): DeliveryRow => ({
      id: `dlv_ok_${n}`,
      message: `msg_ok_${n}`,
      conversation: "cnv_mariana",
      connection: n % 2 ? "con_web" : "con_wa",
      contact: ["Mariana Alves", "João Pedro", "Beatriz Tanaka"][n % 3] ?? "",
      preview: "Perfeito, anotado. Fica pronto amanhã às 9h.",
      status: n % 4 === 0 ? "sent" : "read",
      parked: false,
      attempts: 1,
      sent_at: minutesAgo(n * 9 + 3),
    }),
  ),
];

export const turns: Turn[] = Array.from({ length: 60 }, (_, n): Turn => {
  const began = minutesAgo(n * 11 + 2);
  return {
    id: `trn_${n + 1}`,
    conversation: "cnv_mariana",
    agent: "agt_nina",
    agent_name: "Nina",
    status: n === 2 ? "failed" : n === 4 ? "stopped" : n === 7 ? "superseded" : "done",
    wanted_at: began - 400,
    started_at: began,
    ended_at: began + 2100 + n * 13,
    attempts: 1,
    usage: {
      input_tokens: 1100 + n * 7,
      cached_tokens: 512,
      output_tokens: 184,
      cost: n % 2 ? 420 : 0,
      estimated: false,
    },
    cost_micro_usd: n % 2 ? 420 : 0,
    error: n === 2 ? "A chave não tem mais crédito. Ponha crédito na conta da OpenAI." : null,
  };
});

export const turnSteps: TurnStep[] = [
  {
    kind: "call",
    at: minutesAgo(2),
    took_ms: 640,
    body: {
      step: "call",
      text: "",
      calls: [{ id: "a", name: "knowledge_search", arguments: '{"query":"escrever no bolo","top_k":4}' }],
    },
  },
  {
    kind: "result",
    at: minutesAgo(2),
    took_ms: 12,
    body: {
      step: "result",
      name: "knowledge_search",
      content: "Escrevemos até 20 letras sem custo. (cardapio-2026.txt, linha 44)",
    },
  },
  {
    kind: "said",
    at: minutesAgo(2),
    took_ms: 1410,
    body: { text: "Dá sim! Escrevemos de graça até 20 letras. Quer que eu anote “Parabéns Clara”?" },
  },
];
