//! One connection in use: its settings, and what it may use to reach its service.

use async_trait::async_trait;
use bytes::Bytes;

use super::{Access, ServiceError};
use crate::clock::Clock;
use crate::http::Client;
use crate::id::MediaId;
use crate::model::Connection;
use crate::say;
use crate::secret::Secret;

/// One connection in use: its settings (with secrets) and what it may use to reach its service.
pub struct Link<'a, C: ?Sized> {
    /// The connection.
    pub connection: &'a Connection,
    /// Its settings, secrets included.
    pub config: &'a C,
    /// The outgoing client, limited to what this connection may reach.
    pub http: &'a Client,
    /// Stored files, for sending.
    pub media: &'a dyn MediaSource,
    /// The time.
    pub clock: &'a dyn Clock,
    /// The token that its owner's sign-in gave; see [`Self::with_token`].
    pub access: &'a dyn Access,
}

impl<C: ?Sized> Link<'_, C> {
    /// A public address of a stored file that works for a short while, for services that fetch what we send. `None` while the hub cannot be
    /// reached from outside; a connection whose owner typed the service's address (a simulator, a server in the house) may come to
    /// this computer itself.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn public_link(&self, id: &MediaId) -> anyhow::Result<Option<String>> {
        Ok(self.media.public_link(id).await?.filter(|url| self.is_at_home() || url.starts_with("https://")))
    }

    /// The address of this connection's hook, for services that are told with every message where to report what became of it. `None` as
    /// for [`Self::public_link`].
    pub fn hook_url(&self) -> Option<String> {
        let base = self.media.public_base().filter(|url| self.is_at_home() || url.starts_with("https://"))?;
        Some(format!("{base}/hooks/{}", self.connection.hook_key))
    }

    /// Whether an address leads to this connection's hook, whatever the public address was when it was set.
    pub fn is_hook(&self, url: &str) -> bool {
        url::Url::parse(url).is_ok_and(|url| {
            let mut segments = url.path().trim_start_matches('/').split('/');
            segments.any(|segment| segment == "hooks") && segments.next() == Some(self.connection.hook_key.as_str())
        })
    }

    /// Makes a call with the access token of the owner's sign-in, or with `typed` where nobody signed in. A refused token is renewed, and the
    /// call made once more with the new one.
    ///
    /// # Errors
    /// What the call answers; [`ServiceError::Unauthorized`] when there is no token at all.
    pub async fn with_token<T, F>(&self, typed: Option<&Secret>, call: impl Fn(Secret) -> F) -> Result<T, ServiceError>
    where
        F: Future<Output = Result<T, ServiceError>>,
    {
        let granted = self.access.token().await?;
        let Some(token) = granted.clone().or_else(|| typed.filter(|typed| !typed.is_empty()).cloned()) else {
            return Err(ServiceError::Unauthorized(say!("Nobody has signed in yet. Press the button to sign in.")));
        };
        match call(token.clone()).await {
            Err(ServiceError::Unauthorized(sentence)) if granted.is_some() => match self.access.instead_of(&token).await? {
                Some(renewed) => call(renewed).await,
                None => Err(ServiceError::Unauthorized(sentence)),
            },
            answer => answer,
        }
    }

    /// Whether the service is a simulator or a server in the house: its owner typed where it is.
    fn is_at_home(&self) -> bool {
        self.connection.config.get("base_url").and_then(serde_json::Value::as_str).is_some_and(|url| !url.is_empty())
    }
}

impl<C: ?Sized> Clone for Link<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: ?Sized> Copy for Link<'_, C> {}

/// Reads stored files.
#[async_trait]
pub trait MediaSource: Send + Sync {
    /// The whole file.
    async fn read(&self, id: &MediaId) -> anyhow::Result<StoredMedia>;

    /// The address of the file on the public side, whoever can reach that; connectors ask [`Link::public_link`].
    async fn public_link(&self, _id: &MediaId) -> anyhow::Result<Option<String>> {
        Ok(None)
    }

    /// Where the public side is, whoever can reach it, without a slash at the end; connectors ask [`Link::hook_url`].
    fn public_base(&self) -> Option<String> {
        None
    }
}

/// A stored file.
#[derive(Clone, Debug)]
pub struct StoredMedia {
    /// Its type, as sniffed.
    pub mime: String,
    /// Its name.
    pub filename: Option<String>,
    /// Its bytes.
    pub bytes: Bytes,
}
