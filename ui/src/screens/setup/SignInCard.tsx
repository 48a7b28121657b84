import { useMutation, useQuery } from "@tanstack/react-query";
import { Check, Circle, LogIn, TriangleAlert } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Connection, SignInRow } from "../../bindings";
import { ApiError, call, openExternal } from "../../bridge";
import { Button } from "../../components/Button";
import { Field } from "../../components/Field";
import { queryClient } from "../../queries/client";
import { begunKey, begunSignIn, signInState, signIns } from "../../queries/signIn";
import { sentence } from "../../words/error";
import styles from "./SignInCard.module.css";

type Props = {
  provider: string;
  connection: Connection | undefined;
  /** Something is being saved or tried. */
  busy: boolean;
  /** Saves what was typed, then opens the service's page. */
  onSignIn: () => void;
  /** Proves the connection and puts it to use. */
  onUse: () => void;
};

/** The button to sign in, and everything between pressing it and using the account. */
export function SignInCard({ provider, connection, busy, onSignIn, onUse }: Props) {
  const { t } = useTranslation();
  const id = connection?.id ?? "";
  const begun = useQuery(begunSignIn(id)).data;
  const flow = useQuery({ ...signInState(begun?.flow ?? ""), enabled: Boolean(begun) });
  const auth = useQuery({ ...signIns(), enabled: connection !== undefined });
  const known = auth.data?.items.find((one) => one.connection === id);
  const signedIn = known?.state === "active" || known?.state === "degraded";
  const titleId = useId();
  const forget = () => queryClient.setQueryData(begunKey(id), null);
  const row = begun ? flow.data : undefined;

  return (
    <section className={styles.card} aria-labelledby={titleId}>
      <h2 id={titleId}>{t("oauth.title", { provider })}</h2>
      <div role="status" className={styles.state}>
        {begun && flow.isError ? (
          <p className={styles.bad}>
            <TriangleAlert size={16} strokeWidth={1.8} aria-hidden />
            <span>{sentence(flow.error, t)}</span>
          </p>
        ) : row?.status === "waiting" ? (
          <p>{t("oauth.waiting", { provider })}</p>
        ) : row?.status === "trading" || (begun && row === undefined) ? (
          <p>{t("oauth.trading")}</p>
        ) : row?.status === "choosing" ? (
          <p>{t("oauth.choose")}</p>
        ) : row?.status === "failed" ? (
          <p className={styles.bad}>
            <TriangleAlert size={16} strokeWidth={1.8} aria-hidden />
            <span>{row.reason}</span>
          </p>
        ) : row?.status === "settling" ? (
          <p>{t(row.reason ? "oauth.stuck" : "oauth.settling")}</p>
        ) : signedIn ? (
          <p className={styles.good}>
            <Check size={16} strokeWidth={1.8} aria-hidden />
            <span dir="auto">{t("oauth.as", { account: known.account })}</span>
          </p>
        ) : (
          <p>{t("oauth.text", { provider })}</p>
        )}
      </div>
      {row && row.status === "settling" ? <StepList row={row} /> : null}
      {row && row.status === "choosing" ? <Accounts row={row} /> : null}
      {signedIn && known.missing.length > 0 ? (
        <div className={styles.missing}>
          <p>{t("oauth.missing")}</p>
          <ul>
            {known.missing.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </div>
      ) : null}
      {begun && row?.status === "waiting" ? (
        <Waiting flow={begun.flow} url={begun.authorize_url} onGone={forget} />
      ) : (
        <div className={styles.actions}>
          {signedIn && connection?.status === "draft" ? (
            <Button look="primary" busy={busy} onClick={onUse}>
              {t("oauth.use")}
            </Button>
          ) : null}
          {row?.status === "settling" || row?.status === "choosing" || row?.status === "trading" ? null : (
            <Button look={signedIn ? undefined : "primary"} busy={busy} onClick={onSignIn}>
              <LogIn size={16} strokeWidth={1.8} aria-hidden />
              {t(signedIn ? "oauth.again" : "oauth.button", { provider })}
            </Button>
          )}
          {signedIn && connection ? <SignOut connection={connection.id} onGone={forget} /> : null}
        </div>
      )}
    </section>
  );
}

/** While the owner is in the browser: the page again, calling it off, and the address by hand. */
function Waiting({ flow, url, onGone }: { flow: string; url: string; onGone: () => void }) {
  const { t } = useTranslation();
  const [address, setAddress] = useState("");
  const refresh = () => queryClient.invalidateQueries({ queryKey: ["connections"] });
  const cancel = useMutation({
    mutationFn: () => call("cancel_sign_in", { flow }),
    onSuccess: onGone,
    onSettled: refresh,
  });
  const finish = useMutation({ mutationFn: () => call("finish_sign_in", { address }), onSuccess: refresh });
  const wrong = finish.error
    ? finish.error instanceof ApiError
      ? (finish.error.fields.address ?? sentence(finish.error, t))
      : sentence(finish.error, t)
    : undefined;
  return (
    <>
      <div className={styles.actions}>
        <Button onClick={() => void openExternal(url)}>{t("oauth.open_again")}</Button>
        <Button look="quiet" busy={cancel.isPending} onClick={() => cancel.mutate()}>
          {t("oauth.cancel")}
        </Button>
      </div>
      {cancel.isError ? (
        <p className={styles.bad} role="alert">
          {sentence(cancel.error, t)}
        </p>
      ) : null}
      <details className={styles.paste}>
        <summary>{t("oauth.not_back")}</summary>
        <Field
          label={t("oauth.address")}
          help={t("oauth.address_help")}
          value={address}
          error={wrong}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => setAddress(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            // The form around it saves and tests; here it means the address.
            event.preventDefault();
            if (address.trim() !== "") finish.mutate();
          }}
        />
        <div className={styles.actions}>
          <Button busy={finish.isPending} disabled={address.trim() === ""} onClick={() => finish.mutate()}>
            {t("oauth.use_address")}
          </Button>
        </div>
      </details>
    </>
  );
}

/** The accounts that the sign-in opens. */
function Accounts({ row }: { row: SignInRow }) {
  const { t } = useTranslation();
  const choose = useMutation({
    mutationFn: (account: string) => call("choose_sign_in_account", { flow: row.flow, account }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["connections"] }),
  });
  return (
    <>
      <ul className={styles.accounts} aria-label={t("oauth.choose")}>
        {row.accounts.map((one) => (
          <li key={one.id}>
            <Button
              busy={choose.isPending && choose.variables === one.id}
              disabled={choose.isPending}
              onClick={() => choose.mutate(one.id)}
            >
              <span dir="auto">{one.name}</span>
            </Button>
          </li>
        ))}
      </ul>
      {choose.isError ? (
        <p className={styles.bad} role="alert">
          {sentence(choose.error, t)}
        </p>
      ) : null}
    </>
  );
}

/** What is being done for the account, and what of it failed. */
function StepList({ row }: { row: SignInRow }) {
  const { t } = useTranslation();
  const resume = useMutation({
    mutationFn: () => call("resume_sign_in", { flow: row.flow }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["connections"] }),
  });
  return (
    <>
      <ol className={styles.steps}>
        {row.steps.map((step) => (
          <li key={step.words} className={step.failed ? styles.bad : step.done ? styles.good : undefined}>
            {step.failed ? (
              <TriangleAlert size={16} strokeWidth={1.8} aria-label={t("oauth.step_failed")} />
            ) : step.done ? (
              <Check size={16} strokeWidth={1.8} aria-label={t("oauth.step_done")} />
            ) : (
              <Circle size={16} strokeWidth={1.8} aria-hidden />
            )}
            <span>
              {step.words}
              {step.failed && row.reason ? <small>{row.reason}</small> : null}
            </span>
          </li>
        ))}
      </ol>
      {row.reason ? (
        <div className={styles.actions}>
          <Button busy={resume.isPending} onClick={() => resume.mutate()}>
            {t("common.try_again")}
          </Button>
        </div>
      ) : null}
    </>
  );
}

/** Gives the permission back; the connection then waits for somebody to sign in. */
function SignOut({ connection, onGone }: { connection: string; onGone: () => void }) {
  const { t } = useTranslation();
  const out = useMutation({
    mutationFn: () => call("sign_out", { id: connection }),
    onSuccess: onGone,
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["connections"] }),
  });
  return (
    <>
      <Button look="quiet" busy={out.isPending} onClick={() => out.mutate()}>
        {t("oauth.out")}
      </Button>
      {out.isError ? (
        <p className={styles.bad} role="alert">
          {sentence(out.error, t)}
        </p>
      ) : null}
    </>
  );
}
