//! `shopbell://` addresses: how a sign-in at a service in the browser comes back to the app.
//!
//! A link carries a `state` and a `code`, never an action: any web page can open one. The hub compares the state with what it
//! is waiting for; an unknown one is dropped without a word. On Linux and Windows the system starts a second process for each
//! link, which hands it to the first and ends (the single-instance plug-in).

use std::path::Path;

use serde_json::json;
use shopbell_core::error::Code;
use shopbell_core::oauth::LONGEST_LINK;
use tauri::{AppHandle, Manager, Url};
use tauri_plugin_deep_link::DeepLinkExt;

use super::host::Host;
use super::window;

/// The longest link that is looked at. Codes of large providers reach 2 KB.
const LONGEST: usize = LONGEST_LINK;

/// `text` as a link of ours, if it is one.
pub fn parse(text: &str) -> Option<Url> {
    let url = (text.len() <= LONGEST).then(|| Url::parse(text).ok())??;
    (url.scheme() == "shopbell").then_some(url)
}

/// Listens for links, takes the one this process was started with, and tells the system that `shopbell://` is ours.
pub fn start(app: &AppHandle, first: Option<Url>) {
    let handle = app.clone();
    app.deep_link().on_open_url(move |event| {
        for url in event.urls() {
            open(&handle, url);
        }
    });
    if let Some(url) = first {
        open(app, url);
    }
    // The links of a second profile would go to whichever started last; its sign-ins come back over loopback instead.
    if app.state::<Host>().is_main_profile() {
        let app = app.clone();
        tauri::async_runtime::spawn(async move {
            let registering = app.clone();
            let is_ours = tauri::async_runtime::spawn_blocking(move || register(&registering)).await.unwrap_or(false);
            // Only where links do arrive is a sign-in sent back by one.
            if let (true, Ok(hub)) = (is_ours, app.state::<Host>().hub().await) {
                hub.sign_ins.take_links();
            }
        });
    }
}

/// Hands one link to the hub and shows the window that was waiting for it.
fn open(app: &AppHandle, url: Url) {
    let Some(url) = parse(url.as_str()) else { return };
    window::show(app);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        match app.state::<Host>().call("open_link", json!({ "url": url.as_str() })).await {
            Ok(_) => tracing::info!("A sign-in came back from the browser."),
            // Anybody can make a link. The log names neither it nor what stood in it.
            Err(error) if matches!(error.code, Code::NotFound | Code::Conflict | Code::Invalid | Code::Forbidden) => {
                tracing::debug!("A link that nobody waits for was dropped.");
            }
            Err(error) => tracing::warn!(error.code = ?error.code, "A link could not be handed to the hub."),
        }
    });
}

/// Registers the scheme for this user, unless an installed package did so for everybody. Whether links arrive here then.
fn register(app: &AppHandle) -> bool {
    if cfg!(target_os = "macos") || installed_by_package() {
        return true;
    }
    if let Err(error) = app.deep_link().register_all() {
        tracing::warn!(error = %error, "shopbell:// links could not be registered: sign-ins in the browser will have to be pasted.");
        return false;
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = unquote_exec(app) {
        tracing::warn!(error = %error, "The registration of shopbell:// links could not be adjusted.");
    }
    true
}

/// A program under `/usr` came with its own desktop file.
fn installed_by_package() -> bool {
    cfg!(target_os = "linux") && std::env::current_exe().is_ok_and(|program| program.starts_with("/usr"))
}

/// The plug-in writes `Exec="/path/shopbell" %u`; `xdg-open` without a desktop environment takes the quotes for part of the
/// path (tauri-apps/plugins-workspace#3374).
#[cfg(target_os = "linux")]
fn unquote_exec(app: &AppHandle) -> anyhow::Result<()> {
    use anyhow::Context;

    let program = std::env::current_exe().context("find this program")?;
    let name = program.file_name().context("this program has a name")?.to_string_lossy().into_owned();
    let file = app.path().data_dir()?.join("applications").join(format!("{name}-handler.desktop"));
    let entry = std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    let rewritten = with_plain_exec(&entry, &program);
    if rewritten != entry {
        std::fs::write(&file, rewritten).with_context(|| format!("write {}", file.display()))?;
    }
    Ok(())
}

/// `entry` with its `Exec` line unquoted, where the path needs no quotes.
fn with_plain_exec(entry: &str, program: &Path) -> String {
    let quoted = format!("Exec=\"{}\" %u", program.display());
    let plain = format!("Exec={} %u", program.display());
    let needs_quotes = program.to_string_lossy().contains(|c: char| !c.is_ascii_alphanumeric() && !"/._-+".contains(c));
    if needs_quotes { entry.to_owned() } else { entry.replace(&quoted, &plain) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_scheme_is_a_link() {
        assert!(parse("shopbell://oauth/callback?code=a&state=b").is_some());
        for other in ["https://example.com", "shopbell", "", "shop bell://x", "file:///shopbell://"] {
            assert!(parse(other).is_none(), "{other}");
        }
        assert!(parse(&format!("shopbell://{}", "a".repeat(LONGEST))).is_none());
    }

    #[test]
    fn the_exec_line_loses_its_quotes_unless_the_path_needs_them() {
        let entry = "[Desktop Entry]\nExec=\"/opt/shopbell/shopbell\" %u\nTerminal=false\n";
        let plain = "[Desktop Entry]\nExec=/opt/shopbell/shopbell %u\nTerminal=false\n";
        assert_eq!(with_plain_exec(entry, Path::new("/opt/shopbell/shopbell")), plain);
        let spaced = "Exec=\"/home/a b/shopbell\" %u\n";
        assert_eq!(with_plain_exec(spaced, Path::new("/home/a b/shopbell")), spaced);
    }
}
