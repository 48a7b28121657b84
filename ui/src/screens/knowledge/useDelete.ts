/** Deletes a document with a way back: it goes from sight at once, and for good when the way back has gone. */
import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { KnowledgeDocument } from "../../bindings";
import { call } from "../../bridge";
import { useToast } from "../../components/Toast";
import { queryClient } from "../../queries/client";
import { sentence } from "../../words/error";

const wayBack = 10_000;

export function useDelete() {
  const { t } = useTranslation();
  const say = useToast();
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set());
  const [error, setError] = useState<string>();
  const waiting = useRef(new Map<string, ReturnType<typeof setTimeout>>());

  const back = useCallback((id: string) => {
    clearTimeout(waiting.current.get(id));
    waiting.current.delete(id);
    setGone((all) => new Set([...all].filter((one) => one !== id)));
  }, []);
  const finish = useCallback(
    async (id: string) => {
      waiting.current.delete(id);
      try {
        await call("delete_knowledge", { id });
      } catch (cause) {
        setError(sentence(cause, t));
      }
      await queryClient.invalidateQueries({ queryKey: ["knowledge"] });
      setGone((all) => new Set([...all].filter((one) => one !== id)));
    },
    [t],
  );
  // Whoever goes to another screen meant it.
  useEffect(() => {
    const all = waiting.current;
    return () => {
      for (const [id, timer] of all) {
        clearTimeout(timer);
        void call("delete_knowledge", { id }).then(() => queryClient.invalidateQueries({ queryKey: ["knowledge"] }));
      }
      all.clear();
    };
  }, []);

  const remove = (document: KnowledgeDocument) => {
    const { id } = document;
    setError(undefined);
    setGone((all) => new Set([...all, id]));
    waiting.current.set(
      id,
      setTimeout(() => void finish(id), wayBack),
    );
    say(t("knowledge.deleted", { name: document.name }), {
      action: { label: t("common.undo"), onAction: () => back(id) },
    });
  };
  return { gone, remove, error };
}
