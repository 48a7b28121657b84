//! Sending: the one attempt, and the small signs beside it.
//!
//! A second call is made only after a refusal of the first one's shape, which proves that nothing was sent.

use reqwest::Method;
use serde_json::{Value, json};
use shopbell_core::connector::{Action, Link, Outgoing, Receipt, ServiceError};
use shopbell_core::http::Call;
use shopbell_core::model::{Author, Content};
use shopbell_core::say;

use super::content::reaction_of;
use super::parse::id;
use super::{Config, Flavour, WINDOW, api, draft};
use crate::meta::graph::{self, Failure, Refusal};

/// One attempt to send one message.
pub async fn send(link: Link<'_, Config>, message: &Outgoing) -> Result<Receipt, ServiceError> {
    if let Content::Reaction { emoji, target } = &message.content {
        return react(link, message, emoji, target).await;
    }
    let shapes = draft::shapes(link, message).await?;
    let tagged = needs_tag(link, message);
    let mut bodies = bodies(message, &shapes, tagged).into_iter().peekable();
    while let Some(body) = bodies.next() {
        match post(link, &body, Call::Acts).await {
            Ok(answer) => {
                // Taken, and yet without a name: the echo or the history will tell it.
                return id(&answer["message_id"]).map(|external_id| Receipt { external_id }).ok_or(ServiceError::Ambiguous);
            }
            Err(failure) if api::is_shape(&failure) && bodies.peek().is_some() => {}
            Err(failure) => return Err(meaning(failure, tagged, &message.content)),
        }
    }
    Err(ServiceError::Permanent(say!("There is nothing to send.")))
}

/// Whether a person answers after the 24 hours: the tag says so, and is never put on an agent's words.
fn needs_tag(link: Link<'_, Config>, message: &Outgoing) -> bool {
    let by_person = match message.author {
        Author::Person { .. } => true,
        Author::Contact | Author::Agent { .. } | Author::System => false,
    };
    by_person && message.last_in_at.is_some_and(|last| link.clock.now().since(last) > WINDOW)
}

/// The calls worth trying, in order: every shape in answer to the message, then without that, because not every account takes `reply_to`.
fn bodies(message: &Outgoing, shapes: &[Value], tagged: bool) -> Vec<Value> {
    // Presses and reactions have names that we made ourselves.
    let answered = message.reply_to.as_deref().filter(|name| !name.contains(':'));
    let mut bodies = Vec::new();
    for reply_to in answered.map(Some).into_iter().chain([None]) {
        for shape in shapes {
            let mut body = json!({ "recipient": { "id": message.thread }, "message": shape });
            if let Some(mid) = reply_to {
                body["reply_to"] = json!({ "mid": mid });
            }
            if tagged {
                body["messaging_type"] = "MESSAGE_TAG".into();
                body["tag"] = "HUMAN_AGENT".into();
            }
            bodies.push(body);
        }
    }
    bodies
}

async fn post(link: Link<'_, Config>, body: &Value, call: Call) -> Result<Value, Failure> {
    let node = match link.config.flavour {
        Flavour::InstagramLogin => link.config.account(),
        Flavour::FacebookPage => "me",
    };
    graph::exchange(api::request(link, Method::POST, &[node, "messages"], &[])?.json(body), call).await
}

/// What a refusal to send means.
fn meaning(failure: Failure, tagged: bool, content: &Content) -> ServiceError {
    let Failure::Refused(refusal) = &failure else { return api::meaning(failure) };
    if tagged && api::is_window_closed(refusal) {
        let sentence = say!(
            "Instagram did not take this late answer. A person may answer for 7 days, if Meta has given your app the feature Human Agent. Later than that, wait until the customer writes again."
        );
        return ServiceError::Refused { action: Action::UseTemplate, sentence };
    }
    if tagged && lacks_feature(refusal) {
        let sentence = say!(
            "After 24 hours only an app with the feature Human Agent may answer. Ask Meta for it in the App Dashboard under App Review, or wait until the customer writes again."
        );
        return ServiceError::Refused { action: Action::GrantPermission, sentence };
    }
    match (api::is_shape(&failure), content) {
        (true, Content::Media { .. }) => ServiceError::Refused {
            action: Action::FixContent,
            sentence: say!("Instagram could not take this file: {words}", words = refusal.said()),
        },
        _ => api::meaning(failure),
    }
}

fn lacks_feature(refusal: &Refusal) -> bool {
    matches!(refusal.code, 3 | 10 | 200..=299) || refusal.code == 100 && refusal.words.to_ascii_lowercase().contains("tag")
}

/// Puts a sign on a message, or takes it away.
async fn react(link: Link<'_, Config>, message: &Outgoing, emoji: &str, target: &str) -> Result<Receipt, ServiceError> {
    if target.contains(':') {
        return Err(ServiceError::Permanent(say!("This cannot be reacted to.")));
    }
    let mut body = json!({ "recipient": { "id": message.thread }, "payload": { "message_id": target } });
    if emoji.is_empty() {
        body["sender_action"] = "unreact".into();
    } else {
        let Some(name) = reaction_of(emoji) else {
            let sentence = say!("Instagram has no such reaction. It has ❤ 👍 👎 😆 😮 😢 😠.");
            return Err(ServiceError::Refused { action: Action::FixContent, sentence });
        };
        body["sender_action"] = "react".into();
        body["payload"]["reaction"] = name.into();
    }
    post(link, &body, Call::Acts).await.map_err(api::meaning)?;
    Ok(Receipt { external_id: format!("reaction:{target}:{}", message.delivery) })
}

/// Shows the customer that somebody types or has read. Not every account has these signs; that one has not is no trouble.
pub async fn show(link: Link<'_, Config>, thread: &str, sign: &str) -> Result<(), ServiceError> {
    let body = json!({ "recipient": { "id": thread }, "sender_action": sign });
    match post(link, &body, Call::Reads).await {
        Ok(_) => Ok(()),
        Err(failure) if api::is_shape(&failure) => Ok(()),
        Err(failure) => Err(api::meaning(failure)),
    }
}
