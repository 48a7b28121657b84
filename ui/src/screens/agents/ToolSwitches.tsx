import { useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/Button";
import { Chip } from "../../components/Chip";
import { Skeleton } from "../../components/Skeleton";
import { Switch } from "../../components/Switch";
import { tools } from "../../queries/agents";
import { sentence } from "../../words/error";
import styles from "./AgentForm.module.css";

type Props = { value: string[]; onValue: (tools: string[]) => void };

/** What the agent may do besides writing. What changes something is marked. */
export function ToolSwitches({ value, onValue }: Props) {
  const { t } = useTranslation();
  const list = useQuery(tools());
  if (list.isError)
    return (
      <p className={styles.aside}>
        {sentence(list.error, t)}{" "}
        <Button size="sm" onClick={() => void list.refetch()}>
          {t("common.try_again")}
        </Button>
      </p>
    );
  if (list.data === undefined) return <Skeleton rows={4} height={56} />;
  return (
    <ul className={styles.tools}>
      {list.data.items.map((tool) => {
        const id = `tool-${tool.name}`;
        return (
          <li key={tool.name}>
            <label htmlFor={id} className="grow">
              <b>{knownTitle(tool.name, t)}</b>
              {tool.changes ? (
                <Chip look="wait" small>
                  {t("agents.changes")}
                </Chip>
              ) : null}
              <small>{tool.description}</small>
            </label>
            <Switch
              id={id}
              checked={value.includes(tool.name)}
              onChecked={(on) => onValue(on ? [...value, tool.name] : value.filter((one) => one !== tool.name))}
            />
          </li>
        );
      })}
    </ul>
  );
}

const titles = [
  "knowledge_search",
  "knowledge_get_document",
  "conversation_get_context",
  "conversation_set_state",
  "transfer_to_human",
  "escalate",
  "end_conversation",
  "report_conversion",
  "offer_choices",
  "ask_location",
  "send_location",
] as const;

/** A tool's name in words; one that we do not know keeps its own. */
export function knownTitle(name: string, t: TFunction): string {
  const known = titles.find((one) => one === name);
  return known ? t(`agents.tool.${known}`) : name.replaceAll("_", " ");
}
