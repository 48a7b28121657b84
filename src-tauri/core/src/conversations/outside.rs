//! What the shop said outside Shopbell: on its phone, in the service's own app, in another program.

use rusqlite::{OptionalExtension, params};
use serde_json::{Map, json};

use super::rows::{self, New};
use super::{Effect, Place, find, message_by_external, ownership, preview, receiving, searchable};
use crate::connector::{IncomingMessage, ShopMessage};
use crate::error::Result;
use crate::id::MessageId;
use crate::model::{Author, Change};
use crate::store::Tx;

/// Records it, and lets a person own the conversation from then on. The echo of a message of our own only names that message.
pub(super) fn said(tx: &Tx<'_>, place: &Place<'_>, message: &ShopMessage) -> Result<Effect> {
    if let Some((_, known, _)) = message_by_external(tx, place.connection, &message.external_id)? {
        return Ok(Effect::Repeat { message: Some(known) });
    }
    let mut first = IncomingMessage::new("", &message.thread, message.to.clone(), message.sent_at);
    first.also_threads.clone_from(&message.also_threads);
    first.also.clone_from(&message.also);
    first.metadata.clone_from(&message.metadata);
    let conversation = match receiving::known(tx, place, &first)? {
        Some(conversation) => conversation,
        None => receiving::open(tx, place, &first)?,
    };
    let id = MessageId::new();
    let content = message.content.iter().map(|part| receiving::keep(tx, place, &id, part)).collect::<Result<Vec<_>>>()?;
    let text = searchable(&content);
    if message.ours != Some(false)
        && let Some(ours) = own_echo(tx, conversation.seq, &text, message.ours == Some(true))?
    {
        tx.prepare_cached("UPDATE OR IGNORE message SET external_id = ?2 WHERE id = ?1")?.execute(params![ours, message.external_id])?;
        // An echo is evidence: it settles a delivery whose answer never came.
        tx.prepare_cached(
            "UPDATE delivery SET status = 'sent', done_at = ?2 WHERE status IN ('sending', 'unconfirmed') AND message = (SELECT seq FROM message WHERE id = ?1)",
        )?
        .execute(params![ours, tx.now()])?;
        tx.prepare_cached("DELETE FROM media WHERE message = ?1 AND status = 'wanted'")?.execute([&id])?;
        super::settle_ahead(tx, place.connection, &message.external_id)?;
        tx.changed(Change::Message { id: ours.clone(), conversation: conversation.id });
        return Ok(Effect::Repeat { message: Some(ours) });
    }
    let at = message.sent_at.min(tx.now());
    let new = New { external_id: Some(&message.external_id), ..New::said(&id, &Author::Person { id: None }, "out", &content, at) };
    rows::insert(tx, &conversation, &new)?;
    tx.prepare_cached(
        "UPDATE conversation SET preview = CASE WHEN ?3 >= last_message_at THEN ?2 ELSE preview END,
           preview_by = CASE WHEN ?3 >= last_message_at THEN 'person' ELSE preview_by END, last_message_at = max(last_message_at, ?3)
         WHERE seq = ?1",
    )?
    .execute(params![conversation.seq, preview(&content), at])?;
    tx.changed(Change::Message { id: id.clone(), conversation: conversation.id.clone() });
    // What our own program is said to have sent, and does not remember (a restored backup), is nobody's taking over.
    if message.ours != Some(true) {
        ownership::taken_outside(tx, &conversation.id, Map::from_iter([("outside".to_owned(), json!(true))]))?;
    }
    super::amending::take_ahead(tx, place, &message.external_id)?;
    let conversation = find(tx, &conversation.id)?;
    tx.changed(Change::Conversation { id: conversation.id.clone() });
    Ok(Effect::Message { message: id, conversation: conversation.id })
}

/// A message of our own whose name at the service is not known yet and whose words these are. Where the service says that it is ours,
/// the words may differ (it rewrites links and markup).
fn own_echo(tx: &Tx<'_>, conversation: i64, text: &str, surely_ours: bool) -> Result<Option<MessageId>> {
    Ok(tx
        .prepare_cached(
            "SELECT m.id FROM delivery d JOIN message m ON m.seq = d.message
             WHERE d.conversation = ?1 AND d.status IN ('sending', 'unconfirmed') AND m.external_id IS NULL AND (m.text = ?2 OR ?3)
             ORDER BY m.text = ?2 DESC, d.seq LIMIT 1",
        )?
        .query_row(params![conversation, text, surely_ours], |row| row.get(0))
        .optional()?)
}
