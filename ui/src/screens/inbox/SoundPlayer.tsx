import { Gauge, Loader, Pause, Play } from "lucide-react";
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { MediaPart as Media } from "../../bindings";
import { mediaUrl, playableUrl } from "../../bridge";
import { size } from "../../words/size";
import { seconds } from "../../words/time";
import styles from "./SoundPlayer.module.css";

const speeds = [1, 1.5, 2] as const;
/** How far the arrow keys go, in seconds, and Page Up and Page Down. */
const step = 5;
const leap = 15;
const bars = 64;
const height = 24;

/** The one sound that plays: a second one silences it. */
let sounding: HTMLAudioElement | undefined;

/**
 * A sound or voice message: its wave form, played from where one points at it. Its bytes are fetched when it is first played; a place
 * chosen before is kept until then.
 */
export function SoundPlayer({ part, label }: { part: Media; label: string }) {
  const { t, i18n } = useTranslation();
  const audio = useRef<HTMLAudioElement>(null);
  const [source, setSource] = useState<{ url: string; revoke: () => void } | undefined>();
  const [state, setState] = useState<"still" | "loading" | "playing" | "failed">("still");
  const [at, setAt] = useState(0);
  const [measured, setMeasured] = useState<number | undefined>();
  const [speed, setSpeed] = useState<(typeof speeds)[number]>(1);
  useEffect(() => () => source?.revoke(), [source]);

  // A browser does not know the length of what it recorded itself; the hub has measured it.
  const total = part.duration_ms ? part.duration_ms / 1000 : measured;
  const start = () => {
    if (source !== undefined && state !== "failed") {
      audio.current?.play().catch(() => setState("failed"));
      return;
    }
    setState("loading");
    playableUrl(part.media, part.mime).then(setSource, () => setState("failed"));
  };
  const toggle = () => {
    if (state === "playing") audio.current?.pause();
    else if (state !== "loading") start();
  };
  const seek = (to: number) => {
    if (total === undefined) return;
    const place = Math.min(Math.max(to, 0), total);
    setAt(place);
    if (audio.current !== null) audio.current.currentTime = place;
  };
  const point = (event: PointerEvent<HTMLDivElement>) => {
    if (event.buttons !== 1 || total === undefined) return;
    const box = event.currentTarget.getBoundingClientRect();
    if (box.width > 0) seek(((event.clientX - box.left) / box.width) * total);
  };
  const press = (event: KeyboardEvent) => {
    const to = {
      ArrowRight: at + step,
      ArrowUp: at + step,
      ArrowLeft: at - step,
      ArrowDown: at - step,
      PageUp: at + leap,
      PageDown: at - leap,
      Home: 0,
      End: total ?? at,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    seek(to);
  };
  const turn = () => {
    const next = speeds[(speeds.indexOf(speed) + 1) % speeds.length] ?? 1;
    setSpeed(next);
    if (audio.current !== null) audio.current.playbackRate = next;
  };

  const played = total ? Math.round((at / total) * bars) : 0;
  const clock = (value: number) => seconds(Math.floor(value));
  const times = `${new Intl.NumberFormat(i18n.language).format(speed)}×`;
  return (
    <span className={styles.sound}>
      <button
        type="button"
        className={styles.play}
        aria-label={state === "playing" ? t("media.pause") : label}
        aria-busy={state === "loading"}
        onClick={toggle}
      >
        {state === "playing" ? (
          <Pause size={15} strokeWidth={2} aria-hidden />
        ) : state === "loading" ? (
          <Loader size={15} strokeWidth={2} aria-hidden />
        ) : (
          <Play size={15} strokeWidth={2} aria-hidden />
        )}
      </button>
      <div
        className={styles.track}
        role="slider"
        tabIndex={0}
        aria-label={t("media.position")}
        aria-valuemin={0}
        aria-valuemax={Math.round(total ?? 0)}
        aria-valuenow={Math.round(at)}
        aria-valuetext={t("media.position_of", { at: clock(at), total: clock(total ?? 0) })}
        aria-disabled={total === undefined}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture?.(event.pointerId);
          point(event);
        }}
        onPointerMove={point}
        onKeyDown={press}
      >
        <Wave wave={part.wave} played={played} />
      </div>
      <span className={`num ${styles.time}`}>
        {at > 0 || state === "playing"
          ? clock(at)
          : total === undefined
            ? size(part.bytes, i18n.language)
            : clock(total)}
      </span>
      <button type="button" className={styles.speed} aria-label={t("media.speed", { speed: times })} onClick={turn}>
        <Gauge size={12} strokeWidth={2} aria-hidden />
        <span className="num">{times}</span>
      </button>
      {state === "failed" ? (
        <a href={mediaUrl(part.media)} download={part.filename ?? ""} className={styles.cannot}>
          {t("media.cannot_play")}
        </a>
      ) : null}
      {source === undefined ? null : (
        // biome-ignore lint/a11y/useMediaCaption: the transcript stands below, where there is one.
        <audio
          ref={audio}
          src={source.url}
          autoPlay
          onLoadedMetadata={({ currentTarget }) => {
            currentTarget.playbackRate = speed;
            if (Number.isFinite(currentTarget.duration)) setMeasured(currentTarget.duration);
            if (at > 0) currentTarget.currentTime = at;
          }}
          onPlay={({ currentTarget }) => {
            if (sounding !== currentTarget) sounding?.pause();
            sounding = currentTarget;
            setState("playing");
          }}
          onTimeUpdate={({ currentTarget }) => setAt(currentTarget.currentTime)}
          onPause={() => setState((now) => (now === "failed" ? now : "still"))}
          onEnded={() => setAt(0)}
          onError={() => {
            setState("failed");
            setSource(undefined);
          }}
        />
      )}
    </span>
  );
}

/** The bars of a sound; a quiet line as long as nobody has listened to it. */
function Wave({ wave, played }: { wave: number[] | undefined; played: number }) {
  const bar = (_: unknown, n: number) => {
    const half = 1 + ((wave?.[n] ?? 0) / 255) * (height / 2 - 2);
    return `M${n * 3 + 1.5} ${(height / 2 - half).toFixed(1)}v${(half * 2).toFixed(1)}`;
  };
  const path = Array.from({ length: bars }, bar);
  return (
    <svg viewBox={`0 0 ${bars * 3} ${height}`} preserveAspectRatio="none" aria-hidden="true" className={styles.wave}>
      <path className={styles.played} d={path.slice(0, played).join("")} />
      <path className={styles.coming} d={path.slice(played).join("")} />
    </svg>
  );
}
