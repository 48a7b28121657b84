import { useMutation, useQuery } from "@tanstack/react-query";
import { ShieldCheck, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { call } from "../../bridge";
import { Button } from "../../components/Button";
import { Chip } from "../../components/Chip";
import { CopyBox } from "../../components/CopyBox";
import { useToast } from "../../components/Toast";
import { queryClient } from "../../queries/client";
import { backups } from "../../queries/hub";
import { sentence } from "../../words/error";
import { size } from "../../words/size";
import { dayAndClock } from "../../words/time";
import { Fact } from "./Setting";
import styles from "./Setting.module.css";

/** The copies that are made by themselves every day: the last good one, why there is none of today, and one now. */
export function DailyBackups() {
  const { t, i18n } = useTranslation();
  const say = useToast();
  const known = useQuery(backups());
  const now = useMutation({
    mutationFn: () => call("back_up_now", {}),
    onSuccess: (fresh) => {
      queryClient.setQueryData(backups().queryKey, fresh);
      say(t("backup.made"));
    },
  });
  if (known.isError)
    return (
      <p className={styles.error} role="alert">
        {sentence(known.error, t)}
      </p>
    );
  if (known.data === undefined) return null;
  const { local, copies, folder } = known.data;
  return (
    <>
      <Fact name={t("backup.daily")}>
        {local.done_at ? (
          <Chip look={local.trouble ? "plain" : "good"}>
            <ShieldCheck size={14} strokeWidth={1.8} aria-hidden />
            {t("backup.last", {
              when: dayAndClock(local.done_at, i18n.language),
              size: size(local.bytes, i18n.language),
            })}
          </Chip>
        ) : (
          <span className="muted">{t("backup.none")}</span>
        )}
        {local.trouble ? (
          <p className={`row ${styles.error}`}>
            <TriangleAlert size={15} strokeWidth={1.8} aria-hidden />
            <span>{local.trouble}</span>
          </p>
        ) : null}
        <p className="muted">{t("backup.daily_text", { count: copies.length })}</p>
      </Fact>
      <Fact name={t("backup.folder")}>
        <CopyBox text={folder} label={t("backup.folder")} />
      </Fact>
      {now.isError ? (
        <p className={styles.error} role="alert">
          {sentence(now.error, t)}
        </p>
      ) : null}
      <div>
        <Button busy={now.isPending} busyWord={t("backup.making")} onClick={() => now.mutate()}>
          {t("backup.now")}
        </Button>
      </div>
    </>
  );
}
