import { Check, CheckCheck, CircleDashed, CircleQuestionMark, CircleX, Clock } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Delivery, DeliveryStatus } from "../bindings";
import { deliveryReason } from "../words/delivery";
import styles from "./Tick.module.css";

const icons: Record<DeliveryStatus, typeof Check> = {
  queued: Clock,
  sending: CircleDashed,
  unconfirmed: CircleQuestionMark,
  sent: Check,
  delivered: CheckCheck,
  read: CheckCheck,
  failed: CircleX,
};

/** How far a message came, only from evidence; each state has a shape of its own. Hover: why, and the provider's id. */
export function Tick({
  delivery,
  id,
  size = 14,
}: {
  delivery: Pick<Delivery, "status" | "reason" | "parked">;
  id?: string | null | undefined;
  size?: number;
}) {
  const { t } = useTranslation();
  const status = delivery.parked ? "failed" : delivery.status;
  const Icon = icons[status] ?? CircleQuestionMark;
  const word = t(`delivery.${status}`);
  return (
    <span
      className={`${styles.tick} ${styles[status]}`}
      title={[word, deliveryReason(delivery.reason, t), id].filter(Boolean).join("\n")}
    >
      <Icon size={size} strokeWidth={1.8} aria-hidden />
      <span className="sr-only">{word}</span>
    </span>
  );
}
