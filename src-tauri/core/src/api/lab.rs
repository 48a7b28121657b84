//! The Lab's channels, their weather, and what is brought into it from a real shop.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::asked::{Empty, NAME, Wrong};
use crate::error::Result;
use crate::hub::Hub;
use crate::id::ConnectionId;
use crate::lab::bench::{Bench, LabWeather};
use crate::lab::captured::{self, CapturedArrival, LabReplayed};
use crate::lab::tally::{self, LabCounts};
use crate::lab::{self, copying};
use crate::{profile, say};

/// The longest delay, in milliseconds.
const LONGEST_DELAY: u32 = 5000;
/// More refusals than that, and even the most patient sender gives up.
const MOST_REFUSED: u8 = 50;
/// The most often that an arrival is played at once.
const MOST_TIMES: u32 = 1000;

/// The Lab.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct LabState {
    /// Its channels, the oldest first.
    pub channels: Vec<LabChannel>,
    /// What else can be played.
    pub available: Vec<LabKind>,
}

/// A kind of channel that can be played.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct LabKind {
    /// The kind of service.
    pub connector: String,
    /// Its name.
    pub name: String,
    /// The SVG of its mark.
    pub icon: String,
    /// The colour of its mark.
    pub color: String,
}

/// A channel of the Lab.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct LabChannel {
    /// Its connection.
    pub connection: ConnectionId,
    /// What it is called.
    pub name: String,
    /// The kind of service.
    pub connector: String,
    /// The SVG of its mark.
    pub icon: String,
    /// The colour of its mark.
    pub color: String,
    /// What real life does to its messages.
    pub weather: LabWeather,
}

/// A channel to add.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct AddLabChannel {
    /// The kind of service.
    pub connector: String,
}

/// Which channel.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct GetLabChannel {
    /// Its connection.
    pub connection: ConnectionId,
}

/// Other weather.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct SetLabWeather {
    /// The channel's connection.
    pub connection: ConnectionId,
    /// The weather from now on.
    pub weather: LabWeather,
}

/// What to count.
#[derive(Debug, Default, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(optional_fields = nullable)]
pub struct AskLabCounts {
    /// Only this channel.
    pub connection: Option<ConnectionId>,
    /// Only this thread.
    pub thread: Option<String>,
}

/// From where to copy.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct CopyAgents {
    /// The profile; the usual one when missing.
    #[serde(default)]
    pub profile: Option<String>,
}

/// What was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct LabCopied {
    /// How many agents.
    pub agents: u32,
    /// How many documents.
    pub documents: u32,
}

/// An arrival to play.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct ReplayInLab {
    /// As `export_arrival` gave it.
    pub arrival: CapturedArrival,
    /// How often, 1000 at most; once when missing.
    #[serde(default)]
    pub times: Option<u32>,
}

fn kind(about: &crate::connector::About) -> LabKind {
    LabKind { connector: about.kind.to_owned(), name: about.name.to_owned(), icon: about.icon.to_owned(), color: about.color.to_owned() }
}

fn show(hub: &Hub, bench: &Bench) -> Option<LabChannel> {
    let live = hub.connections.get(&bench.connection)?;
    let LabKind { connector, icon, color, .. } = kind(&live.connector.about());
    let (connection, name) = (bench.connection.clone(), live.connection.name.clone());
    Some(LabChannel { connection, name, connector, icon, color, weather: bench.weather() })
}

fn shown(hub: &Hub, bench: &Bench) -> Result<LabChannel> {
    show(hub, bench).ok_or_else(super::connections::gone)
}

/// The Lab: its channels, and what else can be played.
pub async fn lab_state(hub: &Arc<Hub>, _: Empty) -> Result<LabState> {
    let benches = lab::of(hub)?.benches();
    let playable = |connector: &&Arc<dyn crate::connector::AnyConnector>| {
        let about = connector.about();
        let is_there = benches.iter().any(|bench| bench.kind == about.kind);
        connector.channel().is_some() && connector.simulator().is_some() && about.disabled.is_none() && !is_there
    };
    let available = hub.connectors.values().filter(playable).map(|connector| kind(&connector.about())).collect();
    Ok(LabState { channels: benches.iter().filter_map(|bench| show(hub, bench)).collect(), available })
}

/// Adds a channel to the Lab, with a stand-in for its service and made-up credentials.
pub async fn lab_add_channel(hub: &Arc<Hub>, request: AddLabChannel) -> Result<LabChannel> {
    let bench = lab::add_channel(hub, &request.connector).await?;
    shown(hub, &bench)
}

/// Takes a channel out of the Lab; what was said over it stays readable.
pub async fn lab_remove_channel(hub: &Arc<Hub>, request: GetLabChannel) -> Result<Empty> {
    lab::remove_channel(hub, &request.connection).await?;
    Ok(Empty {})
}

/// Whether weather is such that a hub can live with it; `path` is where it stands in the request.
pub(super) fn bearable(path: &str, weather: &LabWeather, wrong: &mut Wrong) {
    let at = |field: &str| format!("{path}.{field}");
    wrong.within(&at("duplicates"), weather.duplicates, 0, 100);
    wrong.within(&at("expired_media"), weather.expired_media, 0, 100);
    wrong.within(&at("too_many"), weather.too_many, 0, MOST_REFUSED);
    wrong.within(&at("timeouts"), weather.timeouts, 0, MOST_REFUSED);
    wrong.within(&at("delay_ms"), weather.delay_ms, 0, LONGEST_DELAY);
}

/// Says what real life does to the messages of a channel.
pub async fn lab_set_weather(hub: &Arc<Hub>, request: SetLabWeather) -> Result<LabChannel> {
    let bench = lab::of(hub)?.bench(&request.connection)?;
    let mut wrong = Wrong::default();
    bearable("weather", &request.weather, &mut wrong);
    wrong.done()?;
    bench.set_weather(request.weather);
    shown(hub, &bench)
}

/// How much was written, arrived, was lost or came twice.
pub async fn lab_counts(hub: &Arc<Hub>, request: AskLabCounts) -> Result<LabCounts> {
    let lab = lab::of(hub)?;
    let benches = match &request.connection {
        Some(connection) => vec![lab.bench(connection)?],
        None => lab.benches(),
    };
    let mut all = LabCounts::default();
    for bench in benches {
        let counts = tally::count(hub, &bench, request.thread.as_deref()).await?;
        all = LabCounts { customers: all.customers.with(counts.customers), shop: all.shop.with(counts.shop) };
    }
    Ok(all)
}

/// Copies agents and what they may quote from another profile on this computer; never a connection or a secret.
pub async fn lab_copy_agents(hub: &Arc<Hub>, request: CopyAgents) -> Result<LabCopied> {
    lab::of(hub)?;
    let name = request.profile.unwrap_or_else(|| profile::USUAL.to_owned());
    let mut wrong = Wrong::default();
    wrong.at_most("profile", &name, NAME);
    wrong.done()?;
    let directory = profile::directory(&name)?;
    if name == hub.profile || directory == hub.store.directory() {
        wrong_profile()?;
    }
    let copied = copying::copy(hub, &directory).await?;
    Ok(LabCopied { agents: copied.agents, documents: copied.documents })
}

fn wrong_profile() -> Result<()> {
    Err(crate::error::Error::field("profile", say!("This is the Lab itself. Name the shop to copy from.")))
}

/// Plays an arrival that was taken along from a real shop, as often as asked.
pub async fn lab_replay_arrival(hub: &Arc<Hub>, request: ReplayInLab) -> Result<LabReplayed> {
    lab::of(hub)?;
    let times = request.times.unwrap_or(1);
    let mut wrong = Wrong::default();
    wrong.within("times", times, 1, MOST_TIMES);
    wrong.done()?;
    captured::replay(hub, &request.arrival, times).await
}
