import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { backups } from "../queries/hub";
import { Progress } from "./Progress";

/** How far the making or unpacking of a sealed file is. */
export function BackupProgress() {
  const { t } = useTranslation();
  const progress = useQuery({ ...backups(), refetchInterval: 400 }).data?.progress;
  return (
    <div>
      <p className="muted">{t(`backup.doing.${progress?.doing ?? "checking"}`)}</p>
      <Progress label={t("backup.progress")} done={progress?.done} total={progress?.total} />
    </div>
  );
}
