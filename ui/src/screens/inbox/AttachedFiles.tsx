import { Paperclip, TriangleAlert, X } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/Button";
import { Progress } from "../../components/Progress";
import { sentence } from "../../words/error";
import { size } from "../../words/size";
import styles from "./AttachedFiles.module.css";
import { type Limits, mostFiles, refusal } from "./attachments";
import type { Attached, Attachments } from "./useAttachments";

type Props = { files: Attachments; limits: Limits | undefined; channel: string };

/** The files of a reply above its foot: what is there, what is on its way, what cannot go and what to do about it. */
export function AttachedFiles({ files, limits, channel }: Props) {
  const { t } = useTranslation();
  if (files.all.length === 0 && !files.tooMany) return null;
  return (
    <>
      <ul className={styles.files} aria-label={t("composer.files")}>
        {files.all.map((one) => (
          <li key={one.key} data-bad={one.refused !== undefined || one.failed !== undefined || undefined}>
            <OneFile one={one} files={files} limits={limits} channel={channel} />
            <Button
              look="quiet"
              size="sm"
              icon
              aria-label={t(one.part ? "composer.remove" : "composer.stop", { name: one.file.name })}
              onClick={() => files.remove(one.key)}
            >
              <X size={14} strokeWidth={1.8} aria-hidden />
            </Button>
          </li>
        ))}
      </ul>
      {files.tooMany ? (
        <p className={styles.many} role="alert">
          {t("composer.too_many", { most: mostFiles })}
        </p>
      ) : null}
    </>
  );
}

function OneFile({ one, files, limits, channel }: Props & { one: Attached }) {
  const { t, i18n } = useTranslation();
  const { name } = one.file;
  const has = size(one.file.size, i18n.language);
  if (one.refused !== undefined || one.failed !== undefined) {
    const asFile = one.kind !== "document" && refusal(one.file, limits, "document") === undefined;
    return (
      <>
        <TriangleAlert size={14} strokeWidth={1.8} aria-hidden />
        <span className={styles.why} role="alert">
          {one.refused === undefined
            ? t("composer.not_attached", { name, reason: sentence(one.failed, t) })
            : why(one, has)}
          {one.tooLarge ? ` ${t("composer.not_shrunk")}` : null}
        </span>
        {one.refused?.type === "too_big" && one.kind === "image" && !one.tooLarge ? (
          <Button size="sm" onClick={() => void files.shrink(one)}>
            {t("composer.shrink")}
          </Button>
        ) : null}
        {one.refused !== undefined && asFile ? (
          <Button size="sm" onClick={() => files.again(one, { kind: "document" })}>
            {t("composer.as_file")}
          </Button>
        ) : null}
        {one.failed !== undefined ? (
          <Button size="sm" onClick={() => files.again(one)}>
            {t("common.try_again")}
          </Button>
        ) : null}
      </>
    );
  }
  if (one.part === undefined) return <OnItsWay one={one} has={has} />;
  return (
    <>
      <Paperclip size={13} strokeWidth={1.8} aria-hidden />
      <span className="cut" title={name}>
        {name}
      </span>
      <small className="num">{size(one.part.bytes, i18n.language)}</small>
    </>
  );

  function why({ refused }: Attached, has: string): string {
    switch (refused?.type) {
      case "too_big":
        return t("composer.too_big", { name, size: has, channel, most: size(refused.most, i18n.language) });
      case "not_taken":
        return t("composer.not_taken", { name, channel });
      case "empty":
        return t("composer.empty", { name });
      case "kind":
        return t("composer.kind", { name });
      default:
        return "";
    }
  }
}

/** A bar only for what takes longer than a second. */
function OnItsWay({ one, has }: { one: Attached; has: string }) {
  const { t, i18n } = useTranslation();
  const [long, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), 1000);
    return () => clearTimeout(timer);
  }, []);
  const { name } = one.file;
  const percent = new Intl.NumberFormat(i18n.language, { style: "percent" }).format(one.progress ?? 0);
  const words =
    one.progress === undefined
      ? t("composer.reading", { name, size: has })
      : t("composer.uploading", { name, percent, size: has });
  return (
    <span className={styles.way}>
      <span className="cut num">{words}</span>
      {long ? <Progress label={words} done={one.progress} total={one.progress === undefined ? undefined : 1} /> : null}
    </span>
  );
}
