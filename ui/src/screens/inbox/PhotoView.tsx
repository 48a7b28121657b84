import { Dialog as Base } from "@base-ui/react/dialog";
import { Download, X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { MediaPart } from "../../bindings";
import { mediaUrl } from "../../bridge";
import buttons from "../../components/Button.module.css";
import styles from "./MediaView.module.css";

/** The shapes of photos that were seen, so that a photo drawn again keeps its place before it is there. */
const shapes = new Map<string, number>();
const usual = 4 / 3;

/** A photo in a bubble; pressed, it is shown as large as the window. */
export function PhotoView({ part, alt }: { part: MediaPart; alt: string }) {
  const { t } = useTranslation();
  const [shape, setShape] = useState(shapes.get(part.media));
  const url = mediaUrl(part.media);
  return (
    <Base.Root>
      <Base.Trigger className={styles.frame} aria-label={t("media.open_photo", { what: alt })}>
        <img
          className={styles.photo}
          style={{ aspectRatio: shape ?? usual }}
          src={url}
          loading="lazy"
          alt={alt}
          onLoad={({ currentTarget: image }) => {
            if (image.naturalHeight === 0) return;
            shapes.set(part.media, image.naturalWidth / image.naturalHeight);
            setShape(image.naturalWidth / image.naturalHeight);
          }}
        />
      </Base.Trigger>
      <Base.Portal>
        <Base.Backdrop className={styles.dark} />
        <Base.Popup className={styles.large} aria-label={alt}>
          <img src={url} alt={alt} />
          <div className={styles.tools}>
            <a
              className={`${buttons.btn} ${buttons.icon}`}
              href={url}
              download={part.filename || ""}
              aria-label={t("media.download")}
              title={t("media.download")}
            >
              <Download size={18} strokeWidth={1.8} aria-hidden />
            </a>
            <Base.Close className={`${buttons.btn} ${buttons.icon}`} aria-label={t("common.close")}>
              <X size={18} strokeWidth={1.8} aria-hidden />
            </Base.Close>
          </div>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
