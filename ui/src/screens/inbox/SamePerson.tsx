import { Link2, Unlink2 } from "lucide-react";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Contact, MergedContact, PerhapsSame } from "../../bindings";
import { Button } from "../../components/Button";
import { ChannelMark } from "../../components/ChannelMark";
import { useContactName } from "../../hooks/useContactName";
import { useServiceName } from "../../hooks/useServiceName";
import { sentence } from "../../words/error";
import { fullTime, shortTime } from "../../words/time";
import styles from "./SamePerson.module.css";
import { useJoining } from "./useJoining";

type Props = { contact: Contact; now: number };

/** Who else this may be, with the evidence, and who was joined with them already. Nobody is joined but by hand, and each joining can be undone. */
export function SamePerson({ contact, now }: Props) {
  const { t, i18n } = useTranslation();
  const called = useContactName();
  const serviceOf = useServiceName();
  const section = useRef<HTMLElement>(null);
  const joining = useJoining(contact, () => section.current?.focus());
  const others = byPerson(contact.perhaps);
  const nameOf = (other: PerhapsSame) =>
    called({
      id: other.id,
      name: other.name,
      address: { connector: other.connector, scheme: "phone", value: other.phone },
    });
  const grounds = (one: MergedContact) => t(one.evidence === "service" ? "same.service_says" : "same.you_said");
  const pending = joining.join.isPending || joining.undo.isPending;
  if (others.length === 0 && contact.merged.length === 0 && !joining.failed) return null;

  return (
    <section ref={section} className={styles.same} aria-label={t("same.label")} tabIndex={-1}>
      {others.length > 0 ? (
        <>
          <h3>{t("same.perhaps")}</h3>
          <ul className={styles.people}>
            {others.map(([other, evidence]) => (
              <li key={other.id} className={styles.person}>
                <ChannelMark connector={other.connector} size={20} />
                <b className="cut" dir="auto">
                  {nameOf(other)}
                </b>
                <Button
                  size="sm"
                  aria-label={t("same.join_name", { name: nameOf(other) })}
                  busy={joining.join.isPending && joining.join.variables?.id === other.id}
                  disabled={pending}
                  onClick={() => joining.join.mutate({ id: other.id, name: nameOf(other) })}
                >
                  <Link2 size={14} strokeWidth={1.8} aria-hidden />
                  {t("same.join")}
                </Button>
                {evidence.map((one) => (
                  <span key={`${one.connector}${one.phone}`} className={styles.why}>
                    {t("same.number", { phone: one.phone, service: serviceOf(one.connector) })}
                  </span>
                ))}
              </li>
            ))}
          </ul>
        </>
      ) : null}
      {contact.merged.length > 0 ? (
        <>
          <h3>{t("same.joined")}</h3>
          <ul className={styles.people}>
            {contact.merged.map((one) => {
              const name = one.name.trim() || t("same.nameless");
              return (
                <li key={one.merge} className={styles.person}>
                  <Link2 size={16} strokeWidth={1.8} className={styles.mark} aria-hidden />
                  <b className="cut" dir="auto">
                    {name}
                  </b>
                  <Button
                    look="quiet"
                    size="sm"
                    aria-label={t("same.part_name", { name })}
                    busy={joining.undo.isPending && joining.undo.variables?.merge === one.merge}
                    disabled={pending}
                    onClick={() => joining.undo.mutate({ merge: one.merge, name })}
                  >
                    <Unlink2 size={14} strokeWidth={1.8} aria-hidden />
                    {t("same.part")}
                  </Button>
                  <span className={styles.why}>
                    {grounds(one)}{" "}
                    <time dateTime={new Date(one.at).toISOString()} title={fullTime(one.at, i18n.language)}>
                      {shortTime(one.at, now, i18n.language)}
                    </time>
                  </span>
                </li>
              );
            })}
          </ul>
        </>
      ) : null}
      {joining.failed ? (
        <p role="alert" className={styles.error}>
          {sentence(joining.failed, t)}
        </p>
      ) : null}
    </section>
  );
}

/** One person may have the number on several channels: one line each, one button for all. */
export function byPerson(perhaps: PerhapsSame[]): [PerhapsSame, PerhapsSame[]][] {
  const people = new Map<string, PerhapsSame[]>();
  for (const one of perhaps) people.set(one.id, [...(people.get(one.id) ?? []), one]);
  return [...people.values()].flatMap((evidence) => (evidence[0] ? [[evidence[0], evidence]] : []));
}
