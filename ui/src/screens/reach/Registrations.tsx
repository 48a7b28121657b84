import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Check, CircleDashed, Clock, Hand, Radio, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Registration, RegistrationState } from "../../bindings";
import { call } from "../../bridge";
import { Button } from "../../components/Button";
import { ChannelMark } from "../../components/ChannelMark";
import { Chip, type ChipLook } from "../../components/Chip";
import { CopyBox } from "../../components/CopyBox";
import { queryClient } from "../../queries/client";
import { sentence } from "../../words/error";
import { ago } from "../../words/time";
import { useNow } from "../useNow";
import styles from "./Reach.module.css";

const looks: Record<RegistrationState | "asked" | "none", { look: ChipLook; icon: typeof Check }> = {
  confirmed: { look: "good", icon: Check },
  waiting: { look: "wait", icon: Clock },
  registering: { look: "wait", icon: Clock },
  failed: { look: "bad", icon: TriangleAlert },
  manual: { look: "wait", icon: Hand },
  elsewhere: { look: "bad", icon: TriangleAlert },
  asked: { look: "good", icon: Radio },
  none: { look: "line", icon: CircleDashed },
};

/** Every connection that customers write to: whether its service knows the address, and whether the whole way was proven. */
export function Registrations({ rows }: { rows: Registration[] }) {
  const { t } = useTranslation();
  if (rows.length === 0) return <p className="muted">{t("reach.nobody")}</p>;
  return (
    <ul className={styles.rows}>
      {rows.map((row) => (
        <Row key={row.connection} row={row} />
      ))}
    </ul>
  );
}

function Row({ row }: { row: Registration }) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const register = useMutation({
    mutationFn: () => call("register_webhook", { id: row.connection }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["registrations"] }),
  });
  const stands = row.called ? (row.state ?? "none") : "asked";
  const { look, icon: Icon } = looks[stands];
  const trouble = register.isError ? sentence(register.error, t) : (row.reason ?? row.error);
  const byHand = stands === "failed" || stands === "elsewhere" || stands === "manual";
  return (
    <li className={styles.row}>
      <ChannelMark connector={row.connector} />
      <div className="grow">
        <Link to="/connections/$connection" params={{ connection: row.connection }} className={styles.name} dir="auto">
          {row.name}
        </Link>
        <Chip look={look} small>
          <Icon size={13} strokeWidth={1.8} aria-hidden />
          {t(`reach.registration.${stands}`)}
        </Chip>
        <p className="muted">
          {row.proven_at
            ? t("reach.proven", { ago: ago(row.proven_at, now, i18n.language) })
            : t(row.called ? "reach.unproven" : "reach.no_address_needed")}
        </p>
        {trouble ? (
          <p className={styles.trouble}>
            {row.hop && !register.isError ? <b>{t(`reach.hop.${row.hop}`)}: </b> : null}
            {trouble}
          </p>
        ) : null}
        {byHand && row.desired_url ? <CopyBox text={row.desired_url} label={t("reach.address")} /> : null}
        {byHand ? (
          <div>
            <Button size="sm" busy={register.isPending} onClick={() => register.mutate()}>
              {t("reach.register")}
            </Button>
          </div>
        ) : null}
      </div>
    </li>
  );
}
