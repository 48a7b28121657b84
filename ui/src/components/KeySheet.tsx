import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { UpdateSettings } from "../bindings";
import { call } from "../bridge";
import {
  bindings,
  type ChangedKeys,
  type KeyGroup,
  type KeyId,
  keyIds,
  keymap,
  takenBy,
  withKey,
} from "../keys/keymap";
import { settings } from "../queries/hub";
import { sentence } from "../words/error";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Kbd } from "./Kbd";
import { KeyCapture } from "./KeyCapture";
import styles from "./KeySheet.module.css";
import { Switch } from "./Switch";
import { useToast } from "./Toast";

const groups: KeyGroup[] = [
  "list",
  "conversation",
  "go",
  "everywhere",
  "activity",
  "connections",
  "knowledge",
  "agents",
  "forms",
];
const asUsual: ChangedKeys = {};

/** Every key on one sheet. A press on one changes it; single letters can be switched off all together. */
export function KeySheet({ open, onOpen }: { open: boolean; onOpen: (open: boolean) => void }) {
  const { t } = useTranslation();
  return (
    <Dialog open={open} onOpen={onOpen} title={t("keys.title")} text={t("keys.hint")} wide>
      {open ? <Sheet /> : null}
    </Dialog>
  );
}

function Sheet() {
  const { t } = useTranslation();
  const say = useToast();
  const client = useQueryClient();
  const shop = useQuery(settings());
  const switchId = useId();
  const changed = shop.data?.keys ?? asUsual;
  const all = useMemo(() => bindings(changed), [changed]);
  /** The key that is listened for, and what stands in its way. */
  const [asking, setAsking] = useState<KeyId>();
  const [wanted, setWanted] = useState<{ id: KeyId; keys: string; taken: KeyId }>();
  const save = useMutation({
    mutationFn: (change: UpdateSettings) => call("update_settings", change),
    onSuccess: (fresh) => client.setQueryData(settings().queryKey, fresh),
  });
  const put = (next: ChangedKeys) => {
    setAsking(undefined);
    setWanted(undefined);
    save.mutate({ keys: next });
  };
  const choose = (id: KeyId, keys: string) => {
    const taken = takenBy(all, id, keys);
    if (taken === undefined) put(withKey(changed, id, keys));
    else {
      setAsking(undefined);
      setWanted({ id, keys, taken });
    }
  };

  const line = (id: KeyId) => {
    const what = t(`keys.${id}`);
    const { fixed } = keymap[id];
    if (wanted?.id === id) {
      return (
        <div key={id} className={styles.conflict}>
          <dt>{what}</dt>
          <dd>
            <p role="alert">
              <Kbd keys={wanted.keys} />{" "}
              {t("keys.taken", { keys: wanted.keys.toUpperCase(), what: t(`keys.${wanted.taken}`) })}
            </p>
            {keymap[wanted.taken].fixed ? null : (
              <Button size="sm" onClick={() => put(withKey(withKey(changed, wanted.taken, ""), id, wanted.keys))}>
                {t("keys.take_it")}
              </Button>
            )}
            <Button size="sm" look="quiet" onClick={() => setWanted(undefined)}>
              {t("keys.keep")}
            </Button>
          </dd>
        </div>
      );
    }
    return (
      <div key={id}>
        <dt>{what}</dt>
        <dd>
          {fixed ? (
            <Kbd keys={all[id]} spoken />
          ) : asking === id ? (
            <KeyCapture onKeys={(keys) => choose(id, keys)} onGiveUp={() => setAsking(undefined)} />
          ) : (
            <button
              type="button"
              className={styles.key}
              data-changed={changed[id] !== undefined || undefined}
              aria-label={t("keys.change", { what, keys: all[id] || t("keys.no_key") })}
              onClick={() => {
                setWanted(undefined);
                setAsking(id);
              }}
            >
              {all[id] === "" ? <span className={styles.none}>{t("keys.no_key")}</span> : <Kbd keys={all[id]} />}
            </button>
          )}
        </dd>
      </div>
    );
  };

  return (
    <>
      {save.isError ? (
        <p className={styles.error} role="alert">
          {sentence(save.error, t)}
        </p>
      ) : null}
      <div className={styles.sheet} data-off={shop.data?.single_keys === false || undefined}>
        {groups.map((group) => (
          <section key={group}>
            <h3>{t(`keys.group_${group}`)}</h3>
            <dl>{keyIds.filter((id) => keymap[id].group === group).map(line)}</dl>
          </section>
        ))}
      </div>
      <div className={styles.foot}>
        <label htmlFor={switchId} className="grow">
          {t("settings.single_keys")}
          <small>{t("settings.single_keys_text")}</small>
        </label>
        <Switch
          id={switchId}
          checked={shop.data?.single_keys !== false}
          onChecked={(single_keys) => save.mutate({ single_keys })}
        />
        {Object.keys(changed).length > 0 ? (
          <Button
            onClick={() => {
              const before = changed;
              put(asUsual);
              say(t("keys.reset_said"), { action: { label: t("common.undo"), onAction: () => put(before) } });
            }}
          >
            {t("keys.reset")}
          </Button>
        ) : null}
      </div>
    </>
  );
}
