import { RefreshCw } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/Button";
import { Progress } from "../../components/Progress";
import { useKept } from "../../hooks/useKept";
import type { Evidence } from "./evidence";
import styles from "./GoLive.module.css";
import { Line } from "./Line";
import { goLive, type Item } from "./list";
import { Way } from "./Way";

/** What its owner has ticked, on this computer. */
export function useOwnTicks(connection: string): [Set<string>, (id: string, on: boolean) => void] {
  const [kept, keep] = useKept(`golive.${connection}`, "");
  const ticks = new Set(kept.split(",").filter(Boolean));
  return [
    ticks,
    (id, on) => {
      const next = new Set(ticks);
      if (on) next.add(id);
      else next.delete(id);
      keep([...next].sort().join(","));
    },
  ];
}

/** How much of the list is done. */
export const doneOf = (items: Item[], ticks: Set<string>): number =>
  items.filter((one) => one.state === "yes" || (one.state === "own" && ticks.has(one.id))).length;

type Props = {
  evidence: Evidence;
  /** What its owner has ticked. */
  ticks: Set<string>;
  onTick: (id: string, on: boolean) => void;
  now: number;
  /** Asks the service for a proof; missing while it cannot be asked. */
  onTest: (() => void) | undefined;
  testing: boolean;
  onAgain: () => void;
};

/** Before customers write: the list, filled in by what is known; and the way of a message, with the hop that is broken. */
export function GoLive({ evidence, ticks, onTick, now, onTest, testing, onAgain }: Props) {
  const { t } = useTranslation();
  const { connector } = evidence;
  const items = goLive(evidence);
  const done = doneOf(items, ticks);
  // Whoever opens the list wants to know: the service is asked once by itself.
  const asked = useRef(false);
  useEffect(() => {
    if (asked.current || evidence.test !== undefined || onTest === undefined) return;
    asked.current = true;
    onTest();
  }, [evidence.test, onTest]);

  return (
    <div className={styles.live}>
      <section aria-labelledby="live-way">
        <Way evidence={evidence} now={now} />
      </section>
      <section aria-labelledby="live-list">
        <div className={styles.head}>
          <h2 id="live-list">{t("live.title")}</h2>
          <span className={styles.count}>{t("live.done", { done, total: items.length })}</span>
        </div>
        <Progress label={t("live.title")} done={done} total={items.length} />
        <ul className={styles.items}>
          {items.map((item) => (
            <Line
              key={item.id}
              item={item}
              evidence={evidence}
              now={now}
              ticked={ticks.has(item.id)}
              onTick={(on) => onTick(item.id, on)}
            />
          ))}
        </ul>
      </section>
      <div className={styles.foot}>
        <p className={styles.small}>{t("live.kept", { name: connector.name })}</p>
        <Button
          busy={testing}
          busyWord={t("connections.testing")}
          onClick={() => {
            onAgain();
            onTest?.();
          }}
        >
          <RefreshCw size={16} strokeWidth={1.8} aria-hidden />
          {t("live.again")}
        </Button>
      </div>
    </div>
  );
}
