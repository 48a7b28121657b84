//! The commands the screens call. Their other half is `ui/src/bridge/window.ts`; what may be called at all is in
//! `src-tauri/permissions`.

use std::process::{Command, Stdio};
use std::sync::Mutex;

use shopbell_core::error::{ApiError, Code, Error};
use shopbell_core::profile::LAB;
use shopbell_core::say;
use tauri::ipc::{Channel, Response};
use tauri::{AppHandle, State};
use tokio_util::sync::CancellationToken;

use super::following::{Following, Heard};
use super::host::Host;
use super::{links, words};

/// The longest request: a file to upload, in base64, with room to spare.
const LONGEST: usize = 48 * 1024 * 1024;

/// The line on which the window follows changes. A page that loads anew opens another one; the old one is cut.
#[derive(Default)]
pub struct Line(Mutex<CancellationToken>);

impl Line {
    fn renew(&self) -> CancellationToken {
        let mut current = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        current.cancel();
        *current = CancellationToken::new();
        current.clone()
    }
}

/// Asks the hub for something. Request and answer are JSON texts.
///
/// # Errors
/// What the hub answers: `{code, message, fields?}`.
#[tauri::command]
pub async fn call(host: State<'_, Host>, name: String, request: String) -> Result<String, ApiError> {
    if request.len() > LONGEST {
        return Err(error(Code::TooLarge));
    }
    let request = serde_json::from_str(&request).map_err(|_| error(Code::Invalid))?;
    let answer = host.call(&name, request).await?;
    serde_json::to_string(&answer).map_err(|_| error(Code::Internal))
}

/// Follows what changes, from number `after` on. Sends each change, and `{"type":"reset"}` when everything must be read again.
///
/// # Errors
/// `unavailable` when there is no hub.
#[tauri::command]
pub async fn changes(host: State<'_, Host>, line: State<'_, Line>, channel: Channel<Heard>, after: Option<u64>) -> Result<(), ApiError> {
    let cut = line.renew();
    let hub = host.hub().await?;
    tauri::async_runtime::spawn(async move {
        let mut following = Following::from(&hub, after);
        while let Some(Some(heard)) = cut.run_until_cancelled(following.next()).await {
            if channel.send(heard).is_err() {
                break;
            }
        }
    });
    Ok(())
}

/// One stored file's bytes, for what the window plays.
///
/// # Errors
/// `not_found` for an id that is not there.
#[tauri::command]
pub async fn media(host: State<'_, Host>, id: String) -> Result<Response, ApiError> {
    Ok(Response::new(host.media(&id).await?.bytes))
}

/// Opens a web page or a mail address outside.
///
/// # Errors
/// `forbidden` for any other kind of address.
#[tauri::command]
pub fn open_external(app: AppHandle, url: String) -> Result<(), ApiError> {
    links::open(&app, &url)
}

/// Opens the Lab beside this window: a second Shopbell with its own data and stand-ins for every service. It runs as a process of its own,
/// so that nothing in it can touch the shop.
///
/// # Errors
/// `internal` when the program cannot be started a second time.
#[tauri::command]
pub fn open_lab() -> Result<(), ApiError> {
    let started = std::env::current_exe().and_then(|program| {
        Command::new(program).args(["--profile", LAB]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    });
    let mut lab = started.map_err(|cause| {
        tracing::error!(error = %cause, "The Lab could not be started.");
        error(Code::Internal)
    })?;
    // Somebody must hear of its end, or the system keeps its entry for as long as this program runs.
    std::thread::spawn(move || lab.wait());
    Ok(())
}

fn error(code: Code) -> ApiError {
    let sentence = match code {
        Code::TooLarge => say!("That is more than Shopbell takes at once."),
        Code::Invalid => say!("Something in this form is not right."),
        _ => say!("Something went wrong inside Shopbell. Its log says more."),
    };
    Error::new(code, sentence).in_language(words::language())
}
