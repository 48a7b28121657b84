//! The shop's own settings: one row each in `setting`, by key.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::OptionalExtension;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::asked::{Empty, NAME, Wrong};
use crate::error::{Error, Result};
use crate::first_run;
use crate::hub::Hub;
use crate::model::Change;
use crate::store::Tx;
use crate::words::LANGUAGES;

/// The agent that answers where no other is named.
pub const DEFAULT_AGENT: &str = "default_agent";
const SHOP_NAME: &str = "shop_name";
const LANGUAGE: &str = "language";
const THEME: &str = "theme";
const FIRST_RUN_STEP: &str = "first_run_step";
const FIRST_RUN_DONE: &str = "first_run_done";
const SINGLE_KEYS: &str = "single_keys";
const KEYS: &str = "keys";
const PROXY: &str = "proxy";
const TIME_ZONE: &str = "time_zone";

/// The most keys that can be changed.
const MOST_KEYS: usize = 100;
/// The longest word for a key.
const LONGEST_KEY: usize = 40;

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Light.
    Light,
    /// Dark.
    Dark,
    /// As the computer is.
    #[default]
    System,
}

/// The shop's own settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[schemars(rename = "Settings")]
#[ts(rename = "Settings", optional_fields = nullable)]
pub struct SettingsRow {
    /// What the shop is called; empty until somebody says so.
    pub shop_name: String,
    /// The language of the screens and of the hub's sentences: "en", "pt-BR" or "es".
    pub language: String,
    /// Light or dark.
    pub theme: Theme,
    /// How far the first run came.
    pub first_run_step: u32,
    /// The first run is over.
    pub first_run_done: bool,
    /// Single-letter keys work.
    pub single_keys: bool,
    /// Keys that were changed: what they do → what to press ("z", "Shift+e", "g i"); empty = nothing.
    pub keys: BTreeMap<String, String>,
    /// The proxy for outgoing calls (`http://host:port`); empty = none.
    pub proxy: String,
    /// The shop's time zone, by its name ("America/Sao_Paulo"); empty = this computer's.
    pub time_zone: String,
}

/// Settings to change; what is missing stays.
#[derive(Debug, Default, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(optional_fields = nullable)]
pub struct UpdateSettings {
    /// What the shop is called.
    pub shop_name: Option<String>,
    /// "en", "pt-BR" or "es".
    pub language: Option<String>,
    /// Light or dark.
    pub theme: Option<Theme>,
    /// How far the first run came.
    pub first_run_step: Option<u32>,
    /// The first run is over.
    pub first_run_done: Option<bool>,
    /// Single-letter keys work.
    pub single_keys: Option<bool>,
    /// Keys that differ from the usual ones, all of them: what they do → what to press.
    pub keys: Option<BTreeMap<String, String>>,
    /// The proxy for outgoing calls; empty = none.
    pub proxy: Option<String>,
    /// The shop's time zone, by its name; empty = this computer's.
    pub time_zone: Option<String>,
}

/// A setting as it stands in the store.
pub fn text(db: &rusqlite::Connection, key: &str) -> Result<Option<String>> {
    Ok(db.prepare_cached("SELECT value FROM setting WHERE key = ?1")?.query_row([key], |row| row.get(0)).optional()?)
}

/// Writes a setting.
pub fn set(tx: &Tx<'_>, key: &str, value: &str) -> Result<()> {
    tx.prepare_cached("INSERT INTO setting (key, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value")?
        .execute([key, value])?;
    Ok(())
}

/// Writes a setting, or takes it away.
pub fn set_or_remove(tx: &Tx<'_>, key: &str, value: Option<&str>) -> Result<()> {
    match value {
        Some(value) => set(tx, key, value),
        None => {
            tx.execute("DELETE FROM setting WHERE key = ?1", [key])?;
            Ok(())
        }
    }
}

/// Every setting.
pub(super) fn read(db: &rusqlite::Connection) -> Result<SettingsRow> {
    let get = |key| text(db, key);
    Ok(SettingsRow {
        shop_name: get(SHOP_NAME)?.unwrap_or_default(),
        language: get(LANGUAGE)?.unwrap_or_else(|| LANGUAGES[0].to_owned()),
        theme: match get(THEME)?.as_deref() {
            Some("light") => Theme::Light,
            Some("dark") => Theme::Dark,
            _ => Theme::System,
        },
        first_run_step: get(FIRST_RUN_STEP)?.and_then(|text| text.parse().ok()).unwrap_or_default(),
        first_run_done: get(FIRST_RUN_DONE)?.as_deref() == Some("true"),
        single_keys: get(SINGLE_KEYS)?.as_deref() != Some("false"),
        keys: get(KEYS)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        proxy: get(PROXY)?.unwrap_or_default(),
        time_zone: get(TIME_ZONE)?.unwrap_or_default(),
    })
}

/// The shop's own settings.
pub async fn get_settings(hub: &Arc<Hub>, _: Empty) -> Result<SettingsRow> {
    hub.store.read(read).await
}

/// Two things on one key would mean that one of them cannot be done any more.
fn check_keys(keys: Option<&BTreeMap<String, String>>, wrong: &mut Wrong) {
    let Some(keys) = keys else { return };
    if keys.len() > MOST_KEYS {
        wrong.add("keys", crate::say!("This is too much at once: {most} parts fit.", most = MOST_KEYS));
    }
    let mut taken = BTreeMap::new();
    for (id, pressed) in keys.iter().take(MOST_KEYS) {
        let path = format!("keys.{id}");
        wrong.at_most("keys", id, LONGEST_KEY);
        wrong.at_most(&path, pressed, LONGEST_KEY);
        if !pressed.is_empty() && taken.insert(pressed, id).is_some() {
            wrong.add(path, crate::say!("This key does something else already."));
        }
    }
}

/// Changes the settings that are given.
pub async fn update_settings(hub: &Arc<Hub>, request: UpdateSettings) -> Result<SettingsRow> {
    let mut wrong = Wrong::default();
    let shop_name = request.shop_name.as_deref().map(str::trim);
    wrong.at_most("shop_name", shop_name.unwrap_or_default(), NAME);
    if let Some(language) = request.language.as_deref().filter(|language| !LANGUAGES.contains(language)) {
        tracing::debug!(language, "An unknown language was asked for.");
        wrong.add("language", crate::say!("Choose one of: {allowed}.", allowed = LANGUAGES.join(", ")));
    }
    if let Some(step) = request.first_run_step {
        wrong.within("first_run_step", step, 0, 100);
    }
    check_keys(request.keys.as_ref(), &mut wrong);
    let proxy = request.proxy.as_deref().map(str::trim);
    if let Some(Err(sentence)) = proxy.map(|proxy| crate::http::Network::new().set_proxy(Some(proxy))) {
        wrong.add("proxy", sentence);
    }
    let time_zone = request.time_zone.as_deref().map(|name| time_zone(name, &mut wrong));
    wrong.done()?;
    let theme = request.theme.map(|theme| match theme {
        Theme::Light => "light",
        Theme::Dark => "dark",
        Theme::System => "system",
    });
    let given: Vec<(&'static str, String)> = [
        (SHOP_NAME, shop_name.map(str::to_owned)),
        (LANGUAGE, request.language.clone()),
        (THEME, theme.map(str::to_owned)),
        (FIRST_RUN_STEP, request.first_run_step.map(|step| step.to_string())),
        (FIRST_RUN_DONE, request.first_run_done.map(|done| done.to_string())),
        (SINGLE_KEYS, request.single_keys.map(|on| on.to_string())),
        (KEYS, request.keys.as_ref().map(serde_json::to_string).transpose().map_err(anyhow::Error::from)?),
        (PROXY, proxy.map(str::to_owned)),
        (TIME_ZONE, time_zone),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key, value?)))
    .collect();
    let language = request.language.clone();
    let services: Vec<&'static str> = hub.connectors.values().map(|connector| connector.about().name).collect();
    let now = hub
        .store
        .write(move |tx| {
            let settled = read(tx)?.first_run_done;
            for (key, value) in &given {
                set(tx, key, value)?;
            }
            // Before the first run is over, the names are the hub's own and not the owner's.
            if let Some(language) = language.as_deref().filter(|_| !settled) {
                first_run::speak(tx, &services, language)?;
            }
            tx.changed(Change::Settings);
            read(tx)
        })
        .await?;
    hub.set_language(&now.language);
    if request.proxy.is_some() {
        hub.network.set_proxy(Some(now.proxy.as_str())).map_err(|sentence| Error::field("proxy", sentence))?;
    }
    Ok(now)
}

/// The zone as its own list writes it.
fn time_zone(name: &str, wrong: &mut Wrong) -> String {
    let name = name.trim();
    if name.is_empty() {
        return String::new();
    }
    let known = jiff::tz::TimeZone::get(name).ok().filter(|_| name.len() <= 64);
    match known.as_ref().and_then(jiff::tz::TimeZone::iana_name) {
        Some(name) => name.to_owned(),
        None => {
            wrong.add("time_zone", crate::say!("There is no time zone of this name. It looks like America/Sao_Paulo."));
            String::new()
        }
    }
}
