//! Copies of everything: those made by themselves, and the file that a person carries away.

use std::sync::Arc;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;
use ts_rs::TS;

use super::asked::Empty;
use crate::backup::{self, Kind, State, copy, local};
use crate::clock::Timestamp;
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::say;

/// How the copies of one kind fare.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct BackupState {
    /// When the last good one was finished.
    pub done_at: Option<Timestamp>,
    /// Where it is.
    pub file: Option<String>,
    /// How large it is.
    #[ts(type = "number")]
    pub bytes: u64,
    /// When one was last tried.
    pub tried_at: Option<Timestamp>,
    /// Why that came to nothing, in a sentence; null when it did not.
    pub trouble: Option<String>,
}

impl From<State> for BackupState {
    fn from(state: State) -> Self {
        let State { tried_at, done_at, file, bytes, trouble } = state;
        Self { done_at, file, bytes, tried_at, trouble }
    }
}

/// The copies of this shop.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct Backups {
    /// Where the daily copies are.
    pub folder: String,
    /// How the daily copies fare.
    pub local: BackupState,
    /// When each daily copy that is still there was made, newest first.
    pub copies: Vec<Timestamp>,
    /// How the sealed file fares.
    pub portable: BackupState,
}

/// The copies of this shop.
pub async fn get_backups(hub: &Arc<Hub>, _: Empty) -> Result<Backups> {
    let folder = local::folder(&hub.store);
    let (local, portable) = hub.store.read(|db| Ok((backup::state(db, Kind::Local)?, backup::state(db, Kind::Portable)?))).await?;
    let listed = folder.clone();
    let copies = tokio::task::spawn_blocking(move || local::copies(&listed)).await.map_err(anyhow::Error::from)??;
    Ok(Backups {
        folder: folder.display().to_string(),
        local: local.into(),
        copies: copies.into_iter().map(|copy| copy.made_at).collect(),
        portable: portable.into(),
    })
}

/// Makes a copy of the database now.
pub async fn back_up_now(hub: &Arc<Hub>, _: Empty) -> Result<Backups> {
    let Ok(_one_at_a_time) = hub.copying.try_lock() else {
        return Err(Error::new(Code::Conflict, say!("A backup is being made already. Wait until it is finished.")));
    };
    local::make(&hub.store, &TimeZone::system(), copy::free_space, &hub.stopping()).await?;
    get_backups(hub, Empty {}).await
}
