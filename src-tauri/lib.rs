//! The desktop app: a window around the hub.
//!
//! In the order of a start: [`main`] reads the arguments and makes sure that a window can be opened at all; [`build`] puts the
//! plug-ins and the window together, the one that keeps a second process from opening the same profile first; the hub starts
//! behind the open window ([`desktop::host`]); and what only a desktop has (tray, notifications, `shopbell://` links) follows
//! it. The screens reach the hub by the four commands in [`desktop::bridge`].

pub mod desktop;

use std::process::ExitCode;
use std::sync::Arc;

use shopbell_core::changes::Announced;
use shopbell_core::hub::Hub;
use shopbell_core::model::Change;
use shopbell_core::profile::USUAL;
use tauri::{AppHandle, Context, RunEvent, Wry};
use tauri_plugin_window_state::StateFlags;
use tokio::sync::Notify;

use desktop::arguments::{Arguments, Asked};
use desktop::following::{Following, Heard};
use desktop::{bridge, deep_link, host, logs, media, notifications, tray, webview, window, words};

/// The code the program ends with when there is no display to open a window on.
const NO_DISPLAY: u8 = 6;

/// The whole program.
pub fn main() -> ExitCode {
    webview::work_around_drivers();
    words::set_language_of_system();
    shopbell_connectors::register_words();
    let arguments = match desktop::arguments::read(std::env::args().skip(1)) {
        Asked::Start(arguments) => arguments,
        Asked::Print(text) => {
            println!("{text}");
            return ExitCode::SUCCESS;
        }
        Asked::Wrong(sentence) => {
            eprintln!("shopbell: {sentence}");
            return ExitCode::from(2);
        }
    };
    if let Err(sentence) = webview::check_display() {
        eprintln!("shopbell: {sentence}");
        return ExitCode::from(NO_DISPLAY);
    }
    // Kept to the end: what waits in it is written when it is dropped.
    let _writing = logs::start(&arguments.profile);
    match build(arguments) {
        // The app leaves by `AppHandle::exit` with its own code.
        Ok(app) => app.run(|_, event| {
            if let RunEvent::ExitRequested { api, code: None, .. } = event {
                // Without a window the hub goes on.
                api.prevent_exit();
            }
        }),
        Err(error) => {
            eprintln!("shopbell: the window could not be opened: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Puts the app together: plug-ins, commands, the scheme for files, the window.
fn build(arguments: Arguments) -> tauri::Result<tauri::App> {
    let mut context: Context<Wry> = tauri::generate_context!();
    let Arguments { profile, public, link } = arguments;
    if profile != USUAL {
        // Its own instance, place of the window and web storage.
        context.config_mut().identifier.push_str(&format!(".profile-{profile}"));
    }
    tauri::Builder::default()
        // First, so that a second process ends before it touches anything. A link it was started with arrives in deep_link.
        .plugin(tauri_plugin_single_instance::init(|app, _, _| window::show(app)))
        .plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_opener::Builder::new().open_js_links_on_click(false).build())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(
            tauri_plugin_window_state::Builder::new()
                .with_state_flags(StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED)
                .build(),
        )
        .manage(host::Host::new(profile, public))
        .manage(bridge::Line::default())
        .register_asynchronous_uri_scheme_protocol(media::SCHEME, media::answer)
        .invoke_handler(tauri::generate_handler![bridge::call, bridge::changes, bridge::media, bridge::open_external, bridge::open_lab])
        .setup(move |app| {
            let app = app.handle();
            window::open(app)?;
            tray::build(app);
            host::quit_on_signals(app);
            host::start(app, follow);
            deep_link::start(app, link);
            Ok(())
        })
        .build(context)
}

/// What the desktop does about what happens in the hub, until it is gone.
fn follow(app: &AppHandle, hub: Arc<Hub>) {
    let stirred = Arc::new(Notify::new());
    tauri::async_runtime::spawn(tray::follow(app.clone(), stirred.clone()));
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let mut following = Following::from(&hub, None);
        let mut waiting = notifications::Waiting::default();
        while let Some(heard) = following.next().await {
            match heard {
                Heard::Change(Announced { change: Change::Conversation { id }, .. }) => waiting.heard(&app, id.as_str()).await,
                Heard::Change(Announced { change: Change::Connection { .. } | Change::Settings, .. }) | Heard::Reset { .. } => {
                    stirred.notify_one();
                }
                Heard::Change(_) => (),
            }
        }
    });
}
