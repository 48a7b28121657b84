//! Where the app's log goes: a file a day in the profile's folder, the last seven kept, and the terminal it was started from.
//!
//! No line holds a message, a token or an address; that is kept where the lines are written.

use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

/// How many days are kept.
const DAYS: usize = 7;

/// Starts the log. The guard writes what waits when it is dropped; `None` when the folder cannot be written, and only the
/// terminal hears.
pub fn start(profile: &str) -> Option<WorkerGuard> {
    let filter = EnvFilter::try_from_env("SHOPBELL_LOG").unwrap_or_else(|_| EnvFilter::new("info,zbus=warn,tao=warn,wry=warn"));
    let terminal = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let file = shopbell_core::profile::directory(profile).map_err(anyhow::Error::new).and_then(|directory| {
        let folder = directory.join("logs");
        std::fs::create_dir_all(&folder)?;
        Ok(rolling::Builder::new()
            .rotation(rolling::Rotation::DAILY)
            .filename_prefix("shopbell")
            .filename_suffix("log")
            .max_log_files(DAYS)
            .build(&folder)?)
    });
    match file {
        Ok(file) => {
            let (writer, guard) = tracing_appender::non_blocking(file);
            let written = fmt::layer().with_writer(writer).with_ansi(false);
            tracing_subscriber::registry().with(filter).with(terminal).with(written).init();
            Some(guard)
        }
        Err(error) => {
            tracing_subscriber::registry().with(filter).with(terminal).init();
            tracing::warn!(error = %error, "The log cannot be written to its folder.");
            None
        }
    }
}
