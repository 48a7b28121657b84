/** A make-believe sign-in: the browser never comes back by itself, a pasted address does. Only for `vite --mode mock`. */
import type { AuthRow, SignInRow } from "../../bindings";
import { ApiError } from "../error";
import type { Announce, Answers } from "./rooms";
import { connectionList, connectorList } from "./services";

const flows = new Map<string, SignInRow>();
const signedIn = new Map<string, AuthRow>();

function flow(id: string): SignInRow {
  const found = flows.get(id);
  if (found === undefined) throw new ApiError("not_found", "Este acesso não existe mais.");
  return found;
}

function row(id: string): AuthRow {
  const one = connectionList.find((known) => known.id === id);
  const kind = connectorList.find((known) => known.kind === one?.connector);
  const typed = { connection: id, name: one?.name ?? "", connector: one?.connector ?? "", missing: [] };
  return (
    signedIn.get(id) ?? { ...typed, type: kind?.type ?? null, auth: kind?.auth ?? null, account: one?.account ?? null }
  );
}

/** The answers, and what they announce. */
export function signInAnswers(announce: Announce): Answers {
  const move = (id: string, change: Partial<SignInRow>) => {
    const moved = { ...flow(id), ...change };
    flows.set(id, moved);
    announce("connection", moved.connection);
    return moved;
  };
  return {
    begin_sign_in: ({ connection }) => {
      const id = `flw_${Date.now()}`;
      const ends_at = Date.now() + 600_000;
      flows.set(id, {
        flow: id,
        connection,
        status: "waiting",
        way: "loopback",
        accounts: [],
        missing: [],
        steps: [],
        ends_at,
      });
      return { flow: id, authorize_url: "https://accounts.google.com/o/oauth2/v2/auth?mock", way: "loopback", ends_at };
    },
    get_sign_in: ({ flow: id }) => flow(id),
    cancel_sign_in: ({ flow: id }) => move(id, { status: "cancelled" }),
    finish_sign_in: ({ address }) => {
      const open = [...flows.values()].find((one) => one.status === "waiting");
      if (open === undefined || !address.includes("code="))
        throw new ApiError("invalid", "Este não é o endereço da última página.", {
          address: "Este não é o endereço da última página. Copie-o inteiro da barra de endereço do navegador.",
        });
      const account = "pao.dourado@example.com";
      signedIn.set(open.connection, {
        ...row(open.connection),
        auth: "oauth",
        state: "active",
        account,
        expires_at: Date.now() + 3_599_000,
        refreshed_at: Date.now(),
        refresh_at: Date.now() + 3_280_000,
        missing: ["ver quando você está ocupado"],
      });
      return move(open.flow, { status: "done", account });
    },
    sign_out: ({ id }) => {
      signedIn.set(id, { ...row(id), state: "signed_out", expires_at: null, refreshed_at: null, refresh_at: null });
      announce("connection", id);
      return {};
    },
    refresh_sign_in: ({ id }) => row(id),
    list_sign_ins: () => ({ items: connectionList.map((one) => row(one.id)) }),
  };
}
