import {
  AlarmClock,
  Bot,
  Check,
  Clock,
  FilePen,
  Hand,
  type LucideIcon,
  RotateCcw,
  Search,
  TriangleAlert,
  UserCheck,
} from "lucide-react";
import { useTranslation } from "react-i18next";
import type { EventPart } from "../../bindings";
import { Chip } from "../../components/Chip";
import { useAgentName } from "../../hooks/useAgentName";
import { clock, dayAndClock, fullTime } from "../../words/time";
import styles from "./EventLine.module.css";

const icons = {
  took_over: UserCheck,
  handed_back: Bot,
  transfer: Hand,
  escalated: Hand,
  resolved: Check,
  reopened: RotateCcw,
  snoozed: Clock,
  woke: AlarmClock,
  assigned: UserCheck,
  searched: Search,
  state_set: FilePen,
  turn_failed: TriangleAlert,
  inherited: Bot,
  answers_again: Bot,
} satisfies Record<string, LucideIcon>;
type Known = keyof typeof icons;
const isKnown = (event: string): event is Known => event in icons;

/** What happened to the conversation: a quiet line, or a brass card where an agent asked for a person. */
export function EventLine({ event, at }: { event: EventPart; at: number }) {
  const { t, i18n } = useTranslation();
  const nameOf = useAgentName();
  const said = (name: string): string => {
    const value = event.details[name];
    return typeof value === "string" ? value : "";
  };
  const known = event.event;
  const agent = said("agent") ? nameOf(said("agent")) : t("common.agent");
  const time = clock(at, i18n.language);

  if (known === "transfer" || known === "escalated") {
    const why = said("summary") || said("reason");
    const loud = urgent(said("priority") || said("urgency") || said("level"));
    return (
      <div className={styles.card}>
        <Hand size={18} strokeWidth={1.8} aria-hidden />
        <div>
          <b>{t(`event.${known}`, { by: agent })}</b>
          {why ? <p dir="auto">{why}</p> : null}
        </div>
        <Chip look="wait" small title={fullTime(at, i18n.language)}>
          {loud ? `${t("event.urgent")} · ${time}` : time}
        </Chip>
      </div>
    );
  }
  // An agent may end a conversation too; then the event says which one.
  const byPerson = people.has(known) && !(known === "resolved" && said("agent") !== "");
  const by = byPerson ? said("by") || said("name") || t("common.you") : agent;
  const note = said("note") || said("reason");
  const Icon = isKnown(known) ? icons[known] : Check;
  const until = event.details.until;
  const words =
    known === "snoozed"
      ? typeof until === "number"
        ? t("event.snoozed", { by, until: dayAndClock(until, i18n.language) })
        : t("event.snoozed_reply", { by })
      : isKnown(known)
        ? t(`event.${known}`, { by, query: said("query"), until: "" })
        : t("event.other", { what: known });
  return (
    <p className={styles.event} title={fullTime(at, i18n.language)}>
      <Icon size={14} strokeWidth={1.8} aria-hidden />
      <span>
        {words}
        {note ? `: “${note}”` : ""} · <span className="num">{time}</span>
      </span>
    </p>
  );
}

const people = new Set(["took_over", "handed_back", "snoozed", "assigned", "resolved"]);
const urgent = (priority: string): boolean => priority === "urgent" || priority === "high";
