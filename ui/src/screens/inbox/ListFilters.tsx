import { useQuery } from "@tanstack/react-query";
import { SlidersHorizontal, X } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/Button";
import { ChannelMark } from "../../components/ChannelMark";
import { LabelDot } from "../../components/LabelDot";
import { Menu, MenuCheck, MenuGroup, MenuLine } from "../../components/Menu";
import { connections, connectors } from "../../queries/connections";
import { labels } from "../../queries/labels";
import styles from "./ConversationList.module.css";
import type { InboxSearch, State } from "./search";

type Props = { search: InboxSearch; onSearch: (part: InboxSearch) => void };
const states: State[] = ["open", "snoozed", "resolved", "any"];

/** Which conversations the list shows besides its tabs: by state, label and channel. */
export function FilterMenu({ search, onSearch }: Props) {
  const { t } = useTranslation();
  const known = useQuery(labels());
  const channels = useChannels();
  const status = search.status ?? "open";
  const on = status !== "open" || search.label !== undefined || search.connection !== undefined;
  return (
    <Menu
      trigger={
        <Button
          look="quiet"
          icon
          aria-label={t("inbox.filter", { what: t(`inbox.filter_${status}`) })}
          data-on={on || undefined}
          className={styles.filter}
        >
          <SlidersHorizontal size={18} strokeWidth={1.8} aria-hidden />
        </Button>
      }
    >
      <MenuGroup label={t("inbox.filter_state")}>
        {states.map((one) => (
          <MenuCheck
            key={one}
            checked={status === one}
            onChecked={() => onSearch({ status: one === "open" ? undefined : one })}
          >
            {t(`inbox.filter_${one}`)}
          </MenuCheck>
        ))}
      </MenuGroup>
      {known.data && known.data.items.length > 0 ? (
        <>
          <MenuLine />
          <MenuGroup label={t("inbox.filter_label")}>
            {known.data.items.map(({ name }) => (
              <MenuCheck
                key={name}
                checked={search.label === name}
                onChecked={(checked) => onSearch({ label: checked ? name : undefined })}
              >
                <LabelDot label={name} />
              </MenuCheck>
            ))}
          </MenuGroup>
        </>
      ) : null}
      {channels.length > 1 ? (
        <>
          <MenuLine />
          <MenuGroup label={t("inbox.filter_channel")}>
            {channels.map(({ id, name, connector }) => (
              <MenuCheck
                key={id}
                icon={<ChannelMark connector={connector} size={17} />}
                checked={search.connection === id}
                onChecked={(checked) => onSearch({ connection: checked ? id : undefined })}
              >
                {name}
              </MenuCheck>
            ))}
          </MenuGroup>
        </>
      ) : null}
    </Menu>
  );
}

/** What is filtered by, each to be taken away. */
export function FilterChips({ search, onSearch }: Props) {
  const { t } = useTranslation();
  const channels = useChannels();
  const { status, label, connection } = search;
  const chips: { key: string; word: string; draw?: ReactNode; off: InboxSearch }[] = [];
  if (status !== undefined && status !== "open") {
    chips.push({ key: "status", word: t(`inbox.filter_${status}`), off: { status: undefined } });
  }
  if (label !== undefined) {
    chips.push({ key: "label", word: label, draw: <LabelDot label={label} />, off: { label: undefined } });
  }
  if (connection !== undefined) {
    const word = channels.find((one) => one.id === connection)?.name ?? t("inbox.filter_channel");
    chips.push({ key: "connection", word, off: { connection: undefined } });
  }
  if (chips.length === 0) return null;
  return (
    <div className={styles.chips}>
      {chips.map(({ key, word, draw, off }) => (
        <button
          key={key}
          type="button"
          aria-label={t("inbox.filter_off", { what: word })}
          title={t("inbox.filter_off", { what: word })}
          onClick={() => onSearch(off)}
        >
          {draw ?? <span className="cut">{word}</span>}
          <X size={13} strokeWidth={2} aria-hidden />
        </button>
      ))}
    </div>
  );
}

/** The connections that customers write over. */
function useChannels() {
  const list = useQuery(connections());
  const kinds = useQuery(connectors());
  const channels = new Set(kinds.data?.items.filter((one) => one.channel).map((one) => one.kind));
  return (list.data?.items ?? []).filter((one) => channels.has(one.connector));
}
