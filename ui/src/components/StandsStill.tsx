import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { MovedHub } from "../bindings";
import { call } from "../bridge";
import { queryClient } from "../queries/client";
import { sentence } from "../words/error";
import { dayAndClock } from "../words/time";
import { Banner } from "./Banner";
import { Button } from "./Button";
import { Dialog } from "./Dialog";

/** A hub that came from another computer stands still until its owner says that the other one is off. */
export function StandsStill({ moved }: { moved: MovedHub }) {
  const { t, i18n } = useTranslation();
  const [asking, setAsking] = useState(false);
  const start = useMutation({
    mutationFn: () => call("confirm_move", {}),
    onSuccess: () => {
      setAsking(false);
      return queryClient.invalidateQueries();
    },
  });
  return (
    <>
      <Banner
        look="deaf"
        strong={t("moved.title")}
        actions={
          <Button size="sm" look="primary" onClick={() => setAsking(true)}>
            {t("moved.start")}
          </Button>
        }
      >
        {t("moved.text", { when: dayAndClock(moved.made_at, i18n.language) })}
      </Banner>
      <Dialog
        open={asking}
        onOpen={setAsking}
        title={t("moved.question")}
        text={t("moved.why")}
        actions={
          <>
            <Button look="quiet" onClick={() => setAsking(false)}>
              {t("moved.not_yet")}
            </Button>
            <Button look="primary" busy={start.isPending} onClick={() => start.mutate()}>
              {t("moved.is_off")}
            </Button>
          </>
        }
      >
        {moved.parked > 0 ? <p>{t("moved.parked", { count: moved.parked })}</p> : null}
        {moved.sign_ins.length > 0 ? (
          <>
            <p>{t("moved.sign_ins")}</p>
            <ul>
              {moved.sign_ins.map((one) => (
                <li key={one.connection}>
                  <b>{one.name}</b>: {one.why}
                </li>
              ))}
            </ul>
          </>
        ) : null}
        {start.isError ? <p role="alert">{sentence(start.error, t)}</p> : null}
      </Dialog>
    </>
  );
}
