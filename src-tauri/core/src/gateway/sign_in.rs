//! Who may use the admin side: programs by a bearer token, browsers by a cookie that a one-time link buys.
//!
//! Only hashes are compared and kept, so that neither timing nor a look at the memory or the database tells a token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::clock::{Clock, Timestamp};
use crate::error::Result;
use crate::secret::Secret;
use crate::store::Store;

/// The cookie's name.
pub const COOKIE: &str = "shopbell_session";
/// How long a sign-in link is good for.
const NONCE_LIFE: Duration = Duration::from_secs(600);
/// How long a browser stays signed in.
const SESSION_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Links and browsers remembered at most; the oldest gives way.
const KEPT: usize = 64;
/// Where the browsers' hashes stand among the settings.
const SETTING: &str = "browser_sessions";

type Hash = [u8; 32];

fn hash(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}

fn random() -> String {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).expect("the computer has randomness");
    hex::encode(bytes)
}

/// The list of those who are let in.
pub struct SignIn {
    token: Hash,
    nonces: Mutex<HashMap<Hash, Timestamp>>,
    /// Browsers, and until when.
    sessions: Mutex<HashMap<Hash, Timestamp>>,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
}

impl SignIn {
    /// Lets in whoever has `token`, and the browsers that signed in during earlier runs.
    pub async fn load(token: &Secret, store: Arc<Store>, clock: Arc<dyn Clock>) -> Result<Arc<Self>> {
        let text: Option<String> = store
            .read(|db| {
                use rusqlite::OptionalExtension;
                Ok(db.query_row("SELECT value FROM setting WHERE key = ?1", [SETTING], |row| row.get(0)).optional()?)
            })
            .await?;
        let kept: HashMap<String, Timestamp> = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let now = clock.now();
        let sessions = kept
            .into_iter()
            .filter(|(_, until)| *until > now)
            .filter_map(|(hash, until)| Some((hex::decode(hash).ok()?.try_into().ok()?, until)))
            .collect();
        Ok(Arc::new(Self { token: hash(token.reveal()), nonces: Mutex::default(), sessions: Mutex::new(sessions), store, clock }))
    }

    /// A word that buys one sign-in within ten minutes.
    pub fn nonce(&self) -> String {
        let nonce = random();
        let mut nonces = self.nonces.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        insert(&mut nonces, hash(&nonce), self.clock.now().plus(NONCE_LIFE), self.clock.now());
        nonce
    }

    /// Trades a nonce for a cookie's value; `None` when it was used, is too old, or never was.
    pub async fn redeem(&self, nonce: &str) -> Result<Option<String>> {
        let known = self.nonces.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&hash(nonce));
        if known.is_none_or(|until| until <= self.clock.now()) {
            return Ok(None);
        }
        let session = random();
        let now = self.clock.now();
        insert(&mut self.sessions.lock().unwrap_or_else(std::sync::PoisonError::into_inner), hash(&session), now.plus(SESSION_LIFE), now);
        // With a full disk or a damaged database somebody must be able to come in and read what to do: until the next start this is enough.
        if let Err(error) = self.keep().await {
            tracing::warn!(error = ?error, "A browser's sign-in could not be written down; it lasts until the next start.");
        }
        Ok(Some(session))
    }

    /// Forgets the browser that makes this request.
    pub async fn sign_out(&self, headers: &HeaderMap) -> Result<()> {
        if let Some(cookie) = cookie(headers) {
            self.sessions.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&hash(cookie));
            self.keep().await?;
        }
        Ok(())
    }

    async fn keep(&self) -> Result<()> {
        let kept: HashMap<String, Timestamp> = {
            let sessions = self.sessions.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            sessions.iter().map(|(hash, until)| (hex::encode(hash), *until)).collect()
        };
        let text = serde_json::to_string(&kept).map_err(anyhow::Error::from)?;
        self.store
            .write(move |tx| {
                tx.execute("INSERT OR REPLACE INTO setting (key, value) VALUES (?1, ?2)", [SETTING, &text])?;
                Ok(())
            })
            .await
    }

    /// Whether a request comes from somebody who is let in.
    pub fn admits(&self, headers: &HeaderMap) -> bool {
        if let Some(given) = headers.get(header::AUTHORIZATION) {
            // Whoever shows a token is judged by it; a wrong one is not saved by a cookie.
            return given
                .to_str()
                .ok()
                .and_then(|text| text.split_once(' '))
                .is_some_and(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && bool::from(hash(token.trim()).ct_eq(&self.token)));
        }
        let Some(cookie) = cookie(headers) else { return false };
        let sessions = self.sessions.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        sessions.get(&hash(cookie)).is_some_and(|until| *until > self.clock.now())
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

fn insert(kept: &mut HashMap<Hash, Timestamp>, hash: Hash, until: Timestamp, now: Timestamp) {
    kept.retain(|_, until| *until > now);
    if kept.len() >= KEPT
        && let Some(oldest) = kept.iter().min_by_key(|(_, until)| **until).map(|(hash, _)| *hash)
    {
        kept.remove(&oldest);
    }
    kept.insert(hash, until);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn with(name: header::HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[tokio::test]
    async fn a_link_signs_in_one_browser_once_and_not_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000_000)));
        let store = Store::open(directory.path(), clock.clone()).unwrap();
        let sign_in = SignIn::load(&Secret::new("the-token"), store.clone(), clock.clone()).await.unwrap();

        let nonce = sign_in.nonce();
        let session = sign_in.redeem(&nonce).await.unwrap().expect("a fresh link");
        assert_eq!(sign_in.redeem(&nonce).await.unwrap(), None, "a link works once");
        assert_eq!(sign_in.redeem("made up").await.unwrap(), None);
        let headers = with(header::COOKIE, &format!("a=b; {COOKIE}={session}"));
        assert!(sign_in.admits(&headers));
        assert!(!sign_in.admits(&with(header::COOKIE, &format!("{COOKIE}={nonce}"))));

        let again = SignIn::load(&Secret::new("the-token"), store, clock.clone()).await.unwrap();
        assert!(again.admits(&headers), "a restart signs nobody out");
        let late = again.nonce();
        clock.advance(NONCE_LIFE);
        assert_eq!(again.redeem(&late).await.unwrap(), None, "a link of ten minutes ago");
        clock.advance(SESSION_LIFE);
        assert!(!again.admits(&headers), "a month later");
    }

    #[tokio::test]
    async fn a_program_shows_its_token() {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000_000)));
        let store = Store::open(directory.path(), clock.clone()).unwrap();
        let sign_in = SignIn::load(&Secret::new("the-token"), store, clock).await.unwrap();
        let shown = |value: &str| sign_in.admits(&with(header::AUTHORIZATION, value));
        assert!(shown("Bearer the-token") && shown("bearer the-token"));
        for wrong in ["Bearer the-tokem", "Bearer ", "Bearer", "Basic the-token", "the-token", "Bearer the-token2"] {
            assert!(!shown(wrong), "{wrong}");
        }
        assert!(!sign_in.admits(&HeaderMap::new()));
        let mut both = with(header::AUTHORIZATION, "Bearer wrong");
        both.insert(header::COOKIE, format!("{COOKIE}={}", sign_in.redeem(&sign_in.nonce()).await.unwrap().unwrap()).parse().unwrap());
        assert!(!sign_in.admits(&both), "a wrong token is not saved by a cookie");
    }
}
