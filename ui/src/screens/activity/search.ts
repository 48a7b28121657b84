/** What the address of Activity says: which list, what of it, on which connection, what is opened. */

export type ActivityView = "arrivals" | "outbox" | "turns";
export type ActivitySearch = {
  show?: ActivityView | undefined;
  of?: string | undefined;
  on?: string | undefined;
  open?: string | undefined;
};
const views: ActivityView[] = ["arrivals", "outbox", "turns"];

/** Anybody can write an address: what is not known is left out. */
export function activitySearch(search: Record<string, unknown>): ActivitySearch {
  const text = (name: string) => (typeof search[name] === "string" ? search[name] : undefined);
  return {
    show: views.find((one) => one === search.show),
    of: text("of"),
    on: text("on"),
    open: text("open"),
  };
}
