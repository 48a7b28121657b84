//! Tells the person at the desk that a customer is waiting for them, when they are looking at something else.
//!
//! A notification stands on a screen that others may see, and some systems keep it: it names the place the customer wrote in,
//! never what they wrote.

use std::collections::HashSet;

use serde_json::{Value, json};
use tauri::{AppHandle, Manager};
use tauri_plugin_notification::NotificationExt;

use super::host::Host;
use super::window;
use super::words::Say;

/// The conversations a notification was shown for and that were not read since.
#[derive(Default)]
pub struct Waiting(HashSet<String>);

impl Waiting {
    /// Looks at a conversation that changed, and rings once if a customer waits in it for a person.
    pub async fn heard(&mut self, app: &AppHandle, conversation: &str) {
        let row = match app.state::<Host>().call("get_conversation", json!({ "conversation": conversation })).await {
            Ok(row) => row,
            Err(error) => return tracing::debug!(error.code = ?error.code, "A conversation that changed could not be read."),
        };
        if self.rings(conversation, &row, window::is_watched(app)) {
            show(app, Say::Wants, place(&row));
        }
    }

    fn rings(&mut self, conversation: &str, row: &Value, watched: bool) -> bool {
        let waits = row["unread"].as_u64().is_some_and(|unread| unread > 0) && row["owner"]["type"] == json!("person");
        if !waits {
            self.0.remove(conversation);
            return false;
        }
        !watched && self.0.insert(conversation.to_owned())
    }
}

/// The name of the connection the customer wrote to.
fn place(row: &Value) -> &str {
    row["connection"]["name"].as_str().unwrap_or_default()
}

/// Shows a notification. Systems without a notification service show none; the inbox counts anyway.
pub fn show(app: &AppHandle, title: Say, body: &str) {
    let mut notification = app.notification().builder().title(title.now());
    if !body.is_empty() {
        notification = notification.body(body);
    }
    if let Err(error) = notification.show() {
        tracing::debug!(error = %error, "A notification could not be shown.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(owner: &str, unread: u64) -> Value {
        json!({ "owner": { "type": owner }, "unread": unread, "preview": "my card number is", "connection": { "name": "Website" } })
    }

    #[test]
    fn it_rings_once_until_the_conversation_is_read() {
        let mut waiting = Waiting::default();
        assert!(waiting.rings("cnv_1", &row("person", 1), false));
        assert!(!waiting.rings("cnv_1", &row("person", 2), false));
        assert!(!waiting.rings("cnv_1", &row("person", 0), false));
        assert!(waiting.rings("cnv_1", &row("person", 1), false));
    }

    #[test]
    fn it_stays_silent_while_the_agent_answers_or_somebody_watches() {
        let mut waiting = Waiting::default();
        assert!(!waiting.rings("cnv_1", &row("agent", 3), false));
        assert!(!waiting.rings("cnv_1", &row("person", 1), true));
        assert!(waiting.rings("cnv_1", &row("person", 1), false));
    }

    #[test]
    fn it_never_says_what_the_customer_wrote() {
        assert_eq!(place(&row("person", 1)), "Website");
    }
}
