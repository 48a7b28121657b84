/** A public address that works, and what the services of the bakery know of it. */
import type { Registration, TunnelState } from "../../bindings";
import { connectionList } from "./services";

const hour = 3_600_000;
const url = "https://padaria-aurora.ngrok-free.app";

export const tunnel: TunnelState = {
  driver: "ngrok",
  fixed: false,
  phase: "public_ok",
  url,
  public_url: url,
  since_at: Date.now() - 9 * hour,
  proven_at: Date.now() - 40_000,
  settings: {
    url: "",
    domain: "padaria-aurora.ngrok-free.app",
    server: "",
    user: "",
    remote_port: 0,
    program: "",
    may_download: false,
    authtoken: { set: true },
    token: { set: false },
    password: { set: false },
  },
  cloudflared: { can_download: true, version: "2026.5.1" },
  history: [
    {
      driver: "ngrok",
      url,
      from_at: Date.now() - 9 * hour,
      last_at: Date.now() - 40_000,
      requests: 412,
      bytes_in: 1_840_000,
      bytes_out: 96_000,
    },
    {
      driver: "cloudflare_quick",
      url: "https://brave-otter-sings-loud.trycloudflare.com",
      from_at: Date.now() - 40 * hour,
      last_at: Date.now() - 33 * hour,
      requests: 1,
      bytes_in: 2_100,
      bytes_out: 33,
    },
  ],
};

const hook = (id: string) => `${url}/hooks/${id.replace(/\W/g, "").slice(-12)}`;

export const registrations: Registration[] = connectionList
  .filter((one) => one.webhook_url)
  .map((one, at) => ({
    connection: one.id,
    name: one.name,
    connector: one.connector,
    called: one.connector !== "telegram",
    state: at === 1 ? "elsewhere" : "confirmed",
    desired_url: hook(one.id),
    confirmed_url: hook(one.id),
    proven_at: at === 1 ? null : Date.now() - 120_000,
    ...(at === 1
      ? {
          hop: "provider",
          reason:
            "WhatsApp entrega a outro Shopbell, em notebook-antigo.example. Feche-o no outro computador ou exclua a conexão lá e aperte Registrar aqui.",
        }
      : {}),
  }));
