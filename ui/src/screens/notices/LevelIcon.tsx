import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import type { NoticeLevel } from "../../bindings";

const icons = { problem: TriangleAlert, warning: CircleAlert, info: Info } satisfies Record<NoticeLevel, unknown>;

/** How grave a notice is, by shape. */
export function LevelIcon({ level, size }: { level: NoticeLevel; size: number }) {
  const Icon = icons[level];
  return <Icon size={size} strokeWidth={1.8} aria-hidden />;
}
