//! The catalogue: every kind of service that can be connected, in the hub's language.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use ts_rs::TS;

use super::asked::{Empty, Items};
use super::form::FormSchema;
use crate::connector::{AnyConnector, Auth, ChannelRules, ConnectorType, TextLimit};
use crate::error::Result;
use crate::hub::Hub;
use crate::model::Medium;
use crate::words::translate;

/// Whether a kind of service can be connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum ConnectorStatus {
    /// It can.
    Available,
    /// It is shown, with the reason why it cannot.
    Disabled,
}

/// A kind of service.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[schemars(rename = "Connector")]
#[ts(rename = "Connector", optional_fields = nullable)]
pub struct ConnectorRow {
    /// Its kind, for ever ("telegram").
    pub kind: String,
    /// Its name.
    pub name: String,
    /// One of the six types of the catalogue.
    #[serde(rename = "type")]
    pub connector_type: ConnectorType,
    /// How it is signed in to.
    pub auth: Auth,
    /// Whether it can be used.
    pub status: ConnectorStatus,
    /// Why not.
    pub disabled_reason: Option<String>,
    /// The SVG of its mark, white on transparent.
    pub icon: String,
    /// The colour of its mark.
    pub color: String,
    /// One line of what it is and what it takes.
    pub summary: String,
    /// What it can carry, or what it is for.
    pub abilities: Vec<String>,
    /// What the owner needs before starting.
    pub prerequisites: Vec<Prerequisite>,
    /// What to do, in order.
    pub steps: Vec<SetupStep>,
    /// Where to read more.
    pub links: Vec<ReadMore>,
    /// The JSON schema of its form.
    #[ts(as = "FormSchema")]
    pub schema: Value,
    /// Limits of a channel; null for everything else.
    pub channel: Option<ChannelLimits>,
    /// Agents can think with it.
    pub model: bool,
    /// The hub itself serves the page where customers write.
    pub page: bool,
    /// How one signs in in the browser; null = a key is typed.
    pub sign_in: Option<SignInButton>,
}

/// The button to sign in.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct SignInButton {
    /// Whose name stands on it.
    pub provider: String,
    /// The fields of the form that must be filled before.
    pub needs: Vec<String>,
}

/// Something needed before starting.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct Prerequisite {
    /// What.
    pub text: String,
}

/// One step of a set-up.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct SetupStep {
    /// What to do.
    pub title: String,
    /// How.
    pub text: String,
}

/// A page to read.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct ReadMore {
    /// What it is about.
    pub text: String,
    /// Where it is.
    pub url: String,
}

/// What the composer must know of a channel.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct ChannelLimits {
    /// How people talk there.
    pub medium: Medium,
    /// The longest text of one message; longer ones are split.
    pub text_limit: TextLimit,
    /// The largest file that may be sent, in bytes, by kind; missing = not possible.
    pub media_limits: std::collections::BTreeMap<String, u64>,
    /// The longest caption, in the unit of `text_limit`.
    pub caption_limit: u32,
    /// The types that are taken, by kind; a kind that is missing takes any.
    pub media_types: std::collections::BTreeMap<String, Vec<String>>,
    /// Files are fetched by the service from a public address, so that one is needed for sending them.
    pub files_by_link: bool,
    /// How many buttons fit one message; more become a list or numbers.
    pub max_choices: u32,
    /// How many rows fit a list.
    pub max_rows: u32,
    /// Templates may be sent, also after the time for free answers.
    pub templates: bool,
    /// For how many seconds after a customer's message a person may answer freely; null = as long as agents.
    pub person_window_seconds: Option<u64>,
    /// For how many seconds after a customer's message the shop may answer freely; null = always.
    pub reply_window_seconds: Option<u64>,
    /// Whether the service calls us, so that there is an address to paste there.
    pub webhook: bool,
}

impl From<ChannelRules> for ChannelLimits {
    fn from(rules: ChannelRules) -> Self {
        Self {
            medium: rules.medium,
            text_limit: rules.text_limit,
            media_limits: rules.media_limits.into_iter().map(|(kind, bytes)| (kind.to_owned(), bytes)).collect(),
            caption_limit: rules.caption_limit,
            media_types: rules
                .media_types
                .into_iter()
                .map(|(kind, types)| (kind.to_owned(), types.iter().map(|one| (*one).to_owned()).collect()))
                .collect(),
            files_by_link: rules.files_by_link,
            max_choices: rules.max_choices,
            max_rows: rules.max_rows,
            templates: rules.templates,
            person_window_seconds: rules.person_window.map(|window| window.as_secs()),
            reply_window_seconds: rules.reply_window.map(|window| window.as_secs()),
            webhook: rules.webhook,
        }
    }
}

/// Every kind of service that can be connected.
pub async fn list_connectors(hub: &Arc<Hub>, _: Empty) -> Result<Items<ConnectorRow>> {
    let language = hub.language();
    Ok(Items { items: hub.connectors.values().map(|connector| row(connector.as_ref(), &language)).collect() })
}

fn row(connector: &dyn AnyConnector, language: &str) -> ConnectorRow {
    let about = connector.about();
    let say = |text: &str| translate(text, language).to_owned();
    let rules = connector.channel().map(super::super::connector::Channel::rules);
    let mut schema = connector.schema();
    translate_schema(&mut schema, language);
    ConnectorRow {
        kind: about.kind.to_owned(),
        name: say(about.name),
        connector_type: about.connector_type,
        auth: about.auth,
        status: if about.disabled.is_some() { ConnectorStatus::Disabled } else { ConnectorStatus::Available },
        disabled_reason: about.disabled.map(say),
        icon: about.icon.to_owned(),
        color: about.color.to_owned(),
        summary: say(about.summary),
        abilities: rules.as_ref().map(|rules| rules.abilities.iter().map(|ability| (*ability).to_owned()).collect()).unwrap_or_default(),
        prerequisites: about.prerequisites.iter().map(|text| Prerequisite { text: say(text) }).collect(),
        steps: about.steps.iter().map(|step| SetupStep { title: say(step.title), text: say(step.text) }).collect(),
        links: about.links.iter().map(|(text, url)| ReadMore { text: say(text), url: (*url).to_owned() }).collect(),
        schema,
        channel: rules.map(ChannelLimits::from),
        model: connector.model().is_some(),
        page: connector.page().is_some(),
        sign_in: connector.sign_in().map(|role| SignInButton {
            provider: role.provider().to_owned(),
            needs: role.needs().iter().map(|field| (*field).to_owned()).collect(),
        }),
    }
}

/// Puts the words of a form (titles and descriptions) into `language`.
fn translate_schema(schema: &mut Value, language: &str) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if matches!(key.as_str(), "title" | "description" | "x-group") => {
                        *text = translate(text, language).to_owned();
                    }
                    other => translate_schema(other, language),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| translate_schema(item, language)),
        _ => {}
    }
}
