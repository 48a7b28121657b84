import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Ellipsis, Pause, Play, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Connection } from "../../bindings";
import { call } from "../../bridge";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Menu, MenuItem, MenuLine } from "../../components/Menu";
import { useToast } from "../../components/Toast";
import { queryClient } from "../../queries/client";
import { sentence } from "../../words/error";
import styles from "./Setup.module.css";

/** Pause, resume and delete. Pausing can be undone at once; deleting asks first. */
export function SetupMenu({ connection }: { connection: Connection }) {
  const { t } = useTranslation();
  const say = useToast();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const { id, name } = connection;
  const refresh = () => queryClient.invalidateQueries({ queryKey: ["connections"] });
  const turn = useMutation({
    mutationFn: (status: "active" | "paused") => call("update_connection", { id, status }),
    onSuccess: (_, status) => {
      void refresh();
      if (status === "paused")
        say(t("setup.paused", { name }), {
          action: { label: t("common.undo"), onAction: () => turn.mutate("active") },
        });
      else say(t("setup.resumed", { name }));
    },
  });
  const remove = useMutation({
    mutationFn: () => call("delete_connection", { id }),
    onSuccess: () => {
      void navigate({ to: "/connections" });
      void refresh();
      say(t("setup.deleted", { name }));
    },
  });
  const paused = connection.status === "paused";

  return (
    <>
      <Menu
        trigger={
          <Button look="quiet" icon aria-label={t("setup.menu", { name })}>
            <Ellipsis size={18} strokeWidth={1.8} aria-hidden />
          </Button>
        }
      >
        {connection.status === "draft" ? null : (
          <>
            <MenuItem
              icon={
                paused ? (
                  <Play size={16} strokeWidth={1.8} aria-hidden />
                ) : (
                  <Pause size={16} strokeWidth={1.8} aria-hidden />
                )
              }
              onSelect={() => turn.mutate(paused ? "active" : "paused")}
            >
              {t(paused ? "connections.resume" : "setup.pause")}
            </MenuItem>
            <MenuLine />
          </>
        )}
        <MenuItem icon={<Trash2 size={16} strokeWidth={1.8} aria-hidden />} danger onSelect={() => setAsking(true)}>
          {t("setup.delete")}
        </MenuItem>
      </Menu>
      {turn.isError ? (
        <span role="alert" className={styles.trouble}>
          {sentence(turn.error, t)}
        </span>
      ) : null}
      <Dialog
        open={asking}
        onOpen={setAsking}
        title={t("setup.delete_title", { name })}
        text={t("setup.delete_text")}
        actions={
          <>
            <Button onClick={() => setAsking(false)}>{t("common.cancel")}</Button>
            <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
              {t("setup.delete")}
            </Button>
          </>
        }
      >
        {remove.isError ? (
          <p role="alert" className={styles.trouble}>
            {sentence(remove.error, t)}
          </p>
        ) : null}
      </Dialog>
    </>
  );
}
