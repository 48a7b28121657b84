//! What a connector is, and the roles it may play.
//!
//! Channels, models, speech services and tool servers are all connectors: code for one kind of outside service. A
//! [`Connection`](crate::model::Connection) is one configured use of it. What differs is the [`Roles`] they declare. The core knows roles
//! only and never the name of a service; a connector knows nothing of the core but this module and the types it names.
//!
//! Authors write against typed settings (`Connector::Config`); the registry holds [`AnyConnector`], made by [`erase`].

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Sentence;

mod about;
mod link;
mod refusal;
mod event;
mod rules;
mod channel;
mod thinking;
mod page;
mod simulator;
mod posted;
mod erased;
mod sign_in;

pub use about::*;
pub use channel::*;
pub use erased::{erase, field_error};
pub use event::*;
pub use link::*;
pub use page::*;
pub use posted::{Posted, PostedChoice, PostedPage};
pub use refusal::*;
pub use rules::*;
pub use sign_in::*;
pub use simulator::*;
pub use thinking::*;

/// The code for one kind of outside service.
#[async_trait]
pub trait Connector: Send + Sync + 'static {
    /// What the user fills in. Its JSON schema draws the form (title, description, examples, order); [`Secret`](crate::secret::Secret)
    /// fields go to the vault; `base_url` and fields marked `"x-advanced": true` stand under Advanced.
    type Config: DeserializeOwned + JsonSchema + Send + Sync + 'static;

    /// Name, kind, type, icon, prerequisites, steps, links.
    fn about(&self) -> About;

    /// What it can do: any of channel, model, page.
    fn roles(&self) -> Roles<Self::Config>;

    /// What is wrong with these settings beyond what the schema can say, by field path. No network.
    fn check(&self, _config: &Self::Config) -> Vec<(String, Sentence)> {
        Vec::new()
    }

    /// Proves that the credentials work, without a customer noticing.
    async fn test(&self, link: Link<'_, Self::Config>) -> Result<Account, ServiceError>;

    /// The service's stand-in on loopback: signs, retries, repeats, refuses as the real one does. `None` only for a connector without an
    /// outside service (the built-in answers, the website chat).
    fn simulator(&self) -> Option<StartSimulator> {
        None
    }
}

/// The roles a connector plays.
pub struct Roles<C: Send + Sync> {
    /// Customers write to us through it.
    pub channel: Option<Box<dyn Channel<C>>>,
    /// Agents think with it.
    pub model: Option<Box<dyn Model<C>>>,
    /// The hub itself serves the page on which customers write (the website chat).
    pub page: Option<Box<dyn Page<C>>>,
    /// Its owner signs in at the service in the browser.
    pub sign_in: Option<Box<dyn SignIn>>,
}

impl<C: Send + Sync> Roles<C> {
    /// A channel and nothing else.
    pub fn channel(channel: impl Channel<C> + 'static) -> Self {
        Self { channel: Some(Box::new(channel)), model: None, page: None, sign_in: None }
    }

    /// A model and nothing else.
    pub fn model(model: impl Model<C> + 'static) -> Self {
        Self { channel: None, model: Some(Box::new(model)), page: None, sign_in: None }
    }

    /// Nothing but a sign-in: what else it can do comes with it.
    pub fn sign_in(sign_in: impl SignIn + 'static) -> Self {
        Self { channel: None, model: None, page: None, sign_in: Some(Box::new(sign_in)) }
    }

    /// The same, where one may also sign in at the service.
    #[must_use]
    pub fn signing_in(self, sign_in: impl SignIn + 'static) -> Self {
        Self { sign_in: Some(Box::new(sign_in)), ..self }
    }
}

/// Settings of one connection, parsed; erased for the registry.
pub type Settings = Arc<dyn Any + Send + Sync>;

/// A connection in use with its settings erased; see [`Link`].
pub type AnyLink<'a> = Link<'a, Settings>;

/// A connector in the registry.
#[async_trait]
pub trait AnyConnector: Send + Sync {
    /// See [`Connector::about`].
    fn about(&self) -> About;
    /// The form's JSON schema.
    fn schema(&self) -> Value;
    /// Reads settings; errors by field path.
    fn settings(&self, config: Value) -> Result<Settings, Vec<(String, Sentence)>>;
    /// See [`Connector::test`].
    async fn test(&self, link: AnyLink<'_>) -> Result<Account, ServiceError>;
    /// See [`Connector::simulator`].
    fn simulator(&self) -> Option<StartSimulator>;
    /// The channel role.
    fn channel(&self) -> Option<&dyn Channel<Settings>>;
    /// The model role.
    fn model(&self) -> Option<&dyn Model<Settings>>;
    /// The page role.
    fn page(&self) -> Option<&dyn Page<Settings>>;
    /// The sign-in role.
    fn sign_in(&self) -> Option<&dyn SignIn>;
}
