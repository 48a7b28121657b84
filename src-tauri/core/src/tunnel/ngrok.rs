//! ngrok, in process: an account's authtoken and a name that stays.
//!
//! The crate would go on reconnecting for ever, also with a token that was revoked. Here it connects once; the supervisor is the one that
//! tries again, and errors that trying does not mend are told as such. See <https://ngrok.com/docs/errors/reference>.

use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use ngrok::config::TunnelBuilder;
use ngrok::prelude::{EndpointInfo, Error as NgrokError};
use ngrok::session::{ConnectError, default_connect};
use tokio::task::JoinSet;

use super::{Driver, Hop, Told, Trouble, carry};
use crate::say;
use crate::secret::Secret;

const PATIENCE: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(10);
const TOLERANCE: Duration = Duration::from_secs(15);
/// Callers carried at the same time.
const CALLERS: usize = 256;

/// An account at ngrok.
pub struct Ngrok {
    /// Its authtoken.
    pub authtoken: Secret,
    /// The name to be had; empty = the account's own.
    pub domain: String,
}

impl Ngrok {
    async fn open(&self) -> Result<(ngrok::Session, ngrok::tunnel::HttpTunnel), Trouble> {
        let mut session = ngrok::Session::builder();
        session.authtoken(self.authtoken.reveal().trim()).client_info("shopbell", env!("CARGO_PKG_VERSION"), None::<String>);
        // A connection that broke is not built up again by the crate: it does not know a lost network from a refusal.
        session.connector(|host: String, port: u16, tls, lost: Option<_>| async move {
            match lost {
                Some(_) => Err(ConnectError::Canceled),
                None => default_connect(host, port, tls, None).await,
            }
        });
        let session = match (session.heartbeat_interval(HEARTBEAT).is_ok(), session.heartbeat_tolerance(TOLERANCE).is_ok()) {
            (true, true) => session,
            _ => return Err(unreachable()),
        };
        let session = session.connect().await.map_err(|error| meaning(error.error_code(), &error.msg()))?;
        let mut endpoint = session.http_endpoint();
        endpoint.metadata("shopbell");
        if !self.domain.trim().is_empty() {
            endpoint.domain(self.domain.trim());
        }
        let tunnel = endpoint.listen().await.map_err(|error| meaning(error.error_code(), &error.msg()))?;
        Ok((session, tunnel))
    }
}

fn unreachable() -> Trouble {
    Trouble::passing(Hop::Tunnel, say!("ngrok cannot be reached. Check your internet connection."))
}

/// What an error of ngrok means for the owner.
fn meaning(code: Option<&str>, words: &str) -> Trouble {
    let number = code.and_then(|code| code.strip_prefix("ERR_NGROK_")).and_then(|number| number.parse::<u32>().ok());
    tracing::info!(code, words, "ngrok did not open the tunnel.");
    let Some(number) = number else { return unreachable() };
    match number {
        105..=107 | 4018 => {
            Trouble::fatal(Hop::Token, say!("ngrok does not know this authtoken. Copy it again from the page Your Authtoken at ngrok."))
        }
        108 => Trouble::fatal(
            Hop::Token,
            say!("This ngrok account is in use on too many computers at once. Close ngrok on the others, then try again."),
        ),
        324 | 807 => Trouble::fatal(Hop::Token, say!("This ngrok account has too many tunnels open. Close one of them, then try again.")),
        334 => Trouble::fatal(
            Hop::OtherInstance,
            say!("This name at ngrok is in use by another computer. Close ngrok or Shopbell there, then try again."),
        ),
        300..=323 | 325..=333 | 335..=345 => Trouble::fatal(
            Hop::Setting,
            say!(
                "ngrok does not give this name to your account ({code}). Take the one that stands under Domains at ngrok, or leave the field empty.",
                code = number
            ),
        ),
        _ => Trouble::passing(Hop::Tunnel, say!("ngrok answers with its error {code}. We try again.", code = number)),
    }
}

#[async_trait]
impl Driver for Ngrok {
    async fn run(&self, door: SocketAddr, told: Told) -> Trouble {
        let (session, mut tunnel) = match tokio::time::timeout(PATIENCE, self.open()).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(trouble)) => return trouble,
            Err(_) => return unreachable(),
        };
        drop(told.send(tunnel.url().to_owned()).await);
        let mut callers = JoinSet::new();
        while let Some(Ok(caller)) = tunnel.next().await {
            while callers.try_join_next().is_some() {}
            if callers.len() < CALLERS {
                callers.spawn(carry(caller, door));
            } else {
                tracing::warn!("The tunnel brings too many callers at once; one was left out.");
            }
        }
        drop(session);
        Trouble::passing(Hop::Tunnel, say!("ngrok ended the connection."))
    }

    fn is_counted(&self) -> bool {
        true
    }

    fn passes_by(&self) -> Option<(&'static str, &'static str)> {
        Some(("ngrok-skip-browser-warning", "1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_trying_again_does_not_mend_stops() {
        for (code, hop, fatal) in [
            (Some("ERR_NGROK_105"), Hop::Token, true),
            (Some("ERR_NGROK_107"), Hop::Token, true),
            (Some("ERR_NGROK_108"), Hop::Token, true),
            (Some("ERR_NGROK_320"), Hop::Setting, true),
            (Some("ERR_NGROK_324"), Hop::Token, true),
            (Some("ERR_NGROK_334"), Hop::OtherInstance, true),
            (Some("ERR_NGROK_8012"), Hop::Tunnel, false),
            (None, Hop::Tunnel, false),
        ] {
            let trouble = meaning(code, "words");
            assert_eq!((trouble.hop, trouble.fatal), (hop, fatal), "{code:?}");
        }
    }
}
