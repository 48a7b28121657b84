//! The one window: what it may show, and what closing it means.
//!
//! It shows Shopbell's own screens and never anything else; a link to the outside goes to the system's browser. Closing it
//! leaves the hub running, because customers go on writing; the first time, it says so.

use tauri::webview::NewWindowResponse;
use tauri::window::Color;
use tauri::{AppHandle, Manager, Theme, Url, WebviewWindow, WebviewWindowBuilder, WindowEvent};
use tauri_plugin_dialog::{DialogExt, MessageDialogButtons, MessageDialogKind};

use super::words::Say;
use super::{links, media};

/// The window's name, in capabilities too.
pub const MAIN: &str = "main";

/// Opens the window as `tauri.conf.json` describes it.
///
/// # Errors
/// When the system refuses to open one.
pub fn open(app: &AppHandle) -> tauri::Result<WebviewWindow> {
    let config = app.config().app.windows.first().expect("tauri.conf.json describes the window").clone();
    let leaving = app.clone();
    let opening = app.clone();
    let window = WebviewWindowBuilder::from_config(app, &config)?
        .devtools(cfg!(debug_assertions))
        .on_navigation(move |url| stays(&leaving, url))
        .on_new_window(move |url, _| {
            leave(&opening, &url);
            NewWindowResponse::Deny
        })
        .build()?;
    // The colour of the canvas, so that nothing flashes before the first paint.
    let canvas = match window.theme() {
        Ok(Theme::Dark) => Color(0x0e, 0x16, 0x13, 0xff),
        _ => Color(0xf7, 0xf6, 0xf2, 0xff),
    };
    window.set_background_color(Some(canvas))?;
    let closing = app.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event {
            api.prevent_close();
            close(&closing);
        }
    });
    Ok(window)
}

/// Brings the window to the front, from the tray or from behind others.
pub fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    let shown = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(error = %error, "The window could not be brought to the front.");
    }
}

/// Whether somebody looks at the window now.
pub fn is_watched(app: &AppHandle) -> bool {
    app.get_webview_window(MAIN).is_some_and(|window| window.is_visible().unwrap_or(false) && window.is_focused().unwrap_or(false))
}

/// Whether `url` is one of Shopbell's own pages. Anything else is opened outside, or not at all.
fn stays(app: &AppHandle, url: &Url) -> bool {
    let own = is_own_page(url);
    if !own {
        leave(app, url);
    }
    own
}

fn is_own_page(url: &Url) -> bool {
    match (url.scheme(), url.host_str()) {
        ("tauri", Some("localhost")) => true,
        ("http", Some("tauri.localhost")) => cfg!(windows),
        ("http", Some("localhost")) => cfg!(dev) && url.port() == Some(5173),
        // A frame that shows a mail, cut off from everything by its own policy.
        ("blob", _) => url.as_str().starts_with("blob:tauri://localhost/") || url.as_str().starts_with("blob:http://tauri.localhost/"),
        ("about", _) => matches!(url.as_str(), "about:blank" | "about:srcdoc"),
        _ => false,
    }
}

/// A link that leaves the window: a stored file is saved, a page or an address is opened by the system.
fn leave(app: &AppHandle, url: &Url) {
    if let Some(id) = media::id_of(url) {
        media::save(app, id);
    } else if let Err(error) = links::open(app, url.as_str()) {
        tracing::debug!(error.code = ?error.code, "A link in the window was not opened.");
    }
}

/// Hides the window. The first time on this computer, a dialog says what that means.
fn close(app: &AppHandle) {
    let hide = |app: &AppHandle| {
        if let Some(Err(error)) = app.get_webview_window(MAIN).map(|window| window.hide()) {
            tracing::warn!(error = %error, "The window could not be hidden.");
        }
    };
    let told = app.path().app_local_data_dir().map(|folder| folder.join("told-that-closing-keeps-running"));
    if told.as_ref().is_ok_and(|file| file.exists()) {
        hide(app);
        return;
    }
    let app = app.clone();
    app.dialog()
        .message(Say::Closed.now())
        .title(Say::ClosedTitle.now())
        .kind(MessageDialogKind::Info)
        .buttons(MessageDialogButtons::OkCancelCustom(Say::KeepRunning.now().to_owned(), Say::Quit.now().to_owned()))
        .show({
            let app = app.clone();
            move |keep| {
                if !keep {
                    super::host::quit(&app, 0);
                    return;
                }
                hide(&app);
                // Without the mark the dialog only comes again.
                if let Err(error) = told.map_err(anyhow::Error::from).and_then(|file| {
                    file.parent().map(std::fs::create_dir_all).transpose()?;
                    Ok(std::fs::write(file, "")?)
                }) {
                    tracing::debug!(error = %error, "That closing was explained could not be noted.");
                }
            }
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_shows_its_own_pages_only() {
        for (address, own) in [
            ("tauri://localhost/", true),
            ("tauri://localhost/inbox?x=1", true),
            ("blob:tauri://localhost/8f1c", true),
            ("about:srcdoc", true),
            ("about:blank", true),
            ("tauri://evil/", false),
            ("https://example.com/", false),
            ("http://localhost:5173/", false),
            ("http://127.0.0.1:7410/", false),
            ("file:///etc/passwd", false),
            ("data:text/html,x", false),
            ("blob:https://example.com/1", false),
            ("shopbell-media://localhost/med_1", false),
            ("javascript:alert(1)", false),
        ] {
            assert_eq!(is_own_page(&Url::parse(address).expect("a url")), own, "{address}");
        }
    }
}
