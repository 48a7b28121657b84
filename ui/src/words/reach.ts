/** Whether the line for a website calls an address that exists on this computer only: pasted into a page, it would reach nobody. */
export function worksHereOnly(line: string): boolean {
  const base = /\bbase:"([^"]+)"/.exec(line)?.[1];
  if (base === undefined || !URL.canParse(base)) return false;
  const { hostname } = new URL(base);
  return hostname === "localhost" || hostname === "[::1]" || hostname === "0.0.0.0" || hostname.startsWith("127.");
}
