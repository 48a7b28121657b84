import { useQuery } from "@tanstack/react-query";
import { Plus, Search } from "lucide-react";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Agent, Connection, Connector } from "../bindings";
import { Button } from "../components/Button";
import { EmptyState } from "../components/EmptyState";
import { KeyHint } from "../components/Kbd";
import { Page } from "../components/Page";
import { Skeleton } from "../components/Skeleton";
import { useKey } from "../keys/KeysProvider";
import { agents } from "../queries/agents";
import { connections, connectors } from "../queries/connections";
import { sentence } from "../words/error";
import styles from "./Connections.module.css";
import { Catalogue, type TypeFilter } from "./connections/Catalogue";
import { ConnectionCard } from "./connections/ConnectionCard";
import { stateOf, wantsOwner, worstFirst } from "./connections/state";
import { useNow } from "./useNow";

/** What is connected and whether it truly works, and everything that can be added. */
export function Connections() {
  const { t } = useTranslation();
  const yours = useQuery(connections());
  const kinds = useQuery(connectors());
  const people = useQuery(agents());
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
            query={query}
            now={now}
          />
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

type YoursProps = { list: Connection[]; kinds: Connector[]; agents: Agent[]; query: string; now: number };

function Yours({ list, kinds, agents: people, query, now }: YoursProps) {
  const { t } = useTranslation();
  const known = (kind: string) => kinds.find((one) => one.kind === kind);
  const wanted = query.trim().toLowerCase();
  const all = worstFirst(
    list.map((connection) => ({ connection, state: stateOf(connection, known(connection.connector), now) })),
  );
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
              now={now}
            />
          ))}
        </div>
      )}
    </section>
  );
}
