import { useMutation } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Check, CircleDashed, Clock, KeyRound, Pause, ShieldCheck, TriangleAlert } from "lucide-react";
import type { ComponentType } from "react";
import { useTranslation } from "react-i18next";
import type { Connection, Connector, Notice } from "../../bindings";
import { call } from "../../bridge";
import { Button } from "../../components/Button";
import { ChannelMark } from "../../components/ChannelMark";
import { Chip, type ChipLook } from "../../components/Chip";
import { queryClient } from "../../queries/client";
import { sentence } from "../../words/error";
import { ago, fullTime } from "../../words/time";
import { NoticeMark } from "../notices/NoticeMark";
import styles from "./ConnectionCard.module.css";
import type { ConnectionState } from "./state";
import { WebsiteActions } from "./WebsiteActions";

type Icon = ComponentType<{ size?: number; strokeWidth?: number; "aria-hidden"?: boolean }>;
const looks: Record<ConnectionState, { chip: ChipLook; icon: Icon; line?: "ok" | "warn" | "bad" }> = {
  proven: { chip: "good", icon: ShieldCheck, line: "ok" },
  ready: { chip: "good", icon: Check, line: "ok" },
  stale: { chip: "plain", icon: Clock },
  untried: { chip: "plain", icon: Clock },
  failing: { chip: "bad", icon: TriangleAlert, line: "bad" },
  needs_sign_in: { chip: "wait", icon: KeyRound, line: "warn" },
  paused: { chip: "line", icon: Pause },
  draft: { chip: "line", icon: CircleDashed },
};

type Props = {
  connection: Connection;
  connector: Connector | undefined;
  state: ConnectionState;
  /** Who answers here, by name. */
  agent: string | undefined;
  /** What its service told of the account. */
  notices: Notice[];
  now: number;
};

/** One connection: what it is, how it stands, the evidence, at most one thing to do. */
export function ConnectionCard({ connection, connector, state, agent, notices, now }: Props) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const { chip, icon: StateIcon, line } = looks[state];
  const open = () => void navigate({ to: "/connections/$connection", params: { connection: connection.id } });
  const refresh = () => queryClient.invalidateQueries({ queryKey: ["connections"] });
  const prove = useMutation({ mutationFn: () => call("test_connection", { id: connection.id }), onSettled: refresh });
  const resume = useMutation({
    mutationFn: () => call("update_connection", { id: connection.id, status: "active" }),
    onSettled: refresh,
  });

  const proven = connection.last_proven_at ?? undefined;
  const name = connector?.name ?? connection.connector;
  const refused = prove.isError ? sentence(prove.error, t) : prove.data?.ok === false ? prove.data.error : undefined;
  const evidence = () => {
    if (prove.isPending) return t("connections.trying", { name });
    if (refused) return refused;
    if (resume.isError) return sentence(resume.error, t);
    if (connection.hop_reason) return connection.hop_reason;
    if (connection.reason && (state === "failing" || state === "needs_sign_in")) return connection.reason;
    if (state === "proven" || state === "stale")
      return t("connections.evidence.proven", { ago: ago(proven ?? now, now, i18n.language) });
    return t(`connections.evidence.${state}`, { name });
  };
  const idle = state === "paused" || state === "draft";
  const account = [connection.account, agent && !idle ? t("connections.answers", { name: agent }) : undefined].filter(
    Boolean,
  );
  const wrong = refused !== undefined || resume.isError || Boolean(connection.hop_reason);

  return (
    <article className={`card ${styles.card} ${state === "draft" ? styles.draft : ""}`} data-connection={connection.id}>
      <ChannelMark connector={connection.connector} />
      <div className="grow">
        <h3 className="cut" dir="auto">
          <Link to="/connections/$connection" params={{ connection: connection.id }} className={styles.name}>
            {connection.name}
          </Link>
        </h3>
        <p className={`${styles.account} cut num`} dir="auto">
          {account.length > 0 ? account.join(" · ") : name}
        </p>
      </div>
      <Chip look={chip}>
        <StateIcon size={14} strokeWidth={1.8} aria-hidden />
        {t(`connections.state.${state}`)}
      </Chip>
      <div className={`${styles.proof} ${wrong ? styles.bad : line ? styles[line] : ""}`}>
        {line === "ok" && !wrong ? (
          <Check size={16} strokeWidth={1.8} aria-hidden />
        ) : wrong ? (
          <TriangleAlert size={16} strokeWidth={1.8} aria-hidden />
        ) : (
          <StateIcon size={16} strokeWidth={1.8} aria-hidden />
        )}
        <span className="grow" role="status" title={proven ? fullTime(proven, i18n.language) : undefined}>
          {evidence()}
        </span>
        {state === "stale" || state === "untried" ? (
          <Button
            size="sm"
            busy={prove.isPending}
            busyWord={t("connections.testing")}
            onClick={() => prove.mutate()}
            data-prove
          >
            {t("connections.try_now")}
          </Button>
        ) : state === "needs_sign_in" ? (
          <Button look="ring" size="sm" onClick={open}>
            {t(connector?.auth === "oauth" ? "connections.sign_in_again" : "connections.new_key")}
          </Button>
        ) : state === "failing" ? (
          <Button size="sm" onClick={open}>
            {t("connections.put_right")}
          </Button>
        ) : state === "draft" ? (
          <Button size="sm" onClick={open}>
            {t("connections.go_on")}
          </Button>
        ) : state === "paused" ? (
          <Button size="sm" busy={resume.isPending} onClick={() => resume.mutate()}>
            {t("connections.resume")}
          </Button>
        ) : null}
      </div>
      <NoticeMark list={notices} />
      {connection.connector === "website" && state !== "draft" ? <WebsiteActions id={connection.id} /> : null}
    </article>
  );
}
