//! Reverse forwarding by SSH: a server of the owner's, localhost.run, Pinggy.
//!
//! The server opens a port and hands its callers to us through the one connection that we hold. Its key is kept at the first visit and must
//! stay the same. A sign of life is asked for every thirty seconds: three that are not answered end the connection, and the supervisor
//! builds a new one. Whoever runs the server ends TLS there and can read what passes; the screen says so.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse, Msg};
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::{Ed25519Keypair, PrivateKey};
use russh::keys::{HashAlg, PrivateKeyWithHashAlg, PublicKeyOrCertificate, decode_secret_key};
use russh::{Channel, ChannelMsg, ChannelOpenFailure, Disconnect};
use tokio::sync::{Semaphore, mpsc};

use super::{Driver, Hop, Told, Trouble, banner, carry, rows};
use crate::say;
use crate::secret::Secret;
use crate::store::Store;

/// How often a sign of life is asked for, and how many may stay out.
const KEEPALIVE: Duration = Duration::from_secs(30);
const MISSED: usize = 3;
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the greeting with the address may take.
const GREETING: Duration = Duration::from_secs(30);
/// Callers carried at the same time.
const CALLERS: usize = 256;

/// How the address is learnt.
#[derive(Clone, Debug)]
pub enum Address {
    /// The owner typed it; a web server there passes it on to the port that we have.
    Typed(String),
    /// The service says it in its greeting, below one of these endings; the second list are names of its own.
    Greeted(&'static [&'static str], &'static [&'static str]),
}

/// An SSH server that forwards to us.
pub struct Ssh {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The user there.
    pub user: String,
    /// The password, if there is one.
    pub password: Secret,
    /// Our own key, if there is one.
    pub key: Secret,
    /// Where the server is to listen.
    pub bind: &'static str,
    /// On which port; 0 = any.
    pub remote_port: u16,
    /// How the address is learnt.
    pub address: Address,
    /// What is given with the request for a shell, for services that read it.
    pub exec: Option<&'static str>,
    /// The keys of servers are kept here.
    pub store: Arc<Store>,
    /// How often a sign of life is asked for; tests are less patient.
    pub keepalive: Duration,
}

impl Ssh {
    /// localhost.run: no account, a name that changes after some hours.
    pub fn localhost_run(key: Secret, store: Arc<Store>) -> Self {
        Self {
            host: "localhost.run".into(),
            port: 22,
            // Without a key of ours there is a user for everybody.
            user: if key.is_empty() { "nokey" } else { "localhost" }.into(),
            password: Secret::default(),
            key,
            bind: "",
            remote_port: 80,
            address: Address::Greeted(&["lhr.life", "lhr.rocks", "localhost.run"], &["admin.localhost.run", "www.localhost.run"]),
            exec: None,
            store,
            keepalive: KEEPALIVE,
        }
    }

    /// Pinggy: an hour and a name that changes without an account; a token of an account stands in the user's name.
    pub fn pinggy(token: &Secret, store: Arc<Store>) -> Self {
        let user = if token.is_empty() { "a".to_owned() } else { token.reveal().trim().to_owned() };
        Self {
            host: "a.pinggy.io".into(),
            port: 443,
            user,
            password: Secret::default(),
            key: Secret::default(),
            bind: "",
            remote_port: 0,
            address: Address::Greeted(&["pinggy.link", "pinggy.online"], &["www.pinggy.link"]),
            exec: None,
            store,
            keepalive: KEEPALIVE,
        }
    }

    fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    async fn connect(&self, door: SocketAddr) -> Result<(Handle<Client>, mpsc::Receiver<String>), Trouble> {
        let place = self.place();
        let (banners, greeting) = mpsc::channel(8);
        let pinned = {
            let place = place.clone();
            let read = self.store.read(move |db| rows::host_key(db, &place)).await;
            read.map_err(|error| Trouble::passing(Hop::Store, error.message))?
        };
        let seen = Arc::new(std::sync::Mutex::new(Seen::default()));
        let handler = Client { door, pinned, seen: seen.clone(), banners, callers: Arc::new(Semaphore::new(CALLERS)) };
        let config = client::Config {
            keepalive_interval: Some(self.keepalive),
            keepalive_max: MISSED,
            inactivity_timeout: None,
            nodelay: true,
            ..client::Config::default()
        };
        let address = (self.host.as_str(), self.port);
        let connected = tokio::time::timeout(PATIENCE, client::connect(Arc::new(config), address, handler)).await;
        let seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let unreachable = || {
            Trouble::passing(
                Hop::Tunnel,
                say!("The SSH server {host} cannot be reached. Check its name, its port and your internet connection.", host = place),
            )
        };
        match connected {
            Err(_) => Err(unreachable()),
            Ok(Err(_)) if seen.refused => Err(Trouble::fatal(
                Hop::Tunnel,
                say!(
                    "The SSH server {host} shows another key than at the first visit. Somebody may be in between. If its owner changed it, choose Trust the new key.",
                    host = place
                ),
            )),
            Ok(Err(error)) => {
                tracing::info!(%error, "The SSH server could not be connected to.");
                Err(unreachable())
            }
            Ok(Ok(handle)) => {
                if let Some(fingerprint) = seen.fingerprint {
                    let kept = self.store.write(move |tx| rows::pin_host_key(tx, &place, &fingerprint)).await;
                    kept.map_err(|error| Trouble::passing(Hop::Store, error.message))?;
                }
                Ok((handle, greeting))
            }
        }
    }

    /// Our key, then nothing, then empty or typed answers: what free services ask for, and what a server of one's own does.
    async fn sign_in(&self, handle: &mut Handle<Client>) -> Result<(), Trouble> {
        let broken = |error: russh::Error| {
            tracing::info!(%error, "The SSH server ended the connection while signing in.");
            Trouble::passing(Hop::Tunnel, say!("The SSH server {host} ended the connection.", host = self.host))
        };
        let mut allowed = match handle.authenticate_none(&self.user).await.map_err(broken)? {
            AuthResult::Success => return Ok(()),
            AuthResult::Failure { remaining_methods, .. } => remaining_methods,
        };
        if !self.key.is_empty() {
            let key = decode_secret_key(self.key.reveal(), None).map_err(|error| {
                tracing::warn!(%error, "Our own SSH key cannot be read.");
                Trouble::fatal(Hop::Setting, say!("Shopbell's own SSH key is damaged. Choose this way again; a new key is made."))
            })?;
            match handle.authenticate_publickey(&self.user, PrivateKeyWithHashAlg::new(Arc::new(key), None)).await.map_err(broken)? {
                AuthResult::Success => return Ok(()),
                AuthResult::Failure { remaining_methods, .. } => allowed = remaining_methods,
            }
        }
        if allowed.contains(&russh::MethodKind::Password) {
            match handle.authenticate_password(&self.user, self.password.reveal()).await.map_err(broken)? {
                AuthResult::Success => return Ok(()),
                AuthResult::Failure { remaining_methods, .. } => allowed = remaining_methods,
            }
        }
        if allowed.contains(&russh::MethodKind::KeyboardInteractive) && self.answer(handle).await.map_err(broken)? {
            return Ok(());
        }
        Err(Trouble::fatal(
            Hop::Token,
            say!(
                "The SSH server {host} does not let {user} in. Check the user and the password, or put Shopbell's key there.",
                host = self.host,
                user = self.user_shown()
            ),
        ))
    }

    /// The user, unless it holds a token.
    fn user_shown(&self) -> &str {
        match self.address {
            Address::Typed(_) => &self.user,
            Address::Greeted(..) => "Shopbell",
        }
    }

    async fn answer(&self, handle: &mut Handle<Client>) -> Result<bool, russh::Error> {
        let mut asked = handle.authenticate_keyboard_interactive_start(&self.user, None).await?;
        for _ in 0..4 {
            match asked {
                KeyboardInteractiveAuthResponse::Success => return Ok(true),
                KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
                KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                    let answers = prompts.iter().map(|_| self.password.reveal().to_owned()).collect();
                    asked = handle.authenticate_keyboard_interactive_respond(answers).await?;
                }
            }
        }
        Ok(false)
    }

    /// The address, and the session in which the service told it, which must stay open.
    async fn learn(
        &self,
        handle: &Handle<Client>,
        port: u32,
        greeting: &mut mpsc::Receiver<String>,
    ) -> Result<(String, Option<Channel<Msg>>), Trouble> {
        let (endings, own) = match &self.address {
            Address::Typed(url) => return Ok((url.clone(), None)),
            Address::Greeted(endings, own) => (*endings, *own),
        };
        tracing::debug!(port, "The SSH service forwards to us; waiting for its greeting.");
        let mut heard = String::new();
        let reading = async {
            let mut session = handle.channel_open_session().await?;
            match self.exec {
                Some(command) => session.exec(false, command).await?,
                None => session.request_shell(false).await?,
            }
            loop {
                let words = tokio::select! {
                    Some(words) = greeting.recv() => words,
                    message = session.wait() => match message {
                        Some(ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. }) => String::from_utf8_lossy(&data).into_owned(),
                        Some(ChannelMsg::Close) | None => return Err(russh::Error::Disconnect),
                        Some(_) => continue,
                    },
                };
                // A name must not be taken for whole while the rest of it is still on its way.
                heard.push_str(&words);
                let complete = heard.rfind(['\n', '\r']).map_or("", |end| &heard[..end]);
                if let Some(url) = banner::address(complete, endings, own) {
                    return Ok((url, Some(session)));
                }
                if heard.len() > banner::LONGEST {
                    return Err(russh::Error::Disconnect);
                }
            }
        };
        match tokio::time::timeout(GREETING, reading).await {
            Ok(Ok(learnt)) => Ok(learnt),
            Ok(Err(_)) | Err(_) => Err(Trouble::passing(
                Hop::Tunnel,
                say!("{host} gave no public address. Try again later, or choose another way.", host = self.host),
            )),
        }
    }
}

#[async_trait]
impl Driver for Ssh {
    async fn run(&self, door: SocketAddr, told: Told) -> Trouble {
        let opened = async {
            let (mut handle, mut greeting) = self.connect(door).await?;
            self.sign_in(&mut handle).await?;
            let port = handle.tcpip_forward(self.bind, u32::from(self.remote_port)).await.map_err(|error| {
                tracing::info!(%error, "The SSH server refused to forward.");
                Trouble::fatal(
                    Hop::Setting,
                    say!("The SSH server {host} does not open the port {port} for Shopbell. It may be taken, or forwarding is switched off there.", host = self.host, port = self.remote_port),
                )
            })?;
            let (url, session) = self.learn(&handle, port, &mut greeting).await?;
            Ok::<_, Trouble>((handle, greeting, url, session))
        };
        let (handle, mut greeting, url, mut session) = match opened.await {
            Ok(opened) => opened,
            Err(trouble) => return trouble,
        };
        drop(told.send(url.clone()).await);
        let ending = Ending(handle);
        let (endings, own): (&[&str], &[&str]) = match &self.address {
            Address::Typed(_) => (&[], &[]),
            Address::Greeted(endings, own) => (endings, own),
        };
        let mut look = tokio::time::interval(Duration::from_secs(1));
        let mut current = url;
        loop {
            let words = tokio::select! {
                _ = look.tick() => if ending.0.is_closed() { break } else { continue },
                Some(words) = greeting.recv() => words,
                message = async { match session.as_mut() { Some(session) => session.wait().await, None => std::future::pending().await } } => match message {
                    Some(ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. }) => String::from_utf8_lossy(&data).into_owned(),
                    Some(ChannelMsg::Close) | None => break,
                    Some(_) => continue,
                },
            };
            // Free names change while the connection stands.
            if let Some(url) = banner::address(&words, endings, own).filter(|url| *url != current) {
                current.clone_from(&url);
                drop(told.send(url).await);
            }
        }
        Trouble::passing(Hop::Tunnel, say!("The SSH server {host} ended the connection.", host = self.host))
    }
}

/// Says goodbye when the tunnel is dropped.
struct Ending(Handle<Client>);

impl Drop for Ending {
    fn drop(&mut self) {
        // Dropping the handle alone ends the connection once its task notices; a goodbye is quicker, and needs a moment of its own.
        let goodbye = futures::FutureExt::now_or_never(self.0.disconnect(Disconnect::ByApplication, "", "en"));
        if goodbye.is_none() {
            tracing::debug!("The SSH server was left without a goodbye.");
        }
    }
}

/// What the server showed.
#[derive(Clone, Debug, Default)]
struct Seen {
    fingerprint: Option<String>,
    refused: bool,
}

struct Client {
    door: SocketAddr,
    pinned: Option<String>,
    seen: Arc<std::sync::Mutex<Seen>>,
    banners: mpsc::Sender<String>,
    callers: Arc<Semaphore>,
}

impl client::Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let fingerprint = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => key.fingerprint(HashAlg::Sha256),
            PublicKeyOrCertificate::Certificate(certificate) => certificate.public_key().fingerprint(HashAlg::Sha256),
        }
        .to_string();
        let same = self.pinned.as_ref().is_none_or(|pinned| *pinned == fingerprint);
        *self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Seen { fingerprint: Some(fingerprint), refused: !same };
        Ok(same)
    }

    async fn auth_banner(&mut self, banner: &str, _: &mut client::Session) -> Result<(), Self::Error> {
        // Where nobody reads greetings they may be lost.
        drop(self.banners.try_send(format!("{banner}\n")));
        Ok(())
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        channel: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: client::ChannelOpenHandle,
        _: &mut client::Session,
    ) -> Result<(), Self::Error> {
        let Ok(seat) = self.callers.clone().try_acquire_owned() else {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        };
        reply.accept().await;
        let door = self.door;
        tokio::spawn(async move {
            // Ends with the connection that brings it.
            carry(channel.into_stream(), door).await;
            drop(seat);
        });
        Ok(())
    }
}

/// A new key of our own: the secret half, and the line for the server's `authorized_keys`.
///
/// # Errors
/// When the computer has no randomness.
pub fn new_key() -> anyhow::Result<(Secret, String)> {
    let mut seed = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    let mut key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
    key.set_comment("shopbell");
    let secret = Secret::new(key.to_openssh(LineEnding::LF)?.as_str());
    Ok((secret, key.public_key().to_openssh()?))
}

/// The line for `authorized_keys` of a key of ours.
pub fn public_line(key: &Secret) -> Option<String> {
    decode_secret_key(key.reveal(), None).ok()?.public_key().to_openssh().ok()
}
