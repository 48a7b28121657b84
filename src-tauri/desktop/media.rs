//! Stored files in the window: pictures by the scheme `shopbell-media`, sound by a command, anything else by "save as".
//!
//! WebKitGTK plays no sound from a custom scheme, so the screens fetch its bytes with [`super::bridge::media`] and make a blob
//! of them. A scheme's handler runs whoever asks, whatever CORS says: the origin is checked here.

use tauri::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ORIGIN, X_CONTENT_TYPE_OPTIONS};
use tauri::http::{HeaderValue, Method, Request, Response, StatusCode};
use tauri::{AppHandle, Manager, Runtime, UriSchemeContext, UriSchemeResponder, Url};
use tauri_plugin_dialog::{DialogExt, MessageDialogKind};

use super::host::{File, Host};
use super::window::MAIN;
use super::words::Say;

/// The scheme's name, in the content security policy too.
pub const SCHEME: &str = "shopbell-media";

/// Answers one request of the window for a stored file.
pub fn answer<R: Runtime>(context: UriSchemeContext<'_, R>, request: Request<Vec<u8>>, responder: UriSchemeResponder) {
    let asked = if context.webview_label() == MAIN { asked(&request) } else { Err(StatusCode::FORBIDDEN) };
    let app = context.app_handle().clone();
    tauri::async_runtime::spawn(async move {
        let response = match asked {
            Err(status) => plain(status),
            Ok(id) => match app.state::<Host>().media(&id).await {
                Ok(file) => serve(file),
                Err(_) => plain(StatusCode::NOT_FOUND),
            },
        };
        responder.respond(response);
    });
}

/// The file's id, if this window's own page asks in a way that only reads.
fn asked(request: &Request<Vec<u8>>) -> Result<String, StatusCode> {
    if request.method() != Method::GET {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    // An `<img>` sends no origin; a script does, and a frame cut off from everything sends "null".
    let origin = request.headers().get(ORIGIN).map(HeaderValue::as_bytes);
    if origin.is_some_and(|origin| !matches!(origin, b"tauri://localhost" | b"http://tauri.localhost")) {
        return Err(StatusCode::FORBIDDEN);
    }
    id_in(request.uri().path()).ok_or(StatusCode::NOT_FOUND)
}

/// The file that `url` of our scheme names.
pub fn id_of(url: &Url) -> Option<String> {
    let ours = match url.scheme() {
        SCHEME => url.host_str() == Some("localhost"),
        "http" => url.host_str() == Some("shopbell-media.localhost"),
        _ => false,
    };
    ours.then(|| id_in(url.path())).flatten()
}

/// An id is letters, digits and underscores: nothing that could be a path.
fn id_in(path: &str) -> Option<String> {
    let id = path.strip_prefix('/')?;
    let fits = (1..=64).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    fits.then(|| id.to_owned())
}

fn serve(file: File) -> Response<Vec<u8>> {
    let disposition = if shown_inline(&file.mime) { "inline" } else { "attachment" };
    Response::builder()
        .header(CONTENT_TYPE, &file.mime)
        .header(CONTENT_DISPOSITION, disposition)
        .header(X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'")
        .header(CACHE_CONTROL, "private, max-age=86400, immutable")
        .body(file.bytes)
        .unwrap_or_else(|_| plain(StatusCode::NOT_FOUND))
}

/// Raster pictures, sound and moving pictures. Never SVG, which is a document that can hold a script.
fn shown_inline(mime: &str) -> bool {
    let kind = mime.split(';').next().unwrap_or_default().trim();
    (kind.starts_with("image/") && !kind.starts_with("image/svg")) || kind.starts_with("audio/") || kind.starts_with("video/")
}

fn plain(status: StatusCode) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = status;
    response
}

/// Asks where to save a stored file, and saves it there.
pub fn save(app: &AppHandle, id: String) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let file = match app.state::<Host>().media(&id).await {
            Ok(file) => file,
            Err(error) => return tracing::warn!(error.code = ?error.code, "A file to be saved is not there."),
        };
        let name = safe_name(file.name.as_deref().unwrap_or(&id));
        app.dialog().file().set_file_name(name).save_file({
            let app = app.clone();
            move |chosen| {
                let Some(path) = chosen.and_then(|chosen| chosen.into_path().ok()) else { return };
                if let Err(error) = std::fs::write(&path, &file.bytes) {
                    tracing::warn!(error = %error, "A file could not be saved.");
                    let message = format!("{} ({error})", Say::NotSaved.now());
                    app.dialog().message(message).kind(MessageDialogKind::Warning).show(|_| {});
                }
            }
        });
    });
}

/// What a customer called the file, with nothing in it that means something to a file system.
fn safe_name(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_control() || "/\\:*?\"<>|".contains(c) { '_' } else { c }).take(120).collect();
    let plain = plain.trim_matches(|c: char| c == '.' || c.is_whitespace()).to_owned();
    if plain.is_empty() { "file".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method, address: &str, origin: Option<&str>) -> Request<Vec<u8>> {
        let mut request = Request::builder().method(method).uri(address);
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        request.body(Vec::new()).expect("a request")
    }

    #[test]
    fn the_window_may_read_a_file_and_nobody_else() {
        let picture = "shopbell-media://localhost/med_0198";
        assert_eq!(asked(&request(Method::GET, picture, None)), Ok("med_0198".to_owned()));
        assert_eq!(asked(&request(Method::GET, picture, Some("tauri://localhost"))), Ok("med_0198".to_owned()));
        for foreign in ["null", "https://example.com", "tauri://localhost.evil", ""] {
            assert_eq!(asked(&request(Method::GET, picture, Some(foreign))), Err(StatusCode::FORBIDDEN), "{foreign}");
        }
        assert_eq!(asked(&request(Method::POST, picture, None)), Err(StatusCode::METHOD_NOT_ALLOWED));
    }

    #[test]
    fn an_id_is_never_a_path() {
        for address in [
            "shopbell-media://localhost/../x",
            "shopbell-media://localhost/a/b",
            "shopbell-media://localhost/",
            "shopbell-media://localhost/%2e%2e",
        ] {
            assert_eq!(asked(&request(Method::GET, address, None)), Err(StatusCode::NOT_FOUND), "{address}");
        }
    }

    #[test]
    fn what_could_run_is_only_ever_saved() {
        for (mime, inline) in [
            ("image/png", true),
            ("audio/ogg; codecs=opus", true),
            ("video/mp4", true),
            ("image/svg+xml", false),
            ("text/html", false),
            ("application/pdf", false),
        ] {
            assert_eq!(shown_inline(mime), inline, "{mime}");
        }
        let response = serve(File { bytes: b"<svg/>".to_vec(), mime: "image/svg+xml".to_owned(), name: None });
        assert_eq!(response.headers()[CONTENT_DISPOSITION], "attachment");
        assert_eq!(response.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(response.headers()[CONTENT_SECURITY_POLICY], "sandbox; default-src 'none'");
    }

    #[test]
    fn a_customers_file_name_cannot_point_anywhere() {
        assert_eq!(safe_name("../../.bashrc"), "_.._.bashrc");
        assert_eq!(safe_name("menu: maio.pdf"), "menu_ maio.pdf");
        assert_eq!(safe_name(" . "), "file");
    }
}
