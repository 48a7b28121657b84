//! The stage that listens to fetched sounds, so that the inbox can draw them. Behind the fetching, which it never holds up.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{OptionalExtension, params};
use tokio_util::sync::CancellationToken;

use super::in_message;
use crate::error::Result;
use crate::hub::Hub;
use crate::id::{MediaId, MessageId};
use crate::model::{Change, Content};
use crate::store::Stage;

const TROUBLE: Duration = Duration::from_secs(60);

/// Listens until told to stop.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    let stages = hub.store.stages().clone();
    loop {
        let wait = tokio::select! {
            () = stop.cancelled() => return,
            done = round(&hub) => match done {
                Ok(()) => Duration::from_secs(3600),
                Err(error) => {
                    tracing::error!(error = ?error, "Sounds could not be listened to; trying again.");
                    TROUBLE
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = stages.of(Stage::Sounds).notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn round(hub: &Arc<Hub>) -> Result<()> {
    // Taken off the list before it is decoded: a file that ends the program must not be met again at every start.
    while let Some((id, message)) = hub
        .store
        .write(|tx| {
            let next: Option<(MediaId, Option<MessageId>)> = tx
                .prepare_cached("SELECT id, message FROM media WHERE unheard = 1 ORDER BY created_at LIMIT 1")?
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            if let Some((id, _)) = &next {
                tx.prepare_cached("UPDATE media SET unheard = 0 WHERE id = ?1")?.execute(params![id])?;
            }
            Ok(next)
        })
        .await?
    {
        let Some((shape, message)) = hub.media.look_at(&id).await.zip(message) else { continue };
        hub.store
            .write(move |tx| {
                in_message(tx, &message, &id, |part| {
                    if let Content::Media { duration_ms, wave, .. } = part {
                        *duration_ms = Some(shape.duration_ms);
                        *wave = Some(shape.wave.clone());
                    }
                })?;
                tx.changed(Change::Media { id });
                Ok(())
            })
            .await?;
    }
    Ok(())
}
