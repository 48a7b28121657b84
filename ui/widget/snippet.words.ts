/** The words of the pasted line. They are filled in by the hub, so a shop's own words can take their place. */
import type { Words } from "./snippet";

export const SNIPPET_WORDS: Record<"en" | "pt" | "es", Words> = {
  en: {
    open: "Open chat",
    close: "Close chat",
    title: "The shop is not reachable right now",
    text: "Its computer may be off or offline. Nothing was sent. Try again in a little while.",
    retry: "Try again",
  },
  pt: {
    open: "Abrir conversa",
    close: "Fechar conversa",
    title: "A loja não está acessível agora",
    text: "O computador dela pode estar desligado ou sem internet. Nada foi enviado. Tente de novo daqui a pouco.",
    retry: "Tentar de novo",
  },
  es: {
    open: "Abrir chat",
    close: "Cerrar chat",
    title: "La tienda no está disponible ahora",
    text: "Su computadora puede estar apagada o sin conexión. No se envió nada. Prueba de nuevo en un rato.",
    retry: "Probar de nuevo",
  },
};
