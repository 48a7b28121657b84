//! Every noun against a real store.

use std::sync::Arc;

use serde_json::Value;

use super::dispatch;
use crate::error::Error;
use crate::hub::{Hub, HubOptions};

mod bakery;
mod bindings;
mod connecting;
mod doing;
mod hostile;
mod reading;

/// A hub over an empty store, and the directory that goes with it.
async fn hub() -> (Arc<Hub>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let mut options = HubOptions::new(directory.path().to_owned(), bakery::connectors().into_values().collect());
    options.keychain = Arc::new(crate::vault::keychain::NoKeychain);
    options.passphrase = Some(crate::secret::Secret::new("a passphrase of the tests"));
    (Hub::open(options).await.unwrap(), directory)
}

/// Asks and expects an answer.
async fn ask(hub: &Arc<Hub>, name: &str, body: Value) -> Value {
    match dispatch(hub, name, body).await {
        Ok(answer) => answer,
        Err(error) => panic!("{name} was refused: {error:?}"),
    }
}

/// Asks and expects a refusal.
async fn refused(hub: &Arc<Hub>, name: &str, body: Value) -> Error {
    dispatch(hub, name, body.clone()).await.expect_err(&format!("{name} took {body}"))
}
