//! bore, for trials in the own network: raw TCP to a port of a small server, without encryption, so never for the internet.
//!
//! The protocol is its authors' (<https://github.com/ekzhang/bore>): frames of JSON that end with a zero byte on port 7835; a control
//! connection on which the server tells of callers, and one connection back to it for each of them.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Driver, Hop, Told, Trouble, carry};
use crate::say;
use crate::secret::Secret;

/// Where a bore server listens for us.
pub const CONTROL_PORT: u16 = 7835;
const LONGEST_FRAME: usize = 256;
const PATIENCE: Duration = Duration::from_secs(5);
/// The server sends a sign of life every half second.
const SILENCE: Duration = Duration::from_secs(20);
/// Callers carried at the same time.
const CALLERS: usize = 256;

/// A bore server.
pub struct Bore {
    /// Its name or address.
    pub host: String,
    /// The port to have there; 0 = any.
    pub remote_port: u16,
    /// Its word, where it asks for one.
    pub word: Secret,
}

#[derive(Serialize)]
enum Ours {
    Authenticate(String),
    Hello(u16),
    Accept(Uuid),
}

#[derive(Deserialize)]
enum Theirs {
    Challenge(Uuid),
    Hello(u16),
    Heartbeat,
    Connection(Uuid),
    Error(String),
}

/// A connection with frames.
struct Line(BufStream<TcpStream>);

impl Line {
    async fn to(host: &str) -> anyhow::Result<Self> {
        let stream = tokio::time::timeout(PATIENCE, TcpStream::connect((host, CONTROL_PORT))).await.context("no answer in time")??;
        Ok(Self(BufStream::new(stream)))
    }

    async fn say(&mut self, what: &Ours) -> anyhow::Result<()> {
        let mut frame = serde_json::to_vec(what)?;
        frame.push(0);
        self.0.write_all(&frame).await?;
        Ok(self.0.flush().await?)
    }

    async fn hear(&mut self, patience: Duration) -> anyhow::Result<Theirs> {
        let read = async {
            let mut frame = Vec::new();
            loop {
                match self.0.read_u8().await? {
                    0 => return Ok(serde_json::from_slice(&frame)?),
                    _ if frame.len() == LONGEST_FRAME => bail!("a frame is too long"),
                    byte => frame.push(byte),
                }
            }
        };
        tokio::time::timeout(patience, read).await.context("no sign of life")?
    }

    async fn prove(&mut self, challenge: Uuid, word: &Secret) -> anyhow::Result<()> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&Sha256::digest(word.reveal().as_bytes())).context("any length will do as a key")?;
        mac.update(challenge.as_bytes());
        self.say(&Ours::Authenticate(hex::encode(mac.finalize().into_bytes()))).await
    }

    /// Answers the challenge if we have a word: a server that wants one speaks first.
    async fn greet(&mut self, word: &Secret) -> anyhow::Result<()> {
        if word.is_empty() {
            return Ok(());
        }
        match self.hear(PATIENCE).await? {
            Theirs::Challenge(challenge) => self.prove(challenge, word).await,
            Theirs::Hello(_) | Theirs::Heartbeat | Theirs::Connection(_) | Theirs::Error(_) => bail!("the server asked for no word"),
        }
    }
}

impl Bore {
    async fn open(&self) -> Result<(Line, u16), Trouble> {
        let unreachable = |error: anyhow::Error| {
            tracing::info!(error = format!("{error:#}"), "The bore server cannot be used.");
            Trouble::passing(Hop::Tunnel, say!("The bore server {host} cannot be reached. Check that it runs.", host = self.host))
        };
        let mut line = Line::to(&self.host).await.map_err(unreachable)?;
        line.greet(&self.word).await.map_err(unreachable)?;
        line.say(&Ours::Hello(self.remote_port)).await.map_err(unreachable)?;
        match line.hear(PATIENCE).await.map_err(unreachable)? {
            Theirs::Hello(port) => Ok((line, port)),
            Theirs::Challenge(_) => Err(wrong_word(&self.host)),
            Theirs::Error(words) if words.contains("secret") => Err(wrong_word(&self.host)),
            Theirs::Error(words) if words.contains("in use") => Err(Trouble::passing(
                Hop::Tunnel,
                say!("The port {port} is taken at {host}. Choose another one, or 0 for any.", port = self.remote_port, host = self.host),
            )),
            Theirs::Error(words) => {
                tracing::info!(words, "The bore server refused.");
                Err(Trouble::fatal(
                    Hop::Setting,
                    say!(
                        "The bore server {host} does not give the port {port}. Type 0 to take any.",
                        host = self.host,
                        port = self.remote_port
                    ),
                ))
            }
            Theirs::Heartbeat | Theirs::Connection(_) => Err(unreachable(anyhow::anyhow!("an unexpected greeting"))),
        }
    }
}

fn wrong_word(host: &str) -> Trouble {
    Trouble::fatal(Hop::Token, say!("The bore server {host} wants another password than the one typed here.", host = host))
}

/// One caller: a connection back to the server, then bytes.
async fn accept(host: String, word: Secret, id: Uuid, door: SocketAddr) {
    let opened = async {
        let mut line = Line::to(&host).await?;
        line.greet(&word).await?;
        line.say(&Ours::Accept(id)).await?;
        anyhow::Ok(line)
    };
    match opened.await {
        Ok(line) => carry(line.0, door).await,
        Err(error) => tracing::debug!(error = format!("{error:#}"), "A caller of the tunnel was lost."),
    }
}

#[async_trait]
impl Driver for Bore {
    async fn run(&self, door: SocketAddr, told: Told) -> Trouble {
        let (mut line, port) = match self.open().await {
            Ok(opened) => opened,
            Err(trouble) => return trouble,
        };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        drop(told.send(format!("http://{host}:{port}")).await);
        let mut callers = JoinSet::new();
        loop {
            while callers.try_join_next().is_some() {}
            match line.hear(SILENCE).await {
                Ok(Theirs::Connection(id)) if callers.len() < CALLERS => {
                    callers.spawn(accept(self.host.clone(), self.word.clone(), id, door));
                }
                Ok(Theirs::Connection(_)) => tracing::warn!("The tunnel brings too many callers at once; one was left out."),
                Ok(Theirs::Heartbeat | Theirs::Hello(_) | Theirs::Challenge(_)) => {}
                Ok(Theirs::Error(words)) => {
                    tracing::info!(words, "The bore server ended the tunnel.");
                    break;
                }
                Err(error) => {
                    tracing::info!(error = format!("{error:#}"), "The connection to the bore server ended.");
                    break;
                }
            }
        }
        Trouble::passing(Hop::Tunnel, say!("The bore server {host} ended the connection.", host = self.host))
    }
}
