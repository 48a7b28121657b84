//! How an owner signs in at a service in the browser.
//!
//! A connector gives a [`Plan`]: addresses, scopes, and how tokens are renewed, all of it data that is stored with what was granted. The core
//! sends the owner to the service, takes the answer, and keeps the tokens fresh (see [`crate::oauth`]). What only the service's own code can
//! know, whose account it is, is asked through [`SignIn::accounts`].

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ServiceError;
use crate::clock::Clock;
use crate::error::Sentence;
use crate::http::Client;
use crate::secret::Secret;

/// The role of a connector at whose service one signs in.
#[async_trait]
pub trait SignIn: Send + Sync {
    /// Whose name stands on the button ("Google").
    fn provider(&self) -> &'static str;

    /// The fields of the settings that must be filled before somebody can sign in.
    fn needs(&self) -> &'static [&'static str] {
        &[]
    }

    /// Where and for what one signs in with these settings, which may be those of an unfinished form. A connector whose servers tell it
    /// themselves (discovery) asks them here.
    async fn plan(&self, at: At<'_>) -> Result<Plan, Unready>;

    /// The accounts that a grant opens, each with the settings that follow from choosing it. Several: the owner chooses.
    ///
    /// # Errors
    /// A sentence with what to do where there is none (no Page, no business account).
    async fn accounts(&self, at: At<'_>, access: &Secret) -> Result<Vec<Opened>, ServiceError>;

    /// What has to be done at the service before the chosen account works, in order; see [`SignIn::step`].
    fn steps(&self) -> &'static [SetupStepName] {
        &[]
    }

    /// Does one of [`SignIn::steps`]. Called again after a failure, so it must be harmless the second time.
    async fn step(&self, _name: &str, _at: At<'_>, _access: &Secret) -> Result<(), ServiceError> {
        Ok(())
    }

    /// Why a grant may have ended so long after the owner signed in, where the service has a habit of its own.
    fn why_over(&self, _after: Duration) -> Option<Sentence> {
        None
    }

    /// What is missing without that scope, in words ("to see when you are busy").
    fn meaning(&self, scope: &str) -> Sentence {
        Sentence::verbatim(scope)
    }
}

/// A step after the choice of an account: its name for ever, and in words.
#[derive(Clone, Copy, Debug)]
pub struct SetupStepName {
    /// For ever.
    pub name: &'static str,
    /// What it does ("Messages of this number are sent to Shopbell"); translated with the connector's words.
    pub words: &'static str,
}

/// With what a connector works while its connection may still be unfinished.
#[derive(Clone, Copy)]
pub struct At<'a> {
    /// Its settings as they stand, secrets included.
    pub settings: &'a Value,
    /// The outgoing client, limited to what this connection may reach.
    pub http: &'a Client,
    /// The time.
    pub clock: &'a dyn Clock,
}

impl<'a> At<'a> {
    /// A text of the settings; blank counts as nothing.
    pub fn text(&self, field: &str) -> Option<&'a str> {
        self.settings.get(field)?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }
}

/// Why nobody can sign in yet.
#[derive(Debug)]
pub enum Unready {
    /// These fields come first.
    Fields(Vec<(String, Sentence)>),
    /// The service cannot be asked.
    Service(ServiceError),
}

impl From<ServiceError> for Unready {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

/// Where and for what one signs in. No secret stands in it: it is stored beside the tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The page where the owner says yes.
    pub authorize: String,
    /// Where codes and refresh tokens are traded.
    pub token: String,
    /// How a grant is given back; `None` = the service has no way.
    pub revoke: Option<Revocation>,
    /// Who answers, when the service says so in its answers (RFC 9207).
    pub issuer: Option<Issuer>,
    /// As whom we ask.
    pub client: OAuthClient,
    /// What we ask for.
    pub scopes: Vec<Wanted>,
    /// What stands between two scopes: a blank, or a comma at Meta.
    pub separator: char,
    /// For which server the tokens are (RFC 8707).
    pub resource: Option<String>,
    /// What else stands in the address of the page.
    pub more: Vec<(String, String)>,
    /// Whether the service knows PKCE. It is used wherever it is known.
    pub pkce: bool,
    /// How the answer may come back, the best way first.
    pub ways: Vec<Way>,
    /// How a code is traded.
    pub exchange: Exchange,
    /// A second call that trades the first short token for a long one.
    pub lengthen: Option<TokenCall>,
    /// How a token is renewed before it ends.
    pub renewal: Renewal,
    /// How long a token lives of which it is not said, in seconds; `None` = it does not end.
    pub unsaid: Option<u64>,
    /// The secret field of the settings that the access token fills.
    pub field: Option<String>,
}

/// A plan of RFC 6749 as most services have it.
impl Plan {
    /// With PKCE, refresh tokens, and the answer by whichever of `ways` works first.
    pub fn standard(authorize: impl Into<String>, token: impl Into<String>, client: OAuthClient, ways: &[Way]) -> Self {
        Self {
            authorize: authorize.into(),
            token: token.into(),
            revoke: None,
            issuer: None,
            client,
            scopes: Vec::new(),
            separator: ' ',
            resource: None,
            more: Vec::new(),
            pkce: true,
            ways: ways.to_vec(),
            exchange: Exchange::Standard,
            lengthen: None,
            renewal: Renewal::RefreshToken,
            // The next call, or the next hour, will tell.
            unsaid: Some(3600),
            field: None,
        }
    }
}

/// Who answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    /// As it names itself.
    pub id: String,
    /// It always does, so an answer without a name is not its.
    pub always: bool,
}

/// As whom we ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum OAuthClient {
    /// By an id that the owner (or the service's page) gave us.
    Known {
        /// The id.
        id: String,
        /// The field of the settings in which its secret stands.
        secret_field: Option<String>,
        /// How the secret is shown.
        shown: ShownBy,
    },
    /// By an id that we ask for at the first sign-in (RFC 7591).
    Registered {
        /// Where.
        endpoint: String,
        /// Our name there.
        name: String,
    },
}

/// How a client shows its secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShownBy {
    /// In the body (`client_secret_post`).
    #[default]
    Body,
    /// In the header (`client_secret_basic`).
    Header,
}

/// A scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Its name at the service.
    pub scope: String,
    /// Nothing works without it.
    pub needed: bool,
}

impl Wanted {
    /// Nothing works without it.
    pub fn needed(scope: &str) -> Self {
        Self { scope: scope.to_owned(), needed: true }
    }

    /// Less works without it.
    pub fn useful(scope: &str) -> Self {
        Self { scope: scope.to_owned(), needed: false }
    }
}

/// How the answer comes back from the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "SignInWay")]
#[schemars(rename = "SignInWay")]
pub enum Way {
    /// `shopbell://oauth/callback`; only where the desktop runs.
    DeepLink,
    /// A port of this computer that stands open for this one answer.
    Loopback,
    /// `/oauth/callback` on the public address.
    Public,
}

/// How a code is traded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Exchange {
    /// As RFC 6749 has it.
    Standard,
    /// By another call.
    Call(TokenCall),
}

/// How a token is renewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Renewal {
    /// With a refresh token (RFC 6749, section 6).
    RefreshToken,
    /// By showing the token itself while it still works.
    Call(TokenCall),
    /// Not at all: it does not end, or the owner signs in again.
    Never,
}

/// How a grant is given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Revocation {
    /// RFC 7009.
    Standard {
        /// Where.
        url: String,
    },
    /// By another call.
    Call(TokenCall),
}

/// A call that gives (or takes back) a token and is none of the standard's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenCall {
    /// How.
    pub method: CallBy,
    /// Where.
    pub url: String,
    /// What it is told, in order.
    pub parameters: Vec<(String, Part)>,
    /// What the service's numbered refusals mean.
    #[serde(default)]
    pub numbers: Numbers,
}

/// What a service's numbered refusals mean; every other one is final.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers {
    /// The grant is over.
    pub over: Vec<i64>,
    /// Too fast.
    pub slower: Vec<i64>,
    /// Trouble that passes.
    pub again: Vec<i64>,
}

/// How parameters travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallBy {
    /// GET, in the address.
    Get,
    /// POST, as a form.
    Post,
    /// DELETE, in the address.
    Delete,
}

/// A parameter of a [`TokenCall`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum Part {
    /// Always the same.
    Fixed(String),
    /// The client's id.
    ClientId,
    /// The client's secret.
    ClientSecret,
    /// Where the answer came back to.
    RedirectUri,
    /// The code.
    Code,
    /// The present access token.
    AccessToken,
    /// The refresh token where there is one, else the access token.
    BestToken,
}

/// An account that a grant opens.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The service's own name of it, for ever.
    pub id: String,
    /// As its owner knows it.
    pub name: String,
    /// Settings that follow from choosing it.
    pub fill: Map<String, Value>,
    /// A token of its own (a Page's); `None` = the one that was granted.
    pub token: Option<AccountToken>,
}

/// A token of one account among several.
#[derive(Clone, Debug)]
pub struct AccountToken {
    /// The token.
    pub access: Secret,
    /// How long it lives; `None` = it does not end.
    pub lifetime: Option<Duration>,
}

/// The access token of a connection whose owner signed in; see [`super::Link::with_token`].
#[async_trait]
pub trait Access: Send + Sync {
    /// The token to use now, renewed first where that is due. `None` = nobody signed in.
    async fn token(&self) -> Result<Option<Secret>, ServiceError>;

    /// The service refused `token` (401): another one, renewed once for everybody who asks.
    async fn instead_of(&self, token: &Secret) -> Result<Option<Secret>, ServiceError>;

    /// The service wants more scopes for what it was asked (step-up): the connection waits for its owner to grant them.
    async fn wants(&self, scopes: &[String]);
}

/// Nobody signs in.
pub struct NoAccess;

#[async_trait]
impl Access for NoAccess {
    async fn token(&self) -> Result<Option<Secret>, ServiceError> {
        Ok(None)
    }

    async fn instead_of(&self, _: &Secret) -> Result<Option<Secret>, ServiceError> {
        Ok(None)
    }

    async fn wants(&self, _: &[String]) {}
}
