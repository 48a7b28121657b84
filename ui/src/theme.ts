/** Light, dark or as the system. `public/theme.js` does the same before the first paint; this follows later changes. */
import type { Theme } from "./bindings";

const key = "shopbell.theme";
const system = () => matchMedia("(prefers-color-scheme: dark)");

/** The choice that is kept on this machine. */
export function keptTheme(): Theme {
  try {
    const kept = localStorage.getItem(key);
    return kept === "light" || kept === "dark" ? kept : "system";
  } catch {
    return "system";
  }
}

/** Paints the screens in `theme` and keeps the choice. */
export function paint(theme: Theme): void {
  try {
    localStorage.setItem(key, theme);
  } catch {
    // Without storage the choice comes from the hub's settings at the next start.
  }
  const dark = theme === "dark" || (theme === "system" && system().matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

/** Follows the system while the choice is "as the system". */
export function followSystem(): void {
  system().addEventListener("change", () => paint(keptTheme()));
}
