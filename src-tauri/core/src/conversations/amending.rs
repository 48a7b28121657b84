//! What a customer changed or took back, in whatever order the service tells it.

use rusqlite::params;

use super::{Effect, Place, by_seq, fate, message_by_external, receiving::keep, searchable};
use crate::clock::Timestamp;
use crate::connector::IncomingContent;
use crate::error::Result;
use crate::model::{Change, Content};
use crate::store::Tx;

/// Applies what was told of a message before the message itself.
pub(super) fn take_ahead(tx: &Tx<'_>, place: &Place<'_>, external_id: &str) -> Result<()> {
    if let Some((body, at)) = fate::take_ahead(tx, place.connection, external_id, "edit")? {
        let content: Vec<IncomingContent> = serde_json::from_str(&body).map_err(anyhow::Error::from)?;
        edit(tx, place, external_id, &content, at)?;
    }
    if let Some((_, at)) = fate::take_ahead(tx, place.connection, external_id, "delete")? {
        delete(tx, place, external_id, at)?;
    }
    Ok(())
}

pub(super) fn edit(tx: &Tx<'_>, place: &Place<'_>, external_id: &str, content: &[IncomingContent], at: Timestamp) -> Result<Effect> {
    let Some((seq, id, conversation)) = message_by_external(tx, place.connection, external_id)? else {
        let body = serde_json::to_string(content).map_err(anyhow::Error::from)?;
        fate::keep_ahead(tx, place.connection, external_id, "edit", &body, at)?;
        return Ok(Effect::Nothing { what: "edit of a message that has not come yet".into() });
    };
    let (old, edited_at): (String, Option<Timestamp>) = tx
        .prepare_cached("SELECT content, edited_at FROM message WHERE seq = ?1")?
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if edited_at.is_some_and(|before| before > at) {
        return Ok(Effect::Repeat { message: Some(id) });
    }
    let old: Vec<Content> = serde_json::from_str(&old).map_err(anyhow::Error::from)?;
    // A file stays the file it was: an edit of a photo's caption does not fetch the photo again.
    let mut files = old.iter().filter(|part| matches!(part, Content::Media { .. })).cloned();
    let mut parts = Vec::with_capacity(content.len());
    for part in content {
        parts.push(match part {
            IncomingContent::Content(content) => content.clone(),
            IncomingContent::Media(remote) => match files.next() {
                Some(Content::Media { kind, media, filename, mime, bytes, duration_ms, wave, .. }) => {
                    Content::Media { kind, media, caption: remote.caption.clone(), filename, mime, bytes, duration_ms, wave }
                }
                _ => keep(tx, place, &id, part)?,
            },
        });
    }
    // Some services tell the new words alone: what was beside the old ones is still there.
    let is_text = |part: &Content| matches!(part, Content::Text { .. });
    if parts.iter().all(is_text) && !old.iter().all(is_text) {
        let beside = old.iter().filter(|part| !is_text(part)).cloned();
        let first = old.iter().position(is_text) == Some(0);
        parts = if first { parts.into_iter().chain(beside).collect() } else { beside.chain(parts).collect() };
    }
    // Services count edits in whole seconds: a second one within the same second counts, the same one again does not.
    if edited_at == Some(at) && parts == old {
        return Ok(Effect::Repeat { message: Some(id) });
    }
    tx.prepare_cached("UPDATE message SET content = ?2, text = ?3, edited_at = ?4 WHERE seq = ?1")?.execute(params![
        seq,
        serde_json::to_string(&parts).map_err(anyhow::Error::from)?,
        searchable(&parts),
        at
    ])?;
    let conversation = by_seq(tx, conversation)?;
    tx.changed(Change::Message { id: id.clone(), conversation: conversation.id });
    Ok(Effect::Changed { message: id })
}

pub(super) fn delete(tx: &Tx<'_>, place: &Place<'_>, external_id: &str, at: Timestamp) -> Result<Effect> {
    let Some((seq, id, conversation)) = message_by_external(tx, place.connection, external_id)? else {
        fate::keep_ahead(tx, place.connection, external_id, "delete", "", at)?;
        return Ok(Effect::Nothing { what: "deletion of a message that has not come yet".into() });
    };
    tx.prepare_cached("UPDATE message SET deleted_at = ?2 WHERE seq = ?1 AND deleted_at IS NULL")?.execute(params![seq, at])?;
    let conversation = by_seq(tx, conversation)?;
    tx.changed(Change::Message { id: id.clone(), conversation: conversation.id });
    Ok(Effect::Changed { message: id })
}
