//! shopbell-server: the same hub without a window, behind HTTP, with the same screens in a browser.
//!
//! Starts, prints one line of JSON once both doors answer, and runs until it is told to stop (SIGTERM, Ctrl+C). What went wrong is said
//! in one sentence on standard error and in the exit code.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use rust_embed::RustEmbed;
use serde_json::json;
use shopbell_core::backup::{copy, export, restore};
use shopbell_core::error::{Code, Error, Result};
use shopbell_core::gateway::doors::{self, Places, Ports};
use shopbell_core::gateway::files::Pages;
use shopbell_core::hub::{Hub, HubOptions};
use shopbell_core::{profile, say};

mod options;

use options::{Asked, Errand, Options};

/// The screens, as `ui/` builds them.
#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
struct Screens;

impl Pages for Screens {
    fn get(&self, path: &str) -> Option<(Cow<'static, [u8]>, String)> {
        let file = <Self as RustEmbed>::get(path)?;
        let mime = file.metadata.mimetype().to_owned();
        Some((file.data, mime))
    }
}

fn main() -> ExitCode {
    let asked = match options::read(std::env::args().skip(1), |name| std::env::var(name).ok()) {
        Ok(asked) => asked,
        Err(error) => return end(&error),
    };
    let options = match asked {
        Asked::Run(options) => options,
        Asked::Print(text) => {
            // A closed pipe (`… --help | head -1`) is no mistake.
            drop(std::io::stdout().write_all(text.as_bytes()));
            return ExitCode::SUCCESS;
        }
    };
    let log =
        std::env::var("SHOPBELL_LOG").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| tracing_subscriber::EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(log).with_writer(std::io::stderr).with_ansi(colours).with_target(false).init();
    shopbell_connectors::register_words();
    // Two threads are plenty for one shop, and each costs memory.
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).max_blocking_threads(32).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return end(&Error::from(anyhow::Error::new(error))),
    };
    let ended = runtime.block_on(run(*options));
    // A keychain that never answers must not keep the program from ending.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => end(&error),
    }
}

/// Says what went wrong and gives its exit code.
fn end(error: &Error) -> ExitCode {
    let mut said = format!("shopbell-server: {error}");
    if let Some(source) = &error.source {
        said.push_str(&format!("\n  ({source:#})"));
    }
    drop(writeln!(std::io::stderr(), "{said}"));
    ExitCode::from(error.code.exit_code())
}

async fn run(options: Options) -> Result<()> {
    // From the first moment: a stop that comes while we start is a stop all the same.
    let stop = stop_signal()?;
    tokio::pin!(stop);
    let directory = match &options.data_dir {
        Some(directory) => directory.clone(),
        None => profile::directory(&options.profile)?,
    };
    if let Some(errand) = &options.errand {
        return do_errand(errand, &directory, &options).await;
    }
    let mut places = Places { admin: Some(options.admin), public: options.public };
    let mut announced = false;
    loop {
        let ports = Ports::take_for(&places, &directory).await?;
        let hub = Hub::open(hub_options(&directory, &options)).await?;
        let opened = async {
            let token = match &options.token {
                Some(token) => token.clone(),
                None => doors::kept_token(&directory)?,
            };
            doors::open(&hub, ports, options.public_url.clone(), Some((token, Arc::new(Screens)))).await
        };
        let doors = match opened.await {
            Ok(doors) => doors,
            Err(error) => {
                hub.stop().await;
                return Err(error);
            }
        };
        if !announced {
            announce(&hub, &doors)?;
            announced = true;
        }
        let again = tokio::select! {
            () = &mut stop => false,
            () = hub.again.cancelled() => true,
        };
        // Whoever asked finds the doors where they were.
        places = Places { admin: doors.admin, public: doors.public };
        tracing::info!("{}", if again { "Opening what was restored." } else { "Stopping." });
        hub.stop().await;
        if !again {
            return Ok(());
        }
    }
}

fn hub_options(directory: &std::path::Path, options: &Options) -> HubOptions {
    let mut hub_options = HubOptions::new(directory.to_owned(), shopbell_connectors::all());
    hub_options.profile = options.profile.clone();
    hub_options.passphrase = options.passphrase.clone();
    hub_options.lab = options.lab;
    hub_options
}

/// Seals or restores, and ends. The hub only stands there meanwhile: it sends nothing and asks nobody.
async fn do_errand(errand: &Errand, directory: &std::path::Path, options: &Options) -> Result<()> {
    let passphrase = options.backup_passphrase.clone().unwrap_or_default();
    let mut hub_options = hub_options(directory, options);
    hub_options.standing = true;
    let hub = Hub::open(hub_options).await?;
    let done = async {
        if !hub.vault.state().is_open() {
            return Err(vault_closed());
        }
        match errand {
            Errand::Export(file) => {
                let file = std::path::absolute(file).map_err(anyhow::Error::new)?;
                let made = export::to_file(&hub, passphrase, &file, copy::free_space).await?;
                Ok(json!({ "file": made.file, "bytes": made.bytes, "files": made.files, "left_out": made.left_out }))
            }
            Errand::Restore { file, replace } => {
                let made = restore::prepare(&hub, file, passphrase, *replace, copy::free_space).await?;
                Ok(json!({ "made_at": made.made_at, "files": made.files, "left_out": made.left_out, "kept_aside": made.kept_aside }))
            }
        }
    };
    let done = done.await;
    hub.stop().await;
    let line = done?;
    writeln!(std::io::stdout(), "{line}").map_err(anyhow::Error::new)?;
    Ok(())
}

fn vault_closed() -> Error {
    Error::new(Code::VaultLocked, say!("Shopbell's keys are locked. Give their passphrase with --passphrase-file or SHOPBELL_PASSPHRASE."))
}

/// The line for programs on standard output, the link for a person on standard error.
fn announce(hub: &Hub, doors: &doors::Doors) -> Result<()> {
    let vault = if hub.vault.state().is_open() { "open" } else { "locked" };
    let address = |address: Option<std::net::SocketAddr>| address.map(|address| format!("http://{address}"));
    let line = json!({ "ready": true, "admin": address(doors.admin), "public": address(Some(doors.public)), "vault": vault });
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(anyhow::Error::new)?;
    if let Some(link) = doors.sign_in_link() {
        drop(writeln!(std::io::stderr(), "\nOpen Shopbell in your browser (the link works once, for ten minutes):\n  {link}\n"));
    }
    Ok(())
}

/// Resolves when the system or the person asks us to stop.
#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(anyhow::Error::new)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(anyhow::Error::new)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Resolves when the system or the person asks us to stop.
#[cfg(not(unix))]
fn stop_signal() -> Result<impl Future<Output = ()>> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "Ctrl+C cannot be heard.");
            std::future::pending::<()>().await;
        }
    })
}
