import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Message } from "../../bindings";
import { useAgentName } from "../../hooks/useAgentName";

/**
 * Reads out what is new in an open conversation, politely and once it is whole. The flow itself is silent: it draws old
 * messages anew while one scrolls.
 */
export function NewMessages({ all, contactName }: { all: Message[]; contactName: string }) {
  const { t } = useTranslation();
  const nameOf = useAgentName();
  const last = all.findLast((one) => one.direction === "in" || one.author.type === "agent");
  const [heard, setHeard] = useState({ id: last?.id, said: "" });
  if (last !== undefined && last.id !== heard.id) {
    const name = last.author.type === "agent" ? nameOf(last.author.id, last.author.name) : contactName;
    const text = last.content.map(wordsOf).filter(Boolean).join(" ") || t("inbox.no_words");
    setHeard({ id: last.id, said: `${name}: ${text}` });
  }
  return (
    <div className="sr-only" role="status">
      {heard.said}
    </div>
  );
}

function wordsOf(part: Message["content"][number]): string {
  switch (part.type) {
    case "text":
    case "choices":
      return part.text;
    case "media":
      return part.caption ?? part.filename ?? "";
    case "chosen":
      return part.label;
    case "reaction":
      return part.emoji;
    case "location":
      return part.name ?? "";
    default:
      return "";
  }
}
