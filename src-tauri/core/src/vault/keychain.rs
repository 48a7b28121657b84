//! The operating system's keychain, behind a trait so that tests can be locked out, kept waiting or given nothing.
//!
//! Two surprises, both measured: a locked collection of the Secret Service answers a look-up with "no entry", so that answer never
//! means "make a new key"; and every call may wait for a person to answer a prompt, so it runs off the async threads with a limit.

use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

/// Under which name Shopbell's entries stand in the keychain.
pub const SERVICE: &str = "Shopbell";

/// Why the keychain did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeychainError {
    /// There is no such entry, or the keychain is locked and says so.
    #[error("no entry")]
    NoEntry,
    /// It is locked, or the person (or system) refused.
    #[error("no access: {0}")]
    NoAccess(String),
    /// Nobody answered in time; perhaps a prompt is waiting.
    #[error("no answer in time")]
    NoAnswer,
    /// There is none on this computer, or it is broken.
    #[error("unusable: {0}")]
    Unusable(String),
}

/// A place for one small secret per user name. Calls may block.
pub trait Keychain: Send + Sync + 'static {
    /// The value under `user`.
    fn get(&self, user: &str) -> Result<Zeroizing<Vec<u8>>, KeychainError>;
    /// Puts `value` under `user`.
    fn set(&self, user: &str, value: &[u8]) -> Result<(), KeychainError>;
    /// Removes what is under `user`.
    fn delete(&self, user: &str) -> Result<(), KeychainError>;
}

/// The keychain of this computer: Keychain on macOS, Credential Manager on Windows, Secret Service on Linux.
pub struct SystemKeychain;

impl Keychain for SystemKeychain {
    fn get(&self, user: &str) -> Result<Zeroizing<Vec<u8>>, KeychainError> {
        entry(user)?.get_secret().map(Zeroizing::new).map_err(sort)
    }

    fn set(&self, user: &str, value: &[u8]) -> Result<(), KeychainError> {
        entry(user)?.set_secret(value).map_err(sort)
    }

    fn delete(&self, user: &str) -> Result<(), KeychainError> {
        entry(user)?.delete_credential().map_err(sort)
    }
}

fn entry(user: &str) -> Result<keyring::v1::Entry, KeychainError> {
    keyring::v1::Entry::new(SERVICE, user).map_err(sort)
}

fn sort(error: keyring::v1::Error) -> KeychainError {
    use keyring::v1::Error;
    match error {
        Error::NoEntry => KeychainError::NoEntry,
        Error::NoStorageAccess(why) => KeychainError::NoAccess(why.to_string()),
        // The others carry attributes and bytes of the entry; only their kind is worth a line.
        Error::BadEncoding(_) | Error::BadDataFormat(..) | Error::BadStoreFormat(_) => {
            KeychainError::Unusable("the entry is damaged".into())
        }
        Error::NoDefaultStore => KeychainError::Unusable("no keychain on this computer".into()),
        other => KeychainError::Unusable(other.to_string()),
    }
}

/// No keychain, for good: where a passphrase was given, and in tests.
pub struct NoKeychain;

impl Keychain for NoKeychain {
    fn get(&self, _: &str) -> Result<Zeroizing<Vec<u8>>, KeychainError> {
        Err(KeychainError::Unusable("no keychain".into()))
    }

    fn set(&self, _: &str, _: &[u8]) -> Result<(), KeychainError> {
        Err(KeychainError::Unusable("no keychain".into()))
    }

    fn delete(&self, _: &str) -> Result<(), KeychainError> {
        Err(KeychainError::Unusable("no keychain".into()))
    }
}

/// Runs `work` on a thread that may block, for at most `limit`. A late answer is dropped.
pub async fn within<T: Send + 'static>(
    keychain: &Arc<dyn Keychain>,
    limit: Duration,
    work: impl FnOnce(&dyn Keychain) -> Result<T, KeychainError> + Send + 'static,
) -> Result<T, KeychainError> {
    let keychain = keychain.clone();
    let task = tokio::task::spawn_blocking(move || work(keychain.as_ref()));
    match tokio::time::timeout(limit, task).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(KeychainError::Unusable("the keychain's library failed".into())),
        Err(_) => Err(KeychainError::NoAnswer),
    }
}

/// Whether a real value makes the round trip: set, get, delete.
pub fn probe(keychain: &dyn Keychain) -> Result<(), KeychainError> {
    let mut value = [0u8; 32];
    getrandom::fill(&mut value).map_err(|error| KeychainError::Unusable(error.to_string()))?;
    // A name of its own: two hubs may probe at the same time.
    let user = format!("probe {}", hex::encode(&value[..8]));
    keychain.set(&user, &value)?;
    let back = keychain.get(&user)?;
    keychain.delete(&user)?;
    if back.as_slice() == value { Ok(()) } else { Err(KeychainError::Unusable("it gave back another value".into())) }
}
