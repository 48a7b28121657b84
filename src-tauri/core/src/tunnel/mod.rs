//! A public address for a computer that has none: one supervisor, one file per way to get it.
//!
//! A [`Driver`] opens a tunnel and says under which address; it knows nothing of proofs or of trying again. The [`supervisor`] runs one of
//! them through its states, proves through the public address that it leads to *this* Shopbell ([`proof`]), and tries again with growing
//! pauses. Only when an address was proven does the hub go by it: links, hooks and signatures follow ([`crate::hub::Hub::reach_at`]).
//!
//! Every tunnel ends at a door of its own on loopback, which has the public routes and no other; what comes in there may say who it comes
//! from (`X-Forwarded-For`), and nothing else may.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use ts_rs::TS;

use crate::error::Sentence;

pub mod rows;
pub mod proof;
pub mod network;
pub mod own;
pub mod bore;
pub mod banner;
pub mod ssh;
pub mod ngrok;
pub mod child;
pub mod cloudflared;
pub mod fetching;
pub mod choosing;
pub mod supervisor;

pub use supervisor::{Phase, Supervisor, TunnelState};

/// The ways to a public address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum DriverKind {
    /// None: channels that need no address work all the same.
    #[default]
    Off,
    /// The owner has an address that leads here (a reverse proxy, a forwarded port).
    Own,
    /// ngrok, with an account and a name that stays.
    Ngrok,
    /// A name of the owner's at Cloudflare.
    CloudflareNamed,
    /// A passing name of Cloudflare, for trials.
    CloudflareQuick,
    /// A server of the owner's, by SSH.
    SshServer,
    /// localhost.run, by SSH.
    LocalhostRun,
    /// Pinggy, by SSH.
    Pinggy,
    /// bore, for trials in the own network.
    Bore,
}

impl DriverKind {
    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Own => "own",
            Self::Ngrok => "ngrok",
            Self::CloudflareNamed => "cloudflare_named",
            Self::CloudflareQuick => "cloudflare_quick",
            Self::SshServer => "ssh_server",
            Self::LocalhostRun => "localhost_run",
            Self::Pinggy => "pinggy",
            Self::Bore => "bore",
        }
    }

    /// Every way, in the order in which they are offered.
    pub const ALL: [Self; 9] = [
        Self::Off,
        Self::Own,
        Self::Ngrok,
        Self::CloudflareNamed,
        Self::CloudflareQuick,
        Self::SshServer,
        Self::LocalhostRun,
        Self::Pinggy,
        Self::Bore,
    ];

    /// Whether the name stays the same from one start to the next.
    pub fn is_stable(self) -> bool {
        match self {
            Self::Own | Self::Ngrok | Self::CloudflareNamed | Self::SshServer => true,
            Self::Off | Self::CloudflareQuick | Self::LocalhostRun | Self::Pinggy | Self::Bore => false,
        }
    }
}

/// Where on the way from a service to the store something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Hop {
    /// What the owner typed.
    Setting,
    /// The credentials at the service.
    Token,
    /// The service itself.
    Provider,
    /// This computer's way to the internet.
    Network,
    /// The name of the address.
    Dns,
    /// The certificate of the address.
    Tls,
    /// What answers at the address.
    Http,
    /// Another Shopbell answers there.
    OtherInstance,
    /// A page of the network, or a warning page, answers there.
    Portal,
    /// This computer's clock.
    Clock,
    /// The tunnel.
    Tunnel,
    /// The signature of what arrives.
    Signature,
    /// The database.
    Store,
}

impl Hop {
    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Setting => "setting",
            Self::Token => "token",
            Self::Provider => "provider",
            Self::Network => "network",
            Self::Dns => "dns",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::OtherInstance => "other_instance",
            Self::Portal => "portal",
            Self::Clock => "clock",
            Self::Tunnel => "tunnel",
            Self::Signature => "signature",
            Self::Store => "store",
        }
    }

    /// From what was stored.
    pub fn named(name: &str) -> Option<Self> {
        const ALL: [Hop; 13] = [
            Hop::Setting,
            Hop::Token,
            Hop::Provider,
            Hop::Network,
            Hop::Dns,
            Hop::Tls,
            Hop::Http,
            Hop::OtherInstance,
            Hop::Portal,
            Hop::Clock,
            Hop::Tunnel,
            Hop::Signature,
            Hop::Store,
        ];
        ALL.into_iter().find(|hop| hop.name() == name)
    }
}

/// Why there is no public address just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Where.
    pub hop: Hop,
    /// In words for the owner.
    pub sentence: Sentence,
    /// Trying again is of no use before the owner did something.
    pub fatal: bool,
}

impl Trouble {
    /// Something that may pass.
    pub fn passing(hop: Hop, sentence: Sentence) -> Self {
        Self { hop, sentence, fatal: false }
    }

    /// Something that only the owner can mend.
    pub fn fatal(hop: Hop, sentence: Sentence) -> Self {
        Self { hop, sentence, fatal: true }
    }
}

/// What a driver tells while its tunnel is open.
pub type Told = mpsc::Sender<String>;

/// A way to a public address.
#[async_trait]
pub trait Driver: Send + Sync {
    /// Opens a tunnel to `door` and keeps it open until it breaks; says each address it has in `told`, the first of them soon. Dropping the
    /// future closes the tunnel, whatever it is made of.
    async fn run(&self, door: SocketAddr, told: Told) -> Trouble;

    /// Whether the address counts before it was proven: the owner's own may be out of reach from inside their own network.
    fn is_trusted(&self) -> bool {
        false
    }

    /// Whether every request counts against a month's share, so that the address is proven less often.
    fn is_counted(&self) -> bool {
        false
    }

    /// The header with which a warning page for browsers is passed by.
    fn passes_by(&self) -> Option<(&'static str, &'static str)> {
        None
    }
}

/// Makes the driver of the setting in force; tests bring their own.
pub type Choose = Arc<dyn Fn(&rows::Setting, &rows::Secrets, &choosing::Ground) -> Result<Arc<dyn Driver>, Trouble> + Send + Sync>;

/// Carries one connection of a tunnel to the door and back.
pub(crate) async fn carry(mut from: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin, door: SocketAddr) {
    let carried = async {
        let mut to = tokio::net::TcpStream::connect(door).await?;
        to.set_nodelay(true)?;
        tokio::io::copy_bidirectional(&mut from, &mut to).await
    };
    if let Err(error) = carried.await {
        // Callers break off all the time.
        tracing::debug!(%error, "A connection of the tunnel ended early.");
    }
}
