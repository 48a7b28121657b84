import { useMutation } from "@tanstack/react-query";
import { CircleDashed, LoaderCircle, ShieldCheck, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { TunnelPhase, TunnelState } from "../../bindings";
import { call } from "../../bridge";
import { Button } from "../../components/Button";
import { Chip, type ChipLook } from "../../components/Chip";
import { CopyBox } from "../../components/CopyBox";
import { queryClient } from "../../queries/client";
import { tunnel } from "../../queries/reach";
import { sentence } from "../../words/error";
import { ago } from "../../words/time";
import { Fact } from "../settings/Setting";
import setting from "../settings/Setting.module.css";
import { useNow } from "../useNow";

const looks: Record<TunnelPhase, { look: ChipLook; icon: typeof ShieldCheck }> = {
  off: { look: "line", icon: CircleDashed },
  starting: { look: "wait", icon: LoaderCircle },
  connected: { look: "wait", icon: LoaderCircle },
  verifying: { look: "wait", icon: LoaderCircle },
  public_ok: { look: "good", icon: ShieldCheck },
  degraded: { look: "bad", icon: TriangleAlert },
  reconnecting: { look: "bad", icon: TriangleAlert },
  failed: { look: "bad", icon: TriangleAlert },
};

/** How the public address is at this moment, and what is wrong with it. */
export function Standing({ state, needed }: { state: TunnelState; needed: boolean }) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const again = useMutation({
    mutationFn: (request: { trust_host_key?: boolean }) => call("set_tunnel", request),
    onSuccess: (fresh) => queryClient.setQueryData(tunnel().queryKey, fresh),
  });
  const { look, icon: Icon } = looks[state.phase];
  const address = state.url ?? state.public_url;
  const changedKey = state.phase === "failed" && state.hop === "tunnel" && state.driver !== "ngrok";
  return (
    <>
      <div role="status">
        <Chip look={look}>
          <Icon size={14} strokeWidth={1.8} aria-hidden />
          {t(`reach.phase.${state.phase}`)}
        </Chip>
      </div>
      {address ? (
        <Fact name={t("reach.address")}>
          <CopyBox text={address} label={t("reach.address")} />
          {state.proven_at ? (
            <p className="muted">{t("reach.proven", { ago: ago(state.proven_at, now, i18n.language) })}</p>
          ) : null}
        </Fact>
      ) : null}
      {state.trouble ? (
        <p className={setting.error} role="alert">
          {state.hop ? <b>{t(`reach.hop.${state.hop}`)}: </b> : null}
          {state.trouble}
        </p>
      ) : null}
      {state.phase === "off" ? <p>{t(needed ? "reach.needed" : "reach.not_needed")}</p> : null}
      {again.isError ? (
        <p className={setting.error} role="alert">
          {sentence(again.error, t)}
        </p>
      ) : null}
      {state.phase !== "off" && state.phase !== "public_ok" && !state.fixed ? (
        <div>
          <Button busy={again.isPending} onClick={() => again.mutate({})}>
            {t("common.try_again")}
          </Button>{" "}
          {changedKey ? (
            <Button look="danger" busy={again.isPending} onClick={() => again.mutate({ trust_host_key: true })}>
              {t("reach.trust_key")}
            </Button>
          ) : null}
        </div>
      ) : null}
    </>
  );
}
