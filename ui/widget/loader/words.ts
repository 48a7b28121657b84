/** The few words of the loader that the pasted line does not have. */
import type { Language } from "../shared/locale";

export const WORDS: Record<
  Language,
  { chat: string; unread(n: number): string; unwelcome: string; unwelcomeText: string }
> = {
  en: {
    chat: "Chat",
    unread: (n) => `${n} unread`,
    unwelcome: "This chat is not available here",
    unwelcomeText: "It has not been set up for this website.",
  },
  "pt-BR": {
    chat: "Conversa",
    unread: (n) => (n === 1 ? "1 não lida" : `${n} não lidas`),
    unwelcome: "Este chat não está disponível aqui",
    unwelcomeText: "Ele não foi configurado para este site.",
  },
  es: {
    chat: "Chat",
    unread: (n) => `${n} sin leer`,
    unwelcome: "Este chat no está disponible aquí",
    unwelcomeText: "No se ha configurado para este sitio.",
  },
};
