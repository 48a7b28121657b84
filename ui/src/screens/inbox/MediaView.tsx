import { Download, FileText, Play } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { MediaPart as Media } from "../../bindings";
import { mediaUrl, playableUrl } from "../../bridge";
import { PlainText } from "../../components/RichText";
import { size } from "../../words/size";
import { clock, seconds } from "../../words/time";
import styles from "./MediaView.module.css";
import { PhotoView } from "./PhotoView";
import { SoundPlayer } from "./SoundPlayer";

/** A file in a message. Pictures keep their place before they are there; sound and film are fetched when they are played. */
export function MediaView({ part, contactName, at }: { part: Media; contactName: string; at: number }) {
  const { t, i18n } = useTranslation();
  const words = { name: contactName, time: clock(at, i18n.language) };
  const caption = part.caption ? (
    <span className={styles.caption}>
      <PlainText text={part.caption} />
    </span>
  ) : null;

  if (part.kind === "image" || part.kind === "sticker") {
    const sticker = part.kind === "sticker";
    const alt = part.caption || t(sticker ? "media.sticker_from" : "media.photo_from", words);
    return (
      <>
        {sticker ? (
          <img className={styles.sticker} src={mediaUrl(part.media)} loading="lazy" alt={alt} />
        ) : (
          <PhotoView part={part} alt={alt} />
        )}
        {caption}
      </>
    );
  }
  if (part.kind === "voice" || part.kind === "audio" || part.kind === "video") {
    return (
      <>
        {part.kind === "video" ? (
          <FilmPlayer part={part} label={t("media.play_video", words)} />
        ) : (
          <SoundPlayer part={part} label={t("media.play_voice", words)} />
        )}
        {caption}
      </>
    );
  }
  const name = part.filename || t("media.file");
  return (
    <>
      <a className={styles.file} href={mediaUrl(part.media)} download={name} target="_blank" rel="noreferrer">
        <span className={styles.paper}>
          <FileText size={16} strokeWidth={1.8} aria-hidden />
        </span>
        <span className="grow">
          <b className="cut">{name}</b>
          <small>{size(part.bytes, i18n.language)}</small>
        </span>
        <Download size={16} strokeWidth={1.8} aria-label={t("media.download")} />
      </a>
      {caption}
    </>
  );
}

/** A button first; the file is fetched when it is pressed, and its address is given back when it leaves the screen. */
function FilmPlayer({ part, label }: { part: Media; label: string }) {
  const { t, i18n } = useTranslation();
  const [source, setSource] = useState<{ url: string; revoke: () => void } | undefined>();
  const [failed, setFailed] = useState(false);
  useEffect(() => () => source?.revoke(), [source]);
  const play = () => {
    setFailed(false);
    playableUrl(part.media, part.mime).then(setSource, () => setFailed(true));
  };

  if (source !== undefined && !failed) {
    // biome-ignore lint/a11y/useMediaCaption: a customer's film brings no captions.
    return <video className={styles.video} src={source.url} controls autoPlay onError={() => setFailed(true)} />;
  }
  return (
    <span className={styles.player}>
      <button type="button" className={styles.play} aria-label={label} onClick={play}>
        <Play size={14} strokeWidth={1.8} aria-hidden />
      </button>
      <span className="num">
        {part.duration_ms ? seconds(part.duration_ms / 1000) : size(part.bytes, i18n.language)}
      </span>
      {failed ? (
        <a href={mediaUrl(part.media)} download={part.filename ?? ""} className={styles.cannot}>
          {t("media.cannot_play")}
        </a>
      ) : null}
    </span>
  );
}
