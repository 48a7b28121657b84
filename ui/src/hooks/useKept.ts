import { useCallback, useState } from "react";

/** A value that is kept on this machine under `shopbell.<name>`: a draft, a width, an open panel. */
export function useKept(name: string, fallback: string): [string, (value: string) => void] {
  const key = `shopbell.${name}`;
  const [kept, setKept] = useState({ key, value: read(key) ?? fallback });
  if (kept.key !== key) setKept({ key, value: read(key) ?? fallback });
  const keep = useCallback(
    (value: string) => {
      setKept({ key, value });
      try {
        if (value === fallback) localStorage.removeItem(key);
        else localStorage.setItem(key, value);
      } catch {
        // Without storage the value lives as long as the page.
      }
    },
    [key, fallback],
  );
  return [kept.key === key ? kept.value : (read(key) ?? fallback), keep];
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
