import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowLeft, RefreshCw, TriangleAlert } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Connection, Connector } from "../../bindings";
import { Button } from "../../components/Button";
import { Field, SelectField } from "../../components/Field";
import { Segmented } from "../../components/Segmented";
import { SchemaForm } from "../../components/schema-form/SchemaForm";
import { useToast } from "../../components/Toast";
import { agents } from "../../queries/agents";
import { models } from "../../queries/connections";
import { sentence } from "../../words/error";
import { ago } from "../../words/time";
import { WebsiteActions } from "../connections/WebsiteActions";
import { GoLive } from "../golive/GoLive";
import { isCalled } from "../golive/useEvidence";
import { Notices } from "../notices/Notices";
import { useFixedKeys } from "../useFixedKeys";
import { useNow } from "../useNow";
import { Abilities } from "./Abilities";
import styles from "./Setup.module.css";
import { SetupMenu } from "./SetupMenu";
import { SignInCard } from "./SignInCard";
import { Steps } from "./Steps";
import { TestCard } from "./TestCard";
import { useGuide } from "./useGuide";
import { useSetup } from "./useSetup";
import { WebhookCard } from "./WebhookCard";

/** Steps at the left, the form in the order of the service's pages, at the right what was proven. */
export function Setup({ connector, connection }: { connector: Connector; connection: Connection | undefined }) {
  const { t, i18n } = useTranslation();
  const say = useToast();
  const now = useNow();
  const setup = useSetup(connector, connection);
  const people = useQuery(agents());
  const isModel = connector.type === "Agent";
  const offered = useQuery({ ...models(connection?.id ?? ""), enabled: isModel && connection !== undefined });
  const nameField = useRef<HTMLInputElement>(null);

  const saved = useRef(false);
  useEffect(() => {
    if (saved.current && !setup.saving && !setup.dirty)
      say(t(connection?.status === "draft" ? "setup.draft_kept" : "common.saved"));
    saved.current = setup.saving;
  }, [setup.saving, setup.dirty, say, t, connection?.status]);
  useEffect(() => {
    if (setup.errors.name) nameField.current?.focus();
  }, [setup.errors]);

  useFixedKeys({
    "mod+Enter": (event) => {
      event.preventDefault();
      setup.test();
    },
    "mod+s": (event) => {
      event.preventDefault();
      setup.save();
    },
  });

  const proven = connection?.last_proven_at
    ? t("connections.evidence.proven", { ago: ago(connection.last_proven_at, now, i18n.language) })
    : undefined;
  const called = isCalled(connector, setup.values.mode);
  const guide = useGuide(connector, connection, setup, now);
  const done = setup.result?.ok === true && !setup.changed && !setup.dirty;
  const modelNames = offered.data?.items.map((one) => one.id);
  const others = (people.data?.items ?? []).filter((one) => !one.default);
  const standard = people.data?.items.find((one) => one.default);
  // Once, not twice: what the test has just said stands beside the form.
  const trouble =
    connection &&
    setup.result?.ok !== false &&
    (connection.status === "failing" || connection.status === "needs_sign_in");

  return (
    <main className={styles.setup} id="main" tabIndex={-1}>
      <Steps connector={connector} step={guide.step} proven={guide.proven} onStep={setup.setStep} />
      <section className={styles.form} aria-labelledby="setup-title">
        <div className={styles.head}>
          <div className="grow">
            <h1 id="setup-title" dir="auto">
              {connection ? connection.name : t("setup.new", { name: connector.name })}
            </h1>
            {connection?.account ? (
              <p className="sub" dir="auto">
                {connection.account}
              </p>
            ) : null}
          </div>
          {connection ? <SetupMenu connection={connection} /> : null}
        </div>
        {connection ? <Notices connection={connection.id} now={now} /> : null}
        {trouble && connection.reason ? (
          <p className={styles.trouble} role="status">
            <TriangleAlert size={16} strokeWidth={1.8} aria-hidden />
            {connection.reason}
          </p>
        ) : null}
        {guide.evidence ? (
          <div className={styles.views}>
            <Segmented
              label={t("live.view")}
              value={guide.view}
              onValue={guide.setView}
              choices={[
                { value: "settings", label: t("live.settings") },
                {
                  value: "live",
                  label: (
                    <>
                      {t("live.tab")} <b>{t("live.done", { done: guide.done, total: guide.total })}</b>
                    </>
                  ),
                },
              ]}
            />
          </div>
        ) : guide.failed ? (
          <p className={styles.trouble} role="alert">
            <TriangleAlert size={16} strokeWidth={1.8} aria-hidden />
            <span>
              {t("live.unread")} {sentence(guide.failed, t)}{" "}
              <button type="button" className="link" onClick={guide.again}>
                {t("common.try_again")}
              </button>
            </span>
          </p>
        ) : null}
        {guide.view === "live" && guide.evidence ? (
          <GoLive
            evidence={guide.evidence}
            ticks={guide.ticks}
            onTick={guide.tick}
            now={now}
            testing={setup.testing}
            onTest={connection?.status === "draft" || setup.dirty ? undefined : setup.test}
            onAgain={guide.again}
          />
        ) : null}
        <form
          className={styles.fields}
          hidden={guide.view === "live"}
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            setup.test();
          }}
        >
          <div className={styles.own}>
            <Field
              ref={nameField}
              label={t("setup.name")}
              help={t("setup.name_help")}
              value={setup.name}
              error={setup.errors.name}
              maxLength={80}
              onChange={(event) => setup.setName(event.target.value)}
            />
            {connector.type === "Channel" ? (
              <SelectField
                label={t("setup.who")}
                help={people.data?.items.length === 0 ? t("setup.nobody_yet") : t("setup.who_help")}
                value={setup.agent ?? ""}
                onChange={(event) => setup.setAgent(event.target.value || null)}
                options={[
                  { value: "", label: standard ? t("setup.standard", { name: standard.name }) : t("setup.nobody") },
                  ...others.map((one) => ({ value: one.id, label: one.name })),
                  ...(standard ? [{ value: standard.id, label: standard.name }] : []),
                ]}
              />
            ) : null}
          </div>
          <SchemaForm
            schema={connector.schema}
            values={setup.values}
            onValues={setup.setValues}
            errors={setup.errors}
            suggestions={modelNames ? { model: modelNames, default_model: modelNames } : undefined}
          />
          {connector.sign_in ? (
            <SignInCard
              provider={connector.sign_in.provider}
              connection={connection}
              busy={setup.signingIn || setup.testing}
              onSignIn={setup.signIn}
              onUse={setup.test}
            />
          ) : null}
          {setup.failed ? (
            <p className={styles.trouble} role="alert">
              <TriangleAlert size={16} strokeWidth={1.8} aria-hidden />
              {sentence(setup.failed, t)}
            </p>
          ) : null}
          <div className={styles.foot}>
            <Link to="/connections" className={styles.back}>
              <ArrowLeft size={18} strokeWidth={1.8} aria-hidden />
              {t("common.back")}
            </Link>
            <span className="grow" />
            {done ? (
              <>
                <Button size="lg" onClick={setup.test}>
                  <RefreshCw size={17} strokeWidth={1.8} aria-hidden />
                  {t("setup.test_again")}
                </Button>
                <Link to="/connections" className={styles.done}>
                  {t("setup.done")}
                </Link>
              </>
            ) : (
              <>
                {connection && !setup.dirty ? null : (
                  <Button size="lg" busy={setup.saving} busyWord={t("common.saving")} onClick={setup.save}>
                    {t(connection ? "common.save" : "setup.keep")}
                  </Button>
                )}
                <Button look="primary" size="lg" type="submit" busy={setup.testing} busyWord={t("connections.testing")}>
                  {t(connection && !setup.dirty ? "setup.test_now" : "setup.save_and_test")}
                </Button>
              </>
            )}
          </div>
        </form>
      </section>
      <aside className={styles.aside} aria-label={t("setup.test.label")}>
        <TestCard
          name={connector.name}
          testing={setup.testing}
          result={setup.result}
          changed={setup.changed}
          proven={proven}
        />
        {connection?.connector === "website" ? (
          <section>
            <h2 className={styles.label}>{t("setup.website")}</h2>
            <p className={styles.small}>{t("setup.website_text")}</p>
            <WebsiteActions id={connection.id} />
          </section>
        ) : null}
        {connection?.webhook_url && connection.connector !== "website" && called ? (
          <WebhookCard connection={connection} name={connector.name} />
        ) : null}
        {isModel && connection ? (
          <section>
            <h2 className={styles.label}>{t("setup.models")}</h2>
            {offered.isError ? (
              <p className={styles.small}>{sentence(offered.error, t)}</p>
            ) : modelNames === undefined ? (
              <p className={styles.small}>{t("common.loading")}</p>
            ) : (
              <ModelList names={modelNames} />
            )}
          </section>
        ) : null}
        <Abilities list={connector.abilities} />
        <p className={styles.keys}>{t("setup.keys")}</p>
      </aside>
    </main>
  );
}

/** The models a service offers, the first few in sight. */
function ModelList({ names }: { names: string[] }) {
  const { t } = useTranslation();
  const few = names.slice(0, 6);
  if (names.length === 0) return <p className={styles.small}>{t("setup.no_models")}</p>;
  return (
    <>
      <ul className={styles.models}>
        {few.map((one) => (
          <li key={one} className="mono cut">
            {one}
          </li>
        ))}
      </ul>
      {names.length > few.length ? (
        <p className={styles.small}>{t("setup.more_models", { count: names.length - few.length })}</p>
      ) : null}
    </>
  );
}
