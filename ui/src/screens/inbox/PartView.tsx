import { BarChart3, ClipboardList, MapPin, MousePointerClick, Share2, ShoppingBag, User } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Part } from "../../bindings";
import { openExternal } from "../../bridge";
import { MarkdownText, PlainText } from "../../components/RichText";
import { MediaView } from "./MediaView";
import styles from "./PartView.module.css";

type Props = { part: Part; markdown?: boolean; mentions?: boolean; contactName: string; at: number };

/** One part of a message: words, a file, a place, a card, buttons. What we cannot show says so. */
export function PartView({ part, markdown, mentions, contactName, at }: Props) {
  const { t, i18n } = useTranslation();
  switch (part.type) {
    case "text":
      return markdown ? <MarkdownText text={part.text} /> : <PlainText text={part.text} mentions={mentions} />;
    case "media":
      return <MediaView part={part} contactName={contactName} at={at} />;
    case "location": {
      const place = `${part.latitude.toFixed(5)}, ${part.longitude.toFixed(5)}`;
      const url = `https://www.openstreetmap.org/?mlat=${part.latitude}&mlon=${part.longitude}#map=17/${part.latitude}/${part.longitude}`;
      return (
        <span className={styles.card}>
          <MapPin size={18} strokeWidth={1.8} aria-hidden />
          <span className="grow">
            <b dir="auto">{part.name || t("part.location")}</b>
            <small dir="auto">{part.address || place}</small>
            <button type="button" className={styles.open} onClick={() => void openExternal(url)}>
              {t("part.open_map")}
            </button>
          </span>
        </span>
      );
    }
    case "contacts":
      return part.contacts.map((one) => (
        <span className={styles.card} key={`${one.name}${one.phones[0] ?? ""}`}>
          <User size={18} strokeWidth={1.8} aria-hidden />
          <span className="grow">
            <b dir="auto">{one.name}</b>
            {one.phones.map((line) => (
              <small key={line} className="num">
                {line}
              </small>
            ))}
          </span>
        </span>
      ));
    case "choices":
      return (
        <span className={styles.choices}>
          <PlainText text={part.text} />
          <span className={styles.buttons}>
            {part.options.map((choice) => (
              <span key={choice.id}>{choice.label}</span>
            ))}
          </span>
        </span>
      );
    case "ask_location":
      return (
        <span className={styles.choices}>
          <PlainText text={part.text} />
          <span className={styles.buttons}>
            <span>
              <MapPin size={14} strokeWidth={1.8} aria-hidden /> {t("part.ask_location")}
            </span>
          </span>
        </span>
      );
    case "chosen":
      return (
        <span className={styles.chosen}>
          <MousePointerClick size={15} strokeWidth={1.8} aria-hidden />
          <span className="sr-only">{t("part.chose")} </span>
          {part.label}
        </span>
      );
    case "reaction":
      return <span title={t("part.reaction")}>{part.emoji}</span>;
    case "template":
      return <PlainText text={part.text || t("part.template", { name: part.name })} />;
    case "order":
      return (
        <span className={styles.card}>
          <ShoppingBag size={18} strokeWidth={1.8} aria-hidden />
          <span className="grow">
            <b>{t("part.order")}</b>
            {part.lines.map((line) => (
              <small key={line.product} className="num">
                {t("part.order_line", { quantity: line.quantity, product: line.product })}
                {line.price != null ? ` · ${price(line.price, line.currency, i18n.language)}` : ""}
              </small>
            ))}
            {part.text ? <PlainText text={part.text} /> : null}
          </span>
        </span>
      );
    case "form":
      return (
        <span className={styles.card}>
          <ClipboardList size={18} strokeWidth={1.8} aria-hidden />
          <span className="grow">
            <b dir="auto">{t("part.form", { name: part.name })}</b>
            {Object.entries(part.answers).map(([name, answer]) => (
              <small key={name} dir="auto">
                {name}: {typeof answer === "string" ? answer : JSON.stringify(answer)}
              </small>
            ))}
          </span>
        </span>
      );
    case "shared": {
      const { url } = part;
      return (
        <span className={styles.card}>
          <Share2 size={18} strokeWidth={1.8} aria-hidden />
          <span className="grow">
            <b>{t(`part.shared_${shared(part.what)}`)}</b>
            {part.title ? <small dir="auto">{part.title}</small> : null}
            {url?.startsWith("https://") ? (
              <button type="button" className={styles.open} onClick={() => void openExternal(url)}>
                {t("part.see_it")}
              </button>
            ) : null}
          </span>
        </span>
      );
    }
    case "event":
      return null;
    default:
      return (
        <span className={styles.unsupported}>
          <BarChart3 size={16} strokeWidth={1.8} aria-hidden />
          {t("part.unsupported", { what: (part.type === "unsupported" && part.kind) || t("part.something") })}
        </span>
      );
  }
}

const SHARED = ["story_reply", "story_mention", "post", "reel"] as const;

/** What was shared, as far as there is a word for it. */
function shared(what: string) {
  return SHARED.find((known) => known === what) ?? "link";
}

function price(amount: number, currency: string | null | undefined, language: string) {
  try {
    return new Intl.NumberFormat(language, currency ? { style: "currency", currency } : {}).format(amount);
  } catch {
    // A currency that nobody knows is shown as it came.
    return `${amount} ${currency ?? ""}`.trim();
  }
}
