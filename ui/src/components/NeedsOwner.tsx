import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { connections } from "../queries/connections";
import { Banner } from "./Banner";
import { Button } from "./Button";

/** One line for everything that waits for the owner: a key that is no longer taken, an account without credit. */
export function NeedsOwner() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const list = useQuery(connections());
  const waiting = list.data?.items.filter((one) => one.status === "needs_sign_in") ?? [];
  const first = waiting[0];
  if (first === undefined) return null;
  const go = () =>
    waiting.length === 1
      ? navigate({ to: "/connections/$connection", params: { connection: first.id } })
      : navigate({ to: "/connections" });
  return (
    <Banner
      look="gap"
      strong={t("needs_owner.title", { count: waiting.length, name: first.name })}
      actions={
        <Button size="sm" onClick={() => void go()}>
          {t("needs_owner.look")}
        </Button>
      }
    >
      {waiting.length === 1 && first.reason ? first.reason : t("needs_owner.text")}
    </Banner>
  );
}
