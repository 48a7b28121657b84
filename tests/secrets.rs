//! Canary secrets: what is typed into a form is never seen again.
//!
//! Every connector with a secret field gets connections with planted values in all of them, and is then used, refused, failed and
//! changed through the outer doors of a hub in this process (traced at every level) and of a real `shopbell-server` (logging all it
//! can). Afterwards every planted value is searched, in every writing, in the database and its log, files, traces, standard error,
//! the command line and every answer. One finding fails the test and names the place.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test drives the process from outside and stops where something is wrong"
)]

use std::borrow::Cow;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shopbell_core::gateway::doors::{self, Places, Ports};
use shopbell_core::gateway::files::Pages;
use shopbell_core::secret::Secret;
use shopbell_tests::hub::{PASSPHRASE, TestHub};
use shopbell_tests::server::{Server, TOKEN};

use self::desk::Desk;
use self::hunt::Hunt;

#[path = "secrets/desk.rs"]
mod desk;
#[path = "secrets/form.rs"]
mod form;
#[path = "secrets/hunt.rs"]
mod hunt;
#[path = "secrets/probe.rs"]
mod probe;
#[path = "secrets/use.rs"]
mod usage;

/// Everything that was traced, at every level, by us and by what we use.
#[derive(Clone, Default)]
struct Traces(Arc<Mutex<Vec<u8>>>);

impl Write for Traces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct NoPages;

impl Pages for NoPages {
    fn get(&self, _: &str) -> Option<(Cow<'static, [u8]>, String)> {
        None
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_seen_in_a_hub_traced_at_every_level() {
    let traces = Traces::default();
    let writer = traces.clone();
    // For every thread: the store writes on one of its own.
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).with_ansi(false).init();
    let hunt = Arc::new(Hunt::new(20_261_121));
    hunt.know("the passphrase", PASSPHRASE);
    let token = hunt.plant("the admin token");
    let shop = TestHub::with(vec![probe::probe()]).await;
    let ports = Ports::take(&Places { admin: Some(([127, 0, 0, 1], 0).into()), public: ([127, 0, 0, 1], 0).into() }).await.unwrap();
    let doors = doors::open(&shop.hub, ports, None, Some((Secret::new(&token), Arc::new(NoPages)))).await.unwrap();
    let (admin, public) = (format!("http://{}", doors.admin.unwrap()), format!("http://{}", doors.public));
    let desk = Desk { admin, public, token, client: client(), hunt: hunt.clone() };
    usage::everything(&desk, PASSPHRASE, shop.hub.connectors.values().cloned().collect()).await;
    hunt.look_through(shop.directory.path());
    hunt.look_through_database(&shop.directory.path().join("shopbell.db"));
    shop.hub.stop().await;
    hunt.look_through(shop.directory.path());
    let traced = traces.0.lock().unwrap().clone();
    assert!(String::from_utf8_lossy(&traced).contains("TRACE"), "something was traced at all");
    hunt.look("the traces", &traced);
    hunt.nothing_found();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_seen_in_a_server_that_logs_all_it_can() {
    let hunt = Arc::new(Hunt::new(20_261_122));
    let passphrase = format!("{} com espaço +/=?&", hunt.plant("the beginning of the passphrase"));
    hunt.know("the passphrase", &passphrase);
    hunt.know("the admin token", TOKEN);
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::with_environment(directory.path(), &passphrase, &[("SHOPBELL_LOG", "trace"), ("RUST_LOG", "trace")]);
    let (admin, public) = (server.admin(""), server.public(""));
    let desk = Desk { admin, public, token: TOKEN.into(), client: client(), hunt: hunt.clone() };
    usage::everything(&desk, &passphrase, shopbell_connectors::all()).await;
    let command_line = std::fs::read(format!("/proc/{}/cmdline", server.pid().unwrap())).unwrap_or_default();
    hunt.look("the command line", &command_line);
    hunt.look_through(directory.path());
    hunt.look_through_database(&directory.path().join("shopbell.db"));
    server.kill();
    hunt.look_through(directory.path());
    // The next start reads the log back, opens the vault with the changed passphrase and goes on.
    server.up();
    desk.read_everything().await;
    server.stop();
    hunt.look_through(directory.path());
    let log = std::fs::read_to_string(directory.path().join("server.log")).unwrap();
    assert!(log.contains("TRACE"), "it logged all it can");
    hunt.nothing_found();
}

#[test]
fn the_hunt_finds_a_secret_however_it_is_written() {
    use base64::Engine;
    let hunt = Hunt::new(1);
    let value = "canary +/=ção-0123456789";
    hunt.know("it", value);
    let engine = base64::engine::general_purpose::STANDARD;
    let written = [
        format!("Bearer {value}\n"),
        engine.encode(format!("user:{value}")),
        engine.encode(format!("u:{value}")),
        engine.encode(value),
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("abcde{value}fg")),
        value.bytes().map(|byte| format!("{byte:02x}")).collect(),
        "https://x/?key=canary%20%2B%2F%3D%C3%A7%C3%A3o-0123456789&a=b".to_owned(),
        serde_json::json!({ "a": [value] }).to_string(),
    ];
    for (number, text) in written.iter().enumerate() {
        hunt.look(&format!("place {number}"), text.as_bytes());
        assert!(hunt.found().iter().any(|line| line.ends_with(&format!("in place {number}"))), "not found: {text}");
    }
    let before = hunt.found().len();
    hunt.look("elsewhere", "canary +/=ç, 0123456789, bearer •••".as_bytes());
    assert_eq!(hunt.found().len(), before);
    assert!(hunt.found().iter().all(|line| !line.contains(value)), "a finding never says the secret");
}
