/** The state of one set-up: what was typed, what is wrong with it, saving and proving. */
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Connection, Connector, TestResult } from "../../bindings";
import { ApiError, call, openExternal } from "../../bridge";
import {
  at,
  check,
  type FieldErrors,
  fieldsOf,
  normalErrors,
  toSend,
  type Values,
  withValue,
} from "../../components/schema-form/schema";
import { useKept } from "../../hooks/useKept";
import { queryClient } from "../../queries/client";
import { begunKey } from "../../queries/signIn";
import { sentence } from "../../words/error";
import { changesOf } from "./changes";
import { dropDraft, keepDraft, keepStep, readDraft } from "./drafts";

/** What the last test of a connection found, carried from the form of a new one to its own page. */
const testKey = (id: string) => ["tests", id];

export function useSetup(connector: Connector, connection: Connection | undefined) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const fields = useMemo(() => fieldsOf(connector.schema), [connector]);
  const draft = useMemo(() => (connection ? undefined : readDraft(connector.kind)), [connector, connection]);
  const [name, setName] = useState(connection?.name ?? draft?.name ?? connector.name);
  const [agent, setAgent] = useState<string | null>(connection?.agent ?? draft?.agent ?? null);
  const [values, setValues] = useState<Values>(connection?.config ?? draft?.values ?? {});
  const [step, setStep] = useStep(connection, draft?.step ?? 0);
  const [dirty, setDirty] = useState(false);
  const [changed, setChanged] = useState(false);
  const [errors, setErrors] = useState<FieldErrors>({});
  const [result, setResult] = useState<TestResult | undefined>(() =>
    connection ? queryClient.getQueryData<TestResult>(testKey(connection.id)) : undefined,
  );

  // What is typed into a new form is kept at once, so that nothing is lost when the window is closed.
  useEffect(() => {
    if (connection === undefined && (dirty || step > 0))
      keepDraft(connector.kind, { name, agent, values, step }, fields);
  }, [connection, connector, dirty, name, agent, values, step, fields]);

  const touch = () => {
    setDirty(true);
    setChanged(true);
  };
  // A draft may be saved while something is missing; its keys are sealed all the same.
  const store = async (draft: boolean): Promise<string> => {
    const wrong = draft ? {} : check(fields, values, t);
    if (name.trim() === "") wrong.name = t("form.required");
    if (Object.keys(wrong).length > 0) throw new ApiError("invalid", t("setup.look_again"), wrong);
    if (connection !== undefined) {
      const config = changesOf(fields, connection.config, values);
      if (dirty) await call("update_connection", { id: connection.id, name: name.trim(), config, agent });
      return connection.id;
    }
    const config = toSend(fields, values);
    const made = await call("create_connection", {
      connector: connector.kind,
      name: name.trim(),
      config,
      agent,
      draft,
    });
    dropDraft(connector.kind);
    keepStep(made.id, step);
    return made.id;
  };
  const prove = async (id: string): Promise<TestResult> => {
    try {
      return await call("test_connection", { id });
    } catch (cause) {
      return { ok: false, checks: [], details: {}, error: sentence(cause, t) };
    }
  };
  const settle = (id: string, found?: TestResult) => {
    setDirty(false);
    setErrors({});
    setValues((all) => sealed(fields, all));
    if (found) {
      queryClient.setQueryData(testKey(id), found);
      setResult(found);
      setChanged(false);
    }
    void queryClient.invalidateQueries({ queryKey: ["connections"] });
    if (connection === undefined)
      void navigate({ to: "/connections/$connection", params: { connection: id }, replace: true });
  };
  const refuse = (cause: unknown) => {
    if (cause instanceof ApiError) setErrors(normalErrors(cause.fields));
  };

  const save = useMutation({
    mutationFn: () => store(connection === undefined || connection.status === "draft"),
    onSuccess: (id) => settle(id),
    onError: refuse,
  });
  const test = useMutation({
    mutationFn: async () => {
      const id = await store(false);
      const found = await prove(id);
      if (found.ok && connection?.status === "draft") await call("update_connection", { id, status: "active" });
      return { id, found };
    },
    onSuccess: ({ id, found }) => settle(id, found),
    onError: refuse,
  });
  // What was typed is kept first: the service's answer finds the connection also after a restart.
  const signIn = useMutation({
    mutationFn: async () => {
      const needed = fields.filter((field) => connector.sign_in?.needs.includes(field.path));
      const wrong = check(needed, values, t);
      if (Object.keys(wrong).length > 0) throw new ApiError("invalid", t("setup.look_again"), wrong);
      const id = connection !== undefined && !dirty ? connection.id : await store(connection?.status !== "active");
      const begun = await call("begin_sign_in", { connection: id });
      queryClient.setQueryData(begunKey(id), begun);
      await openExternal(begun.authorize_url);
      return id;
    },
    onSuccess: (id) => settle(id),
    onError: refuse,
  });
  const failed = test.error ?? save.error ?? signIn.error;
  const busy = save.isPending || test.isPending || signIn.isPending;

  return {
    fields,
    name,
    agent,
    values,
    step,
    errors,
    result,
    changed,
    dirty,
    busy,
    saving: save.isPending,
    testing: test.isPending,
    failed: failed && Object.keys(failed instanceof ApiError ? failed.fields : {}).length === 0 ? failed : undefined,
    setStep,
    setName: (next: string) => {
      setName(next);
      touch();
    },
    setAgent: (next: string | null) => {
      setAgent(next);
      setDirty(true);
    },
    setValues: (next: Values) => {
      setValues(next);
      touch();
    },
    signingIn: signIn.isPending,
    signIn: () => {
      if (!busy) signIn.mutate();
    },
    save: () => {
      if (!busy) save.mutate();
    },
    test: () => {
      if (!busy) test.mutate();
    },
  };
}

/** How far its owner came with the steps: kept with the draft of a new connection, on this computer for one that is there. */
function useStep(connection: Connection | undefined, draft: number): [number, (step: number) => void] {
  const [drafted, setDrafted] = useState(draft);
  const [kept, keep] = useKept(`step.${connection?.id ?? ""}`, "0");
  if (connection === undefined) return [drafted, setDrafted];
  return [Number(kept) || 0, (step) => keep(String(step))];
}

/** What was typed as a secret is kept by the hub now, and is not shown any more. */
function sealed(fields: ReturnType<typeof fieldsOf>, values: Values): Values {
  return fields
    .filter(
      (field) => field.kind === "secret" && typeof at(values, field.path) === "string" && at(values, field.path) !== "",
    )
    .reduce((now, field) => withValue(now, field.path, { set: true }), values);
}
