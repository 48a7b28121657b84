//! The sign that somebody types, while an answer is made.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::{CancellationToken, DropGuard};

use crate::connections::Live;
use crate::conversations::{self, Conversation};
use crate::hub::Hub;

/// An answer that is there at once needs no sign: it would cost a call, and might come after the answer and outlast it on the customer's
/// screen.
const AFTER: Duration = Duration::from_millis(250);
/// How long until the customer's service forgets that somebody types.
const EVERY: Duration = Duration::from_secs(4);

/// Shows the customer and the inbox that somebody types, until dropped.
pub fn show(hub: &Arc<Hub>, channel: &Arc<Live>, conversation: &Conversation) -> DropGuard {
    let stop = CancellationToken::new();
    let (inside, channel, conversation, done) = (hub.clone(), channel.clone(), conversation.clone(), stop.clone());
    hub.spawn(async move {
        tokio::select! {
            () = done.cancelled() => return,
            () = tokio::time::sleep(AFTER) => {}
        }
        tokio::select! {
            () = done.cancelled() => {}
            () = keep_showing(&inside, &channel, &conversation) => {}
        }
        inside.typing(&conversation.id, "agent", false);
    });
    stop.drop_guard()
}

/// Says it again and again.
async fn keep_showing(hub: &Arc<Hub>, channel: &Live, conversation: &Conversation) {
    let seq = conversation.seq;
    let answering = hub.store.read(move |db| conversations::last_said(db, seq)).await.ok().flatten();
    loop {
        hub.typing(&conversation.id, "agent", true);
        if let Some((role, link)) = channel.connector.channel().zip(channel.link(hub.media.as_ref(), hub.store.clock().as_ref())) {
            let told = tokio::time::timeout(EVERY, role.typing(link, &conversation.thread, answering.as_deref())).await;
            if let Ok(Err(error)) = told {
                tracing::debug!(connection.id = %channel.connection.id, %error, "The service did not show that somebody types.");
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}
