import { Lock } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Chip } from "../../components/Chip";
import { fullTime, span } from "../../words/time";

const day = 24 * 3_600_000;
const short = 2 * 3_600_000;
const round = 2 * Math.PI * 6.5;

/** How long one may still answer freely: a ring and words, brass under two hours, a red lock when it is over. */
export function ReplyWindow({ endsAt, now }: { endsAt: number; now: number }) {
  const { t, i18n } = useTranslation();
  const left = endsAt - now;
  const title = fullTime(endsAt, i18n.language);
  if (left <= 0) {
    return (
      <Chip look="bad" title={title}>
        <Lock size={13} strokeWidth={1.8} aria-hidden />
        {t("window.closed")}
      </Chip>
    );
  }
  const time = span(left, i18n.language);
  return (
    <Chip look={left < short ? "wait" : "line"} title={title}>
      <svg width="14" height="14" viewBox="0 0 18 18" fill="none" strokeWidth="3" aria-hidden="true">
        <circle cx="9" cy="9" r="6.5" stroke="var(--line-strong)" />
        <circle
          cx="9"
          cy="9"
          r="6.5"
          stroke={left < short ? "currentColor" : "var(--good)"}
          strokeDasharray={round}
          strokeDashoffset={round * (1 - Math.min(1, left / day))}
          transform="rotate(-90 9 9)"
        />
      </svg>
      <span className="num">{t("window.left", { time })}</span>
    </Chip>
  );
}
