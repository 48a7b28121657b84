//! The bell in the tray. It tells the truth: brass and tilted while messages come in, outlined while nothing is connected or
//! the hub starts, red with a stroke through it when something is broken.

use std::time::Duration;

use serde_json::{Value, json};
use tauri::image::Image;
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager, Wry};

use super::host::{self, Host};
use super::words::{self, Say};
use super::{notifications, window};

/// How often the state is read even though nothing was heard: a state can age.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// What the bell shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bell {
    Starting,
    Locked,
    NothingConnected,
    Receiving,
    NotReceiving,
}

impl Bell {
    fn words(self) -> Say {
        match self {
            Self::Starting => Say::Starting,
            Self::Locked => Say::Locked,
            Self::NothingConnected => Say::NothingConnected,
            Self::Receiving => Say::Receiving,
            Self::NotReceiving => Say::NotReceiving,
        }
    }

    fn icon(self) -> Image<'static> {
        let drawn: &[u8] = match self {
            Self::Starting | Self::NothingConnected => include_bytes!("../../icons/tray/starting.png"),
            Self::Receiving => include_bytes!("../../icons/tray/receiving.png"),
            Self::Locked | Self::NotReceiving => include_bytes!("../../icons/tray/stopped.png"),
        };
        Image::from_bytes(drawn).expect("icons/render.sh drew it")
    }

    /// What the hub says of itself, and its connections, as the bell shows it.
    fn of(health: &Value, connections: &Value) -> Self {
        if health["vault"] != json!("open") {
            return Self::Locked;
        }
        if health["receiving"] == json!(false) {
            return Self::NotReceiving;
        }
        let channels = connections["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is = |status: &str| channels.iter().any(|row| row["status"] == json!(status) || row["status"]["status"] == json!(status));
        if is("failing") || is("needs_sign_in") {
            Self::NotReceiving
        } else if is("active") {
            Self::Receiving
        } else {
            Self::NothingConnected
        }
    }
}

/// The tray's parts that change.
pub struct Tray {
    icon: TrayIcon,
    state: MenuItem<Wry>,
    open: MenuItem<Wry>,
    quit: MenuItem<Wry>,
}

/// Puts the bell into the tray. Some desktops have none; then the window is opened by starting Shopbell again.
pub fn build(app: &AppHandle) {
    match try_build(app) {
        Ok(tray) => {
            app.manage(tray);
        }
        Err(error) => tracing::warn!(error = %error, "There is no tray to put the bell into."),
    }
}

fn try_build(app: &AppHandle) -> tauri::Result<Tray> {
    let bell = Bell::Starting;
    let state = MenuItem::with_id(app, "state", bell.words().now(), false, None::<&str>)?;
    let open = MenuItem::with_id(app, "open", Say::Open.now(), true, None::<&str>)?;
    let quit = MenuItem::with_id(app, "quit", Say::Quit.now(), true, None::<&str>)?;
    let menu = Menu::with_items(app, &[&state, &PredefinedMenuItem::separator(app)?, &open, &quit])?;
    let icon = TrayIconBuilder::with_id("bell")
        .icon(bell.icon())
        .tooltip("Shopbell")
        .menu(&menu)
        .show_menu_on_left_click(false)
        .on_menu_event(|app, event| match event.id().as_ref() {
            "open" => window::show(app),
            "quit" => host::quit(app, 0),
            _ => (),
        })
        .on_tray_icon_event(|tray, event| {
            if let TrayIconEvent::Click { button: MouseButton::Left, button_state: MouseButtonState::Up, .. } = event {
                window::show(tray.app_handle());
            }
        })
        .build(app)?;
    Ok(Tray { icon, state, open, quit })
}

impl Tray {
    fn show(&self, bell: Bell) -> tauri::Result<()> {
        let words = bell.words().now();
        self.icon.set_icon(Some(bell.icon()))?;
        self.icon.set_tooltip(Some(format!("Shopbell · {words}")))?;
        self.state.set_text(words)?;
        self.open.set_text(Say::Open.now())?;
        self.quit.set_text(Say::Quit.now())
    }
}

/// Keeps the bell true until the hub is gone. `stirred` is told whenever something changed that the bell may show.
pub async fn follow(app: AppHandle, stirred: std::sync::Arc<tokio::sync::Notify>) {
    let mut shown = None;
    loop {
        let Some((bell, reason)) = look(&app).await else { return };
        let now = (bell, words::language());
        if shown != Some(now) {
            if let Some(tray) = app.try_state::<Tray>()
                && let Err(error) = tray.show(bell)
            {
                tracing::warn!(error = %error, "The bell in the tray could not be changed.");
            }
            if matches!(shown, Some((Bell::Receiving, _))) && bell == Bell::NotReceiving {
                notifications::show(&app, Say::Stopped, reason.as_deref().unwrap_or_default());
            }
            shown = Some(now);
        }
        // A burst of changes is one look.
        tokio::time::sleep(Duration::from_millis(300)).await;
        tokio::select! {
            () = stirred.notified() => (),
            () = tokio::time::sleep(LOOK_AGAIN) => (),
        }
    }
}

/// What the bell should show now, why, and (in passing) which language the owner chose. `None` when the hub is gone.
async fn look(app: &AppHandle) -> Option<(Bell, Option<String>)> {
    let host = app.state::<Host>();
    let health = host.call("health", json!({})).await.ok()?;
    if let Some(language) = health["language"].as_str() {
        words::set_language(language);
    }
    // While the vault is locked nothing else is answered.
    let connections = host.call("list_connections", json!({})).await.unwrap_or_default();
    Some((Bell::of(&health, &connections), health["receiving_reason"].as_str().map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bell_tells_the_truth() {
        let open = json!({ "vault": "open", "receiving": true });
        let items = |statuses: &[&str]| json!({ "items": statuses.iter().map(|status| json!({ "status": status })).collect::<Vec<_>>() });
        assert_eq!(Bell::of(&json!({ "vault": "locked" }), &Value::Null), Bell::Locked);
        assert_eq!(Bell::of(&open, &items(&[])), Bell::NothingConnected);
        assert_eq!(Bell::of(&open, &items(&["draft", "paused"])), Bell::NothingConnected);
        assert_eq!(Bell::of(&open, &items(&["active", "paused"])), Bell::Receiving);
        assert_eq!(Bell::of(&open, &items(&["active", "failing"])), Bell::NotReceiving);
        assert_eq!(Bell::of(&json!({ "vault": "open", "receiving": false }), &items(&["active"])), Bell::NotReceiving);
    }

    #[test]
    fn every_state_has_a_picture() {
        for bell in [Bell::Starting, Bell::Locked, Bell::NothingConnected, Bell::Receiving, Bell::NotReceiving] {
            assert_eq!(bell.icon().width(), 64);
        }
    }
}
