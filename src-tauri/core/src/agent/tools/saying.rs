//! Saying more than words: choices, a place, the question for one. One form for every channel; each shows it as best it can.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{NativeTool, Outcome, Run, ToolContext, ToolError, may_act, parse, schema, text};
use crate::conversations::posting;
use crate::model::{Choice, Content};
use crate::store::Tx;

/// The longest words above buttons, in characters: what the strictest of the services takes.
const TEXT: usize = 1000;
/// The most choices of one question.
const CHOICES: usize = 10;
/// The longest words on a choice, and under one, in characters.
const LABEL: usize = 60;
const DESCRIPTION: usize = 120;

pub(super) const OFFER_CHOICES: NativeTool = NativeTool {
    name: "offer_choices",
    description: "Ask the customer a question with 2 to 10 short answers to choose from. The channel shows them as buttons or as a list, or as \
                  numbered lines where it has neither; labels of up to 20 characters make buttons everywhere. What is chosen comes as the \
                  customer's next message. The question is sent at once: do not repeat it in your answer.",
    summary: "Offers answers to choose from, as buttons or a list",
    parameters: schema::<Offer>,
    event: None,
    run: Run::Write(offer),
};

pub(super) const ASK_LOCATION: NativeTool = NativeTool {
    name: "ask_location",
    description: "Ask the customer to send where they are, for a delivery or a visit. The channel shows a button for it where it has one. The \
                  question is sent at once: do not repeat it in your answer.",
    summary: "Asks the customer to send their location",
    parameters: schema::<Ask>,
    event: None,
    run: Run::Write(ask),
};

pub(super) const SEND_LOCATION: NativeTool = NativeTool {
    name: "send_location",
    description: "Send a place that the customer can open on a map, such as the shop. Use only coordinates that your instructions or the shop's \
                  documents state; never guess them. It is sent at once.",
    summary: "Sends a place on the map, such as your shop",
    parameters: schema::<Place>,
    event: None,
    run: Run::Write(place),
};

/// A question with answers.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Offer {
    /// The question, as the customer reads it.
    text: String,
    /// The answers to choose from, 2 to 10.
    choices: Vec<Offered>,
}

/// One answer.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Offered {
    /// What stands on it, in a few words.
    label: String,
    /// A line under it, for lists.
    description: Option<String>,
}

/// The question for a place.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ask {
    /// The question, as the customer reads it.
    text: String,
}

/// A place.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Place {
    /// Degrees north, -90 to 90.
    latitude: f64,
    /// Degrees east, -180 to 180.
    longitude: f64,
    /// Its name.
    name: Option<String>,
    /// Its address in words.
    address: Option<String>,
}

fn offer(tx: &Tx<'_>, context: &ToolContext, arguments: Value) -> Outcome {
    let Offer { text: question, choices } = parse(arguments)?;
    let question = text("text", &question, TEXT)?;
    if !(2..=CHOICES).contains(&choices.len()) {
        return Err(ToolError::RespondToModel(format!("`choices` has {}. Offer 2 to {CHOICES}.", choices.len())));
    }
    let mut options: Vec<Choice> = Vec::with_capacity(choices.len());
    for (n, offered) in choices.iter().enumerate() {
        let label = text(&format!("choices[{n}].label"), &offered.label, LABEL)?;
        if options.iter().any(|other| other.label == label) {
            return Err(ToolError::RespondToModel(format!("Two choices say “{label}”. Give each its own words.")));
        }
        let description = optional(&format!("choices[{n}].description"), offered.description.as_deref(), DESCRIPTION)?;
        options.push(Choice { id: format!("choice_{}", n + 1), label, url: None, description });
    }
    say(tx, context, Content::Choices { text: question, options }, "the question with its choices")
}

fn ask(tx: &Tx<'_>, context: &ToolContext, arguments: Value) -> Outcome {
    let Ask { text: question } = parse(arguments)?;
    say(tx, context, Content::AskLocation { text: text("text", &question, TEXT)? }, "the question for their location")
}

fn place(tx: &Tx<'_>, context: &ToolContext, arguments: Value) -> Outcome {
    let Place { latitude, longitude, name, address } = parse(arguments)?;
    if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
        return Err(ToolError::RespondToModel("There is no such place: latitude is -90 to 90, longitude -180 to 180.".into()));
    }
    let (name, address) = (optional("name", name.as_deref(), LABEL)?, optional("address", address.as_deref(), DESCRIPTION)?);
    say(tx, context, Content::Location { latitude, longitude, name, address }, "the place")
}

/// A text argument that may be missing or empty.
fn optional(name: &str, value: Option<&str>, longest: usize) -> Result<Option<String>, ToolError> {
    value.filter(|value| !value.trim().is_empty()).map(|value| text(name, value, longest)).transpose()
}

/// Queues it as a message of the agent's own, in the epoch of its turn.
fn say(tx: &Tx<'_>, context: &ToolContext, content: Content, what: &str) -> Outcome {
    let conversation = may_act(tx, context)?;
    let Some(turn) = &context.turn else {
        return Err(ToolError::RespondToModel("There is nobody to say it to.".into()));
    };
    posting::agent_says(tx, &conversation, &context.agent, turn, &[content], &[], &context.rules)?;
    let note = "Do not repeat it. If nothing else is to be said, answer with nothing.";
    Ok(json!({ "done": true, "customer_sees": what, "note": note }))
}
