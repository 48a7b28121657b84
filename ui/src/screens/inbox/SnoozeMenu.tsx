import { CalendarClock, Clock, RotateCcw } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/Button";
import { Menu, MenuItem, MenuLine } from "../../components/Menu";
import { type SnoozeChoice, snoozeChoices } from "../../words/snooze";
import { clock, dayAndClock, sameDay } from "../../words/time";
import styles from "./Conversation.module.css";
import { SnoozeDialog } from "./SnoozeDialog";

const words = {
  reply: "inbox.snooze_reply",
  later: "inbox.snooze_later",
  tomorrow: "inbox.snooze_tomorrow",
  week: "inbox.snooze_week",
} as const satisfies Record<SnoozeChoice, string>;

type Props = {
  snoozed: boolean;
  open: boolean;
  onOpen: (open: boolean) => void;
  /** `null`: until the customer writes. */
  onSnooze: (until: number | null) => void;
  onWake: () => void;
};

/** Out of sight until a moment, or until the customer writes. */
export function SnoozeMenu({ snoozed, open, onOpen, onSnooze, onWake }: Props) {
  const { t, i18n } = useTranslation();
  const [picking, setPicking] = useState(false);
  const now = Date.now();
  const when = (until: number) =>
    sameDay(until, now) ? clock(until, i18n.language) : dayAndClock(until, i18n.language);
  return (
    <>
      <Menu
        open={open}
        onOpen={onOpen}
        trigger={
          <Button
            look="quiet"
            icon
            aria-label={t("inbox.snooze")}
            title={t("inbox.snooze")}
            data-on={snoozed || undefined}
            className={styles.clock}
          >
            <Clock size={18} strokeWidth={1.8} aria-hidden />
          </Button>
        }
      >
        {snoozed ? (
          <>
            <MenuItem icon={<RotateCcw size={16} strokeWidth={1.8} />} onSelect={onWake}>
              {t("inbox.wake")}
            </MenuItem>
            <MenuLine />
          </>
        ) : null}
        {snoozeChoices(now).map(({ id, until }) => (
          <MenuItem
            key={id}
            hint={until === null ? null : <span className={`${styles.when} num`}>{when(until)}</span>}
            onSelect={() => onSnooze(until)}
          >
            {t(words[id])}
          </MenuItem>
        ))}
        <MenuLine />
        <MenuItem icon={<CalendarClock size={16} strokeWidth={1.8} />} onSelect={() => setPicking(true)}>
          {t("inbox.snooze_pick")}
        </MenuItem>
      </Menu>
      <SnoozeDialog open={picking} onOpen={setPicking} onSnooze={onSnooze} />
    </>
  );
}
