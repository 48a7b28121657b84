// Light or dark, decided before the first paint. A small file of its own, because the content security policy allows
// no inline script. The choice is kept in localStorage; "as the system" is resolved here, once.
(() => {
  let choice = "system";
  try {
    choice = localStorage.getItem("shopbell.theme") || "system";
  } catch {
    // Storage can be switched off in a browser; then the system decides.
  }
  const dark = choice === "dark" || (choice === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
