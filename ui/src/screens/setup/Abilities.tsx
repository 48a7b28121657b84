import {
  CheckCheck,
  Contact,
  FileText,
  Image,
  Keyboard,
  LayoutTemplate,
  List,
  ListChecks,
  MapPin,
  MapPinned,
  MessageSquare,
  Mic,
  Pencil,
  Reply,
  Smile,
  Sparkles,
  Sticker,
  Video,
  Wrench,
} from "lucide-react";
import { useTranslation } from "react-i18next";
import { Chip } from "../../components/Chip";
import styles from "./Abilities.module.css";

const known = {
  text: MessageSquare,
  photos: Image,
  voice: Mic,
  video: Video,
  files: FileText,
  location: MapPin,
  ask_location: MapPinned,
  buttons: ListChecks,
  read_ticks: CheckCheck,
  typing: Keyboard,
  edits: Pencil,
  streaming: Sparkles,
  tools: Wrench,
  stickers: Sticker,
  contacts: Contact,
  replies: Reply,
  lists: List,
  reactions: Smile,
  templates: LayoutTemplate,
} as const;
type Known = keyof typeof known;

/** What a connection can carry. An ability that we have no word for is shown as the connector names it. */
export function Abilities({ list }: { list: string[] }) {
  const { t } = useTranslation();
  if (list.length === 0) return null;
  return (
    <section>
      <h2 className={styles.title}>{t("setup.can")}</h2>
      <ul className={styles.chips}>
        {list.map((one) => {
          const Icon = one in known ? known[one as Known] : undefined;
          return (
            <li key={one}>
              <Chip>
                {Icon ? <Icon size={14} strokeWidth={1.8} aria-hidden /> : null}
                {Icon ? t(`setup.abilities.${one as Known}`) : one.replaceAll("_", " ")}
              </Chip>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
