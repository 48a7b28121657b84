import { useQuery } from "@tanstack/react-query";
import { LayoutTemplate } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ConversationRow, Part } from "../../bindings";
import { Button } from "../../components/Button";
import { connectors } from "../../queries/connections";
import { TemplatePicker } from "./TemplatePicker";

type Props = {
  row: ConversationRow;
  /** The time for free answers is over: then it is what there is to do. */
  closed: boolean;
  onSend: (content: Part[]) => Promise<void>;
};

/** Opens the templates, where the channel has some. */
export function TemplateButton({ row, closed, onSend }: Props) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const kinds = useQuery(connectors());
  const kind = kinds.data?.items.find((one) => one.kind === row.connection.connector);
  if (kind?.channel?.templates !== true) return null;
  return (
    <>
      <Button look={closed ? "primary" : "quiet"} onClick={() => setOpen(true)}>
        <LayoutTemplate size={17} strokeWidth={1.8} aria-hidden /> {t("template.open")}
      </Button>
      <TemplatePicker connection={row.connection.id} open={open} onOpen={setOpen} onSend={onSend} />
    </>
  );
}
