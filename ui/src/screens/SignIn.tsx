import { useTranslation } from "react-i18next";
import { Button } from "../components/Button";
import styles from "./Door.module.css";

/** This browser is not signed in. Sign-in links are printed by the server, once each; this says how to get one. */
export function SignIn({ used }: { used?: boolean }) {
  const { t } = useTranslation();
  return (
    <main className={styles.door}>
      <div className={styles.sheet}>
        <img src="/bell.svg" alt="" width="56" height="56" />
        <h1>{t("sign_in.title")}</h1>
        <p>{t(used ? "sign_in.used" : "sign_in.text")}</p>
        <ol>
          <li>{t("sign_in.step_1")}</li>
          <li>{t("sign_in.step_2")}</li>
          <li>{t("sign_in.step_3")}</li>
        </ol>
        <p className="muted">{t("sign_in.why")}</p>
        <Button size="lg" onClick={() => location.reload()}>
          {t("common.try_again")}
        </Button>
      </div>
    </main>
  );
}
