//! The hub inside the app: started behind the window, asked by everything else, stopped before the app ends.
//!
//! Opening the database may take a while (a migration, a keychain that asks), and the window must not wait for it: whoever asks
//! before the hub is there waits here, and a hub that cannot start says so in a dialog and ends the app with the code that
//! scripts know.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use shopbell_core::connector::MediaSource;
use shopbell_core::error::{ApiError, Code, Error, Result};
use shopbell_core::gateway::doors::{self, Places, Ports};
use shopbell_core::hub::{Hub, HubOptions};
use shopbell_core::id::MediaId;
use shopbell_core::{profile, say};
use tauri::{AppHandle, Manager};
use tauri_plugin_dialog::{DialogExt, MessageDialogKind};
use tokio::sync::watch;

use super::words::Say;

/// Where the public side of the main profile stands, as shopbell-server's does: snippets on websites name this port.
const PUBLIC_PORT: u16 = 7411;
/// Where that of another profile may stand, beside it.
const OTHER_PORTS: std::ops::Range<u16> = 7421..7441;

/// The hub, or what stands in its place.
pub struct Host {
    profile: String,
    public: Option<SocketAddr>,
    state: watch::Sender<State>,
}

#[derive(Clone)]
enum State {
    Starting,
    Ready(Arc<Hub>),
    Gone,
}

/// A stored file, read whole: what the window shows is small, and its scheme does not stream.
pub struct File {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Its type as sniffed when it was stored.
    pub mime: String,
    /// What its sender called it.
    pub name: Option<String>,
}

impl Host {
    /// A host whose hub is still to be started, see [`start`].
    pub fn new(profile: String, public: Option<SocketAddr>) -> Self {
        Self { profile, public, state: watch::Sender::new(State::Starting) }
    }

    /// Whether this is the shop's own data directory and not one beside it.
    pub fn is_main_profile(&self) -> bool {
        self.profile == profile::USUAL
    }

    /// The hub, as soon as there is one.
    ///
    /// # Errors
    /// `unavailable` when it could not start or is stopping.
    pub async fn hub(&self) -> Result<Arc<Hub>, ApiError> {
        let mut state = self.state.subscribe();
        let settled = state.wait_for(|state| !matches!(state, State::Starting)).await.map(|state| state.clone());
        match settled {
            Ok(State::Ready(hub)) => Ok(hub),
            _ => Err(Error::new(Code::Unavailable, say!("Shopbell is stopping.")).in_language(super::words::language())),
        }
    }

    /// Asks the hub for something, by the name of its command.
    ///
    /// # Errors
    /// What the hub answers, and `unavailable` when there is none.
    pub async fn call(&self, name: &str, request: Value) -> Result<Value, ApiError> {
        self.hub().await?.call(name, request).await
    }

    /// Reads a stored file.
    ///
    /// # Errors
    /// `not_found` for an id that is not there.
    pub async fn media(&self, id: &str) -> Result<File, ApiError> {
        let stored = self.hub().await?.media.read(&MediaId::from(id)).await.map_err(|error| {
            let gone = Error::not_found(say!("This file is not there (any more).")).because(error);
            tracing::debug!(error = ?gone.source, "A file could not be read.");
            gone.in_language(super::words::language())
        })?;
        Ok(File { bytes: stored.bytes.into(), mime: stored.mime, name: stored.filename })
    }
}

/// Starts the hub behind the window. `ready` runs once it is there.
pub fn start(app: &AppHandle, ready: impl FnOnce(&AppHandle, Arc<Hub>) + Send + 'static) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let (profile, public) = {
            let host = app.state::<Host>();
            (host.profile.clone(), host.public)
        };
        match open(profile, public).await {
            Ok(hub) => {
                app.state::<Host>().state.send_replace(State::Ready(hub.clone()));
                ready(&app, hub.clone());
                hub.again.cancelled().await;
                // Another database takes this one's place at the next start.
                app.state::<Host>().state.send_replace(State::Starting);
                hub.stop().await;
                app.request_restart();
            }
            Err(error) => fail(&app, &error),
        }
    });
}

/// Takes the port, opens the hub, and then the door to it.
async fn open(profile: String, public: Option<SocketAddr>) -> Result<Arc<Hub>> {
    let directory = profile::directory(&profile)?;
    let ports = take_port(&profile, public, &directory).await?;
    let mut options = HubOptions::new(directory, shopbell_connectors::all());
    options.lab = profile == profile::LAB;
    options.profile = profile;
    let hub = Hub::open(options).await?;
    if let Err(error) = doors::open(&hub, ports, None, None).await {
        hub.stop().await;
        return Err(error);
    }
    Ok(hub)
}

/// The port that was asked for, the main profile's own, or the first free one beside it.
async fn take_port(profile: &str, asked: Option<SocketAddr>, directory: &Path) -> Result<Ports> {
    let usual = SocketAddr::from(([127, 0, 0, 1], PUBLIC_PORT));
    if asked.is_some() || profile == profile::USUAL {
        return Ports::take_for(&Places { admin: None, public: asked.unwrap_or(usual) }, directory).await;
    }
    let mut taken = None;
    for port in OTHER_PORTS {
        match Ports::take(&Places { admin: None, public: SocketAddr::from(([127, 0, 0, 1], port)) }).await {
            Ok(ports) => return Ok(ports),
            Err(error) => taken = Some(error),
        }
    }
    Err(taken.expect("the range is not empty"))
}

/// The hub cannot start: says why, where a person and where a script looks, and ends the app.
fn fail(app: &AppHandle, error: &Error) {
    app.state::<Host>().state.send_replace(State::Gone);
    let sentence = error.in_language(super::words::language()).message;
    tracing::error!(error.code = ?error.code, error = ?error.source, "The hub could not start.");
    eprintln!("shopbell: {sentence}");
    let code = i32::from(error.code.exit_code());
    let ending = app.clone();
    app.dialog().message(sentence).title(Say::CannotStart.now()).kind(MessageDialogKind::Error).show(move |_| ending.exit(code));
}

/// Lets the hub finish what it holds, then ends the app with `code`.
pub fn quit(app: &AppHandle, code: i32) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let last = app.state::<Host>().state.send_replace(State::Gone);
        if let State::Ready(hub) = last {
            hub.stop().await;
        }
        app.exit(code);
    });
}

/// Ends the app when the system or a terminal asks, as it ends from the tray.
pub fn quit_on_signals(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Err(error) = asked_to_stop().await {
            tracing::warn!(error = %error, "Signals cannot be listened to.");
            return;
        }
        quit(&app, 0);
    });
}

#[cfg(unix)]
async fn asked_to_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => (),
        _ = interrupt.recv() => (),
    }
    Ok(())
}

#[cfg(not(unix))]
async fn asked_to_stop() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
