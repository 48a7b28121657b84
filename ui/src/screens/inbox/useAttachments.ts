import { useCallback, useEffect, useRef, useState } from "react";
import type { MediaKind, MediaPart } from "../../bindings";
import { kindOf, type Limits, mostFiles, type Refusal, refusal, shrunk, upload } from "./attachments";

export type Attached = {
  key: number;
  file: File;
  kind: MediaKind;
  /** How much of it went, between 0 and 1, where that is known. */
  progress?: number | undefined;
  /** It is there, and can be sent. */
  part?: MediaPart;
  /** It cannot go, and why: by the channel's rules, or in the hub's words. */
  refused?: Refusal | undefined;
  failed?: unknown;
  /** It could not be made smaller. */
  tooLarge?: boolean;
};

/** The files of a reply: looked at, given to the hub one after the other, each to be stopped, taken away or tried again. */
export function useAttachments(limits: Limits | undefined) {
  const [all, setAll] = useState<Attached[]>([]);
  const [tooMany, setTooMany] = useState(false);
  const stops = useRef(new Map<number, AbortController>());
  const next = useRef(1);
  /** One file at a time: ten at once would all be slow. */
  const queue = useRef(Promise.resolve());

  const change = useCallback(
    (key: number, part: Partial<Attached>) =>
      setAll((now) => now.map((one) => (one.key === key ? { ...one, ...part } : one))),
    [],
  );
  const start = useCallback(
    (one: Attached) => {
      const stop = new AbortController();
      stops.current.set(one.key, stop);
      queue.current = queue.current.then(async () => {
        if (stop.signal.aborted) return;
        try {
          const onProgress = (progress: number) => change(one.key, { progress });
          const part = await upload(one.file, one.kind, { onProgress, signal: stop.signal });
          if (!stop.signal.aborted) change(one.key, { part, progress: 1 });
        } catch (failed) {
          if (!stop.signal.aborted) change(one.key, { failed });
        }
      });
    },
    [change],
  );
  useEffect(() => {
    const running = stops.current;
    return () => {
      for (const stop of running.values()) stop.abort();
    };
  }, []);

  const remove = useCallback((key: number) => {
    stops.current.get(key)?.abort();
    stops.current.delete(key);
    setAll((now) => now.filter((one) => one.key !== key));
    setTooMany(false);
  }, []);
  const add = (files: Iterable<File>) => {
    const fresh = [...files].map((file): Attached => {
      const kind = kindOf(file.type);
      return { key: next.current++, file, kind, refused: refusal(file, limits, kind) };
    });
    const fit = fresh.slice(0, Math.max(0, mostFiles - all.length));
    setTooMany(fit.length < fresh.length);
    setAll((now) => [...now, ...fit]);
    for (const one of fit) if (one.refused === undefined) start(one);
  };
  /** The same file in another way: once more, as a file, or as a smaller photo. */
  const again = (one: Attached, as: Partial<Pick<Attached, "file" | "kind">> = {}) => {
    const anew: Attached = { key: one.key, file: one.file, kind: one.kind, ...as };
    anew.refused = refusal(anew.file, limits, anew.kind);
    change(one.key, { ...anew, progress: undefined, failed: undefined, tooLarge: false });
    if (anew.refused === undefined) start(anew);
  };
  const shrink = async (one: Attached) => {
    const file = one.refused?.type === "too_big" ? await shrunk(one.file, one.refused.most) : undefined;
    if (file === undefined) change(one.key, { tooLarge: true });
    else again(one, { file, kind: "image" });
  };
  const clear = useCallback(() => {
    for (const stop of stops.current.values()) stop.abort();
    stops.current.clear();
    setAll([]);
    setTooMany(false);
  }, []);

  return {
    all,
    tooMany,
    parts: all.flatMap((one) => one.part ?? []),
    /** Some are still on their way. */
    busy: all.some((one) => one.part === undefined && one.refused === undefined && one.failed === undefined),
    /** Some cannot go: nothing is sent without them being noticed. */
    stuck: all.some((one) => one.refused !== undefined || one.failed !== undefined),
    add,
    again,
    shrink,
    remove,
    clear,
  };
}

export type Attachments = ReturnType<typeof useAttachments>;
