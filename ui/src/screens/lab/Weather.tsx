import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import type { LabChannel, LabWeather } from "../../bindings";
import { call } from "../../bridge";
import { Switch } from "../../components/Switch";
import { sentence } from "../../words/error";
import styles from "./Weather.module.css";

type Share = "duplicates" | "too_many" | "timeouts" | "expired_media";
const shares: [Share, number][] = [
  ["duplicates", 100],
  ["too_many", 50],
  ["timeouts", 50],
  ["expired_media", 100],
];

/** What real life does to the messages of a channel. Every change holds at once. */
export function Weather({ channel }: { channel: LabChannel }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [weather, setWeather] = useState(channel.weather);
  const make = useMutation({
    mutationFn: (next: LabWeather) => call("lab_set_weather", { connection: channel.connection, weather: next }),
    onSettled: () => client.invalidateQueries({ queryKey: ["lab"], exact: true }),
  });
  const change = (next: Partial<LabWeather>) => {
    const all = { ...weather, ...next };
    setWeather(all);
    make.mutate(all);
  };
  const shown = (percent: number) =>
    percent === 0 ? t("lab.never") : percent === 100 ? t("lab.always") : t("lab.percent", { percent });

  return (
    <section>
      <h2>{t("lab.weather")}</h2>
      <p className={styles.help}>{t("lab.weather_help")}</p>
      <Slider
        label={t("lab.delay_ms")}
        value={weather.delay_ms}
        most={5000}
        step={100}
        shown={weather.delay_ms === 0 ? t("lab.never") : t("lab.milliseconds", { count: weather.delay_ms })}
        onValue={(delay_ms) => change({ delay_ms })}
      />
      {shares.map(([share, most]) => (
        <Slider
          key={share}
          label={t(`lab.${share}`)}
          value={weather[share]}
          most={most}
          step={5}
          shown={shown(weather[share])}
          onValue={(value) => change({ [share]: value })}
        />
      ))}
      <div className={styles.option}>
        <span>{t("lab.reorder")}</span>
        <Switch checked={weather.reorder} onChecked={(reorder) => change({ reorder })} aria-label={t("lab.reorder")} />
      </div>
      {make.isError ? <p className={styles.bad}>{sentence(make.error, t)}</p> : null}
    </section>
  );
}

function Slider(props: {
  label: string;
  value: number;
  most: number;
  step: number;
  shown: string;
  onValue: (value: number) => void;
}) {
  const id = useId();
  return (
    <div className={styles.slider}>
      <label htmlFor={id}>{props.label}</label>
      <output htmlFor={id}>{props.shown}</output>
      <input
        id={id}
        type="range"
        min={0}
        max={props.most}
        step={props.step}
        value={props.value}
        aria-valuetext={props.shown}
        onChange={(event) => props.onValue(Number(event.target.value))}
      />
    </div>
  );
}
