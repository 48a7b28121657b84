//! Cloudflare's own program as a child: a passing name for trials, or a name of the owner's.
//!
//! What it knows is asked at its port for metrics rather than read from its log: the name at `/quicktunnel`, whether it is connected at
//! `/ready`. The token of a named tunnel is handed over in a file that only we may read, never on the command line, where everybody on the
//! computer could read it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::child::{self, Group};
use super::{Driver, Hop, Told, Trouble};
use crate::http::{Call, Network, read_json};
use crate::say;
use crate::secret::Secret;

/// How long it may take to be connected.
const PATIENCE: Duration = Duration::from_secs(50);
/// How often it is asked whether it is.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A new name needs this long to be known; asking for it sooner lets resolvers remember for minutes that there is none.
const SETTLE: Duration = Duration::from_secs(3);
/// So many looks in a row that find it not connected end it.
const LOST: u32 = 30;
/// The longest line of its log that is read.
const LONGEST_LINE: usize = 4096;

/// Which tunnel of Cloudflare's.
pub enum Tunnel {
    /// A passing name.
    Quick,
    /// A tunnel that the owner made at Cloudflare: its token, and the address that leads to it.
    Named {
        /// The token.
        token: Secret,
        /// The address.
        url: String,
    },
}

/// Cloudflare's program.
pub struct Cloudflared {
    /// Where it is.
    pub program: PathBuf,
    /// Where its files go: ours alone.
    pub folder: PathBuf,
    /// Which tunnel.
    pub tunnel: Tunnel,
    /// How long a new name is left in peace.
    pub settle: Duration,
}

#[derive(Deserialize)]
struct QuickTunnel {
    #[serde(default)]
    hostname: String,
}

#[derive(Deserialize)]
struct Ready {
    #[serde(default, rename = "readyConnections")]
    connections: u32,
}

impl Cloudflared {
    /// The program at `program`, with its files in the data directory.
    pub fn new(program: PathBuf, data: &Path, tunnel: Tunnel) -> Self {
        Self { program, folder: data.join("tunnel"), tunnel, settle: SETTLE }
    }

    /// Where is noted what runs.
    pub fn note(data: &Path) -> PathBuf {
        data.join("tunnel").join("cloudflared.pid")
    }

    fn start(&self, door: SocketAddr, metrics: SocketAddr) -> anyhow::Result<Group> {
        std::fs::create_dir_all(&self.folder).context("make the tunnel's folder")?;
        let note = self.folder.join("cloudflared.pid");
        child::reap(&note);
        // A config file of the owner's would change what a quick tunnel does.
        let config = self.folder.join("empty.yml");
        write_private(&config, "")?;
        let mut arguments: Vec<String> = ["tunnel", "--no-autoupdate", "--config"].map(str::to_owned).into();
        arguments.push(config.display().to_string());
        arguments.extend(["--metrics".to_owned(), metrics.to_string(), "--loglevel".to_owned(), "info".to_owned()]);
        arguments.extend(["--output".to_owned(), "json".to_owned(), "--grace-period".to_owned(), "2s".to_owned()]);
        match &self.tunnel {
            Tunnel::Quick => arguments.extend(["--url".to_owned(), format!("http://{door}")]),
            Tunnel::Named { token, .. } => {
                let file = self.folder.join("token");
                write_private(&file, token.reveal().trim())?;
                arguments.extend(["--url".to_owned(), format!("http://{door}"), "run".to_owned()]);
                arguments.extend(["--token-file".to_owned(), file.display().to_string()]);
            }
        }
        child::start(&self.program, &arguments, &note)
    }

    /// The address, as soon as the program is connected.
    async fn address(&self, metrics: SocketAddr) -> String {
        loop {
            tokio::time::sleep(LOOK_EVERY / 4).await;
            if !is_ready(metrics).await {
                continue;
            }
            let url = match &self.tunnel {
                Tunnel::Named { url, .. } => url.clone(),
                Tunnel::Quick => match ask::<QuickTunnel>(metrics, "quicktunnel").await {
                    Some(QuickTunnel { hostname }) if is_quick_name(&hostname) => format!("https://{hostname}"),
                    _ => continue,
                },
            };
            tokio::time::sleep(self.settle).await;
            return url;
        }
    }
}

/// A name that Cloudflare gives for trials, and nothing else.
fn is_quick_name(name: &str) -> bool {
    let label = name.strip_suffix(".trycloudflare.com").unwrap_or_default();
    !label.is_empty() && label.len() <= 63 && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

async fn is_ready(metrics: SocketAddr) -> bool {
    ask::<Ready>(metrics, "ready").await.is_some_and(|ready| ready.connections > 0)
}

/// What the program says at its port for metrics.
async fn ask<T: serde::de::DeserializeOwned>(metrics: SocketAddr, what: &str) -> Option<T> {
    // On loopback, to a port of our own choosing: no proxy, and none of the hub's doors.
    let base = format!("http://{metrics}");
    let client = Network::new().client(Some(&base));
    let answer = client.request(Method::GET, &format!("{base}/{what}")).ok()?.timeout(Duration::from_secs(2)).send().await.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    read_json(answer, 64 * 1024, Call::Reads).await.ok()
}

/// A port that is free now. Between now and the program's start somebody else may take it; then the program ends and is started again.
fn free_port() -> anyhow::Result<SocketAddr> {
    let socket = std::net::TcpListener::bind(("127.0.0.1", 0)).context("find a free port")?;
    Ok(socket.local_addr()?)
}

/// Writes a file that only we may read.
fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("write {}", path.display()))?;
    std::io::Write::write_all(&mut file, text.as_bytes()).with_context(|| format!("write {}", path.display()))
}

/// What a line of its log means, if it is one that decides.
fn meaning(line: &str) -> Option<Trouble> {
    let line = line.to_ascii_lowercase();
    let says = |words: &str| line.contains(words);
    if says("provided tunnel token is not valid") || says("unauthorized") || says("failed to parse token") || says("tunnel not found") {
        return Some(Trouble::fatal(
            Hop::Token,
            say!("Cloudflare does not know this tunnel's token. Copy it again from the tunnel's page at Cloudflare."),
        ));
    }
    if says("429 too many requests") || says("error_code\":1015") || says("error code: 1015") {
        return Some(Trouble::passing(
            Hop::Tunnel,
            say!("Cloudflare gives no more names for trials at the moment. Try again in some minutes, or choose another way."),
        ));
    }
    if says("failed to request quick tunnel") || says("failed to unmarshal quick tunnel") {
        return Some(Trouble::passing(Hop::Tunnel, say!("Cloudflare did not give a name for a trial. Check your internet connection.")));
    }
    None
}

#[async_trait]
impl Driver for Cloudflared {
    async fn run(&self, door: SocketAddr, told: Told) -> Trouble {
        let started = free_port().and_then(|metrics| Ok((self.start(door, metrics)?, metrics)));
        let (mut group, metrics) = match started {
            Ok(started) => started,
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "cloudflared could not be started.");
                return Trouble::fatal(
                    Hop::Setting,
                    say!("The program cloudflared cannot be started. Install it again, or choose another way."),
                );
            }
        };
        let mut last = None;
        let log = group.child().stderr.take().map(|log| BufReader::new(log).lines());
        let Some(mut log) = log else {
            return Trouble::passing(Hop::Tunnel, say!("The program cloudflared ended by itself."));
        };
        let mut address = Box::pin(tokio::time::timeout(PATIENCE, self.address(metrics)));
        let (mut is_up, mut missed) = (false, 0);
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                line = log.next_line() => match line {
                    Ok(Some(line)) if line.len() <= LONGEST_LINE => {
                        tracing::debug!(line, "cloudflared");
                        let heard = meaning(&line);
                        if let Some(trouble) = heard.as_ref().filter(|trouble| trouble.fatal) {
                            return trouble.clone();
                        }
                        last = heard.or(last);
                    }
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => break,
                },
                told_to_us = &mut address, if !is_up => match told_to_us {
                    Ok(url) => {
                        is_up = true;
                        drop(told.send(url).await);
                    }
                    Err(_) => break,
                },
                _ = look.tick(), if is_up => {
                    missed = if is_ready(metrics).await { 0 } else { missed + 1 };
                    if missed >= LOST {
                        break;
                    }
                }
            }
        }
        drop(group);
        last.unwrap_or_else(|| match (is_up, missed) {
            (true, 0) => Trouble::passing(Hop::Tunnel, say!("The program cloudflared ended by itself.")),
            (true, _) => Trouble::passing(Hop::Tunnel, say!("The tunnel at Cloudflare lost its connection.")),
            (false, _) => {
                Trouble::passing(Hop::Tunnel, say!("The tunnel at Cloudflare could not be opened. Check your internet connection."))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_for_trials_are_believed() {
        assert!(is_quick_name("brave-otter-12.trycloudflare.com"));
        for other in ["", ".trycloudflare.com", "evil.example", "a.b.trycloudflare.com", "a/b.trycloudflare.com", "xtrycloudflare.com"] {
            assert!(!is_quick_name(other), "{other}");
        }
    }

    #[test]
    fn its_log_tells_a_wrong_token_from_a_crowd() {
        assert!(meaning(r#"{"level":"error","message":"Provided Tunnel token is not valid."}"#).unwrap().fatal);
        assert!(!meaning(r#"{"error":"429 Too Many Requests","message":"failed to request quick Tunnel"}"#).unwrap().fatal);
        assert_eq!(meaning(r#"{"level":"info","message":"Registered tunnel connection"}"#), None);
    }
}
