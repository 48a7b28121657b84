import { useQuery } from "@tanstack/react-query";
import { Plus, Search } from "lucide-react";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Agent, Connection, Connector, Notice } from "../bindings";
import { Button } from "../components/Button";
import { EmptyState } from "../components/EmptyState";
import { KeyHint } from "../components/Kbd";
import { Page } from "../components/Page";
import { Skeleton } from "../components/Skeleton";
import { useKey } from "../keys/KeysProvider";
import { agents } from "../queries/agents";
import { connections, connectors } from "../queries/connections";
import { notices } from "../queries/notices";
import { sentence } from "../words/error";
import styles from "./Connections.module.css";
import { AuthTable } from "./connections/AuthTable";
import { Catalogue, type TypeFilter } from "./connections/Catalogue";
import { ConnectionCard } from "./connections/ConnectionCard";
import { type ConnectionState, stateOf, wantsOwner, worstFirst } from "./connections/state";
import { byConnection, unseen } from "./notices/gravest";
import { useNow } from "./useNow";

/** What is connected and whether it truly works, and everything that can be added. */
export function Connections() {
  const { t } = useTranslation();
  const yours = useQuery(connections());
  const kinds = useQuery(connectors());
  const people = useQuery(agents());
  const told = useQuery(notices());
  const [query, setQuery] = useState("");
  const [type, setType] = useState<TypeFilter>("all");
  const find = useRef<HTMLInputElement>(null);
  const now = useNow();

  const add = () => {
    document.getElementById("catalogue")?.scrollIntoView({ block: "start" });
    document.querySelector<HTMLElement>("[data-kind]")?.focus();
  };
  useKey("find_service", () => find.current?.focus());
  useKey("connect", add);
  useKey("prove", () =>
    document.activeElement?.closest("[data-connection]")?.querySelector<HTMLElement>("[data-prove]")?.click(),
  );

  const failed = yours.isError ? yours : kinds.isError ? kinds : undefined;
  return (
    <Page
      title={t("connections.title")}
      lead={t("connections.lead")}
      actions={
        <>
          <label className={styles.search}>
            <Search size={16} strokeWidth={1.8} aria-hidden />
            <input
              ref={find}
              type="search"
              value={query}
              placeholder={t("connections.find")}
              aria-label={t("connections.find")}
              onChange={(event) => setQuery(event.target.value)}
              onKeyDown={(event) => {
                if (event.key === "Escape") setQuery("");
              }}
            />
            <KeyHint id="find_service" />
          </label>
          <Button look="primary" onClick={add} className={styles.add}>
            <Plus size={16} strokeWidth={1.8} aria-hidden />
            {t("connections.add")}
          </Button>
        </>
      }
    >
      {failed ? (
        <EmptyState title={t("connections.unread")} text={sentence(failed.error, t)}>
          <Button onClick={() => void failed.refetch()}>{t("common.try_again")}</Button>
        </EmptyState>
      ) : yours.data === undefined || kinds.data === undefined ? (
        <Skeleton rows={5} height={118} />
      ) : (
        <>
          <Yours
            list={yours.data.items}
            kinds={kinds.data.items}
            agents={people.data?.items ?? []}
            notices={told.data?.items ?? []}
            query={query}
            now={now}
          />
          {yours.data.items.length > 0 ? <AuthTable kinds={kinds.data.items} now={now} /> : null}
          <Catalogue
            connectors={kinds.data.items}
            query={query}
            type={type}
            onType={setType}
            onClear={() => {
              setQuery("");
              setType("all");
            }}
          />
        </>
      )}
    </Page>
  );
}

type YoursProps = {
  list: Connection[];
  kinds: Connector[];
  agents: Agent[];
  notices: Notice[];
  query: string;
  now: number;
};

function Yours({ list, kinds, agents: people, notices: told, query, now }: YoursProps) {
  const { t } = useTranslation();
  const known = (kind: string) => kinds.find((one) => one.kind === kind);
  const wanted = query.trim().toLowerCase();
  const toldOf = byConnection(told);
  // What works, but of whose account a problem was told, comes right after what does not work.
  const urgency = ({ connection, state }: { connection: Connection; state: ConnectionState }) =>
    wantsOwner(state) ? 0 : unseen(toldOf.get(connection.id) ?? [])[0]?.level === "problem" ? 1 : 2;
  const all = worstFirst(
    list.map((connection) => ({ connection, state: stateOf(connection, known(connection.connector), now) })),
  ).sort((one, other) => urgency(one) - urgency(other));
  const shown = all.filter(
    ({ connection }) =>
      wanted === "" ||
      `${connection.name} ${connection.connector} ${connection.account ?? ""}`.toLowerCase().includes(wanted),
  );
  const calling = all.filter((one) => wantsOwner(one.state)).length;
  const answering = (connection: Connection) =>
    known(connection.connector)?.type === "Channel"
      ? (people.find((agent) => agent.id === connection.agent) ?? people.find((agent) => agent.default))?.name
      : undefined;

  return (
    <section aria-labelledby="yours">
      <h2 id="yours" className={styles.title}>
        {t("connections.yours")}{" "}
        <span>
          {t("connections.connected", { count: list.length })}
          {calling > 0 ? `, ${t("connections.calling", { count: calling })}` : null}
        </span>
      </h2>
      {list.length === 0 ? (
        <p className="sub">{t("connections.none")}</p>
      ) : (
        <div className={styles.cards}>
          {shown.map(({ connection, state }) => (
            <ConnectionCard
              key={connection.id}
              connection={connection}
              connector={known(connection.connector)}
              state={state}
              agent={answering(connection)}
              notices={toldOf.get(connection.id) ?? []}
              now={now}
            />
          ))}
        </div>
      )}
    </section>
  );
}
