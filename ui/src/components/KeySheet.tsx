import { useTranslation } from "react-i18next";
import { type KeyGroup, keyIds, keymap, keyParts } from "../keys/keymap";
import { Dialog } from "./Dialog";
import { Kbd } from "./Kbd";
import styles from "./KeySheet.module.css";

const groups: KeyGroup[] = ["list", "conversation", "go", "everywhere"];

/** Every key on one sheet. */
export function KeySheet({
  open,
  onOpen,
  single,
}: {
  open: boolean;
  onOpen: (open: boolean) => void;
  single: boolean;
}) {
  const { t } = useTranslation();
  return (
    <Dialog open={open} onOpen={onOpen} title={t("keys.title")} text={t(single ? "keys.hint" : "keys.off")} wide>
      <div className={styles.sheet}>
        {groups.map((group) => (
          <section key={group}>
            <h3>{t(`keys.group_${group}`)}</h3>
            <dl>
              {keyIds
                .filter((id) => keymap[id].group === group)
                .map((id) => (
                  <div key={id}>
                    <dt>{t(`keys.${id}`)}</dt>
                    <dd>
                      <Kbd keys={keyParts(id)} />
                      <span className="sr-only">{keyParts(id).join(" ")}</span>
                    </dd>
                  </div>
                ))}
              {group === "everywhere" ? (
                <div>
                  <dt>{t("keys.panes")}</dt>
                  <dd>
                    <kbd>F6</kbd>
                  </dd>
                </div>
              ) : null}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
