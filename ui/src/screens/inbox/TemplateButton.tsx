import { useQuery } from "@tanstack/react-query";
import { LayoutTemplate } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { ConversationRow, Part } from "../../bindings";
import { Button } from "../../components/Button";
import { connectors } from "../../queries/connections";
import { TemplatePicker } from "./TemplatePicker";

type Props = {
  row: ConversationRow;
  /** The time for free answers is over: then it is what there is to do. */
  closed: boolean;
  open: boolean;
  onOpen: (open: boolean) => void;
  onSend: (content: Part[]) => Promise<void>;
};

/** Opens the templates, where the channel has some. */
export function TemplateButton({ row, closed, open, onOpen, onSend }: Props) {
  const { t } = useTranslation();
  const kinds = useQuery(connectors());
  const kind = kinds.data?.items.find((one) => one.kind === row.connection.connector);
  if (kind?.channel?.templates !== true) return null;
  return (
    <>
      <Button look={closed ? "primary" : "quiet"} onClick={() => onOpen(true)}>
        <LayoutTemplate size={17} strokeWidth={1.8} aria-hidden /> {t("template.open")}
      </Button>
      <TemplatePicker connection={row.connection.id} open={open} onOpen={onOpen} onSend={onSend} />
    </>
  );
}
