/** Files on their way into the knowledge, one after the other, and those that were not taken. */
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../../bridge";
import { sentence } from "../../words/error";
import { size } from "../../words/size";
import { base64 } from "../inbox/attachments";

export type Upload = {
  key: number;
  name: string;
  state: "waiting" | "reading" | "refused";
  error?: string;
  /** It would be refused again: it never left this page. */
  hopeless?: boolean;
  /** Kept so that it can be tried again. */
  file: File;
};
const most = 20_000_000;

export const readable = ".txt,.md,.markdown,.csv,.tsv,text/plain,text/markdown,text/csv";

export function useUploads() {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const [uploads, setUploads] = useState<Upload[]>([]);
  const next = useRef(1);
  const line = useRef<Promise<void>>(Promise.resolve());

  const mark = useCallback((key: number, change: Partial<Upload> | undefined) => {
    setUploads((all) =>
      change === undefined
        ? all.filter((one) => one.key !== key)
        : all.map((one) => (one.key === key ? { ...one, ...change } : one)),
    );
  }, []);

  const wrong = (file: File): string | undefined => {
    if (file.size === 0) return t("knowledge.error.empty");
    if (file.size > most) return t("knowledge.error.too_big", { size: size(most, i18n.language) });
    if (!/\.(txt|md|markdown|csv|tsv)$/i.test(file.name)) return t("knowledge.error.not_text");
    return undefined;
  };

  const send = async (upload: Upload) => {
    mark(upload.key, { state: "reading" });
    try {
      const bytes = new Uint8Array(await upload.file.arrayBuffer());
      await call("add_knowledge", { name: upload.file.name, base64: base64(bytes) });
      await client.invalidateQueries({ queryKey: ["knowledge"] });
      mark(upload.key, undefined);
    } catch (cause) {
      mark(upload.key, { state: "refused", error: sentence(cause, t) });
    }
  };
  const queue = (upload: Upload) => {
    line.current = line.current.then(() => send(upload));
  };

  return {
    uploads,
    add: (files: Iterable<File>) => {
      for (const file of files) {
        const error = wrong(file);
        const upload: Upload = { key: next.current++, name: file.name, file, state: error ? "refused" : "waiting" };
        setUploads((all) => [...all, error ? { ...upload, error, hopeless: true } : upload]);
        if (!error) queue(upload);
      }
    },
    again: (upload: Upload) => queue(upload),
    drop: (key: number) => mark(key, undefined),
  };
}
