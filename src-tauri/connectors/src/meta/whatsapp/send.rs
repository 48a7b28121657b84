//! Sending: one call that acts, read marks, typing.

use reqwest::Method;
use serde_json::json;
use shopbell_core::connector::{Link, Outgoing, Receipt, ServiceError};
use shopbell_core::http::Call;
use shopbell_core::say;

use super::parse::text;
use super::patience::Patience;
use super::{Door, compose};

/// One attempt to send one message. A file is put there first, which nobody sees.
pub async fn send<C>(link: Link<'_, C>, door: &Door<'_>, patience: &Patience, message: &Outgoing) -> Result<Receipt, ServiceError> {
    let connection = link.connection.id.as_str();
    let thread = format!("{connection} {}", message.thread);
    let sent = async {
        let body = compose::body(door, link.media, message).await?;
        let request = door.request(Method::POST, &door.messages)?.json(&body);
        door.exchange(request, Call::Acts).await
    };
    let sent = sent.await;
    patience.typing_ended(&thread);
    match sent {
        Ok(answer) => {
            patience.went_well(&thread);
            patience.went_well(connection);
            // Taken, but without the name that its statuses will have: only a status can tell more.
            let id = text(&answer["messages"][0]["id"]).ok_or(ServiceError::Ambiguous)?;
            Ok(Receipt { external_id: id.to_owned() })
        }
        // Nobody says how long to wait: longer each time.
        Err(ServiceError::ThreadLimited { retry_after }) => {
            Err(ServiceError::ThreadLimited { retry_after: patience.pause(&thread, link.clock.now()).max(retry_after) })
        }
        Err(ServiceError::RateLimited { retry_after }) => {
            let pause = retry_after.unwrap_or_else(|| patience.pause(connection, link.clock.now()));
            Err(ServiceError::RateLimited { retry_after: Some(pause) })
        }
        Err(error) => Err(error),
    }
}

/// Shows the customer two blue ticks, on this message and on all before it.
pub async fn mark_read(door: &Door<'_>, external_id: &str) -> Result<(), ServiceError> {
    tell(door, &json!({ "messaging_product": "whatsapp", "status": "read", "message_id": external_id })).await
}

/// Shows the customer that an answer is being written, which marks their message as read as well.
pub async fn typing<C>(
    link: Link<'_, C>,
    door: &Door<'_>,
    patience: &Patience,
    thread: &str,
    answering: Option<&str>,
) -> Result<(), ServiceError> {
    let Some(answering) = answering else { return Ok(()) };
    let thread = format!("{} {thread}", link.connection.id);
    if !patience.wants_typing(&thread, link.clock.now()) {
        return Ok(());
    }
    let body = json!({
        "messaging_product": "whatsapp", "status": "read", "message_id": answering, "typing_indicator": { "type": "text" },
    });
    let told = tell(door, &body).await;
    if told.is_err() {
        patience.typing_ended(&thread);
    }
    told
}

async fn tell(door: &Door<'_>, body: &serde_json::Value) -> Result<(), ServiceError> {
    let request = door.request(Method::POST, &door.messages)?.json(body);
    let answer = door.exchange(request, Call::Reads).await?;
    if answer["success"] == false {
        return Err(ServiceError::Permanent(say!("WhatsApp did not take the read mark.")));
    }
    Ok(())
}
