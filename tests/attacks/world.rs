//! A hub with its doors open on free ports, a channel of its own, and a caller who may say anything over a plain socket.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use shopbell_core::connector::{
    About, Account, Auth, Channel, ChannelRules, Connector, ConnectorType, Event, Forged, Link, Malformed, Outgoing, Receipt, Request,
    Roles, ServiceError, SharedCallback, TextLimit, TextUnit, erase,
};
use shopbell_core::gateway::doors::{self, Doors, Places, Ports};
use shopbell_core::gateway::files::Pages;
use shopbell_core::hub::{Hub, HubOptions};
use shopbell_core::id::ConnectionId;
use shopbell_core::model::Medium;
use shopbell_core::secret::Secret;
use shopbell_core::vault::NoKeychain;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const TOKEN: &str = "the-admin-token-of-the-attacks";
pub const PASSPHRASE: &str = "correct horse";
/// What the probe's webhooks are signed with.
pub const SIGNATURE: &str = "signed-by-the-service";

/// A channel with a webhook that takes anything which is signed.
struct Probe;

#[derive(Deserialize, JsonSchema)]
struct ProbeConfig {
    /// The app whose callback it shares.
    app: Option<String>,
    /// What its requests must hold to be meant for it.
    number: Option<String>,
    /// What its requests are signed with, if not as usual.
    signature: Option<String>,
}

#[async_trait]
impl Connector for Probe {
    type Config = ProbeConfig;
    fn about(&self) -> About {
        About {
            kind: "probe",
            name: "Probe",
            connector_type: ConnectorType::Channel,
            auth: Auth::ApiKey,
            summary: "A channel of the tests",
            disabled: None,
            prerequisites: &[],
            steps: &[],
            links: &[],
            icon: "",
            color: "#000000",
        }
    }
    fn roles(&self) -> Roles<ProbeConfig> {
        Roles::channel(Probe)
    }
    async fn test(&self, _: Link<'_, ProbeConfig>) -> Result<Account, ServiceError> {
        Ok(Account::default())
    }
}

#[async_trait]
impl Channel<ProbeConfig> for Probe {
    fn rules(&self) -> ChannelRules {
        ChannelRules {
            medium: Medium::Chat,
            abilities: &[],
            text_limit: TextLimit { max: 1000, unit: TextUnit::Chars },
            caption_limit: 1000,
            media_limits: BTreeMap::new(),
            max_choices: 0,
            reply_window: None,
            pace_per_second: 10.0,
            gather_ms: 0,
            secret_headers: &["x-signature"],
            body_limit: 3 << 20,
            webhook: true,
            ..ChannelRules::default()
        }
    }
    fn shared_callback(&self, config: &ProbeConfig) -> Option<SharedCallback> {
        Some(SharedCallback { family: "probes", key: config.app.clone()? })
    }
    fn concerns(&self, config: &ProbeConfig, request: &Request) -> bool {
        config.number.as_deref().is_some_and(|number| String::from_utf8_lossy(&request.body).contains(number))
    }
    fn verify(&self, config: &ProbeConfig, request: &Request) -> Result<(), Forged> {
        if request.header("x-signature") == Some(config.signature.as_deref().unwrap_or(SIGNATURE)) {
            Ok(())
        } else {
            Err(Forged("the signature is not the service's"))
        }
    }
    fn challenge(&self, _: &ProbeConfig, request: &Request) -> Option<Result<String, Forged>> {
        let asked = request.query.strip_prefix("challenge=")?;
        Some(if asked.contains("evil") { Err(Forged("the word is not ours")) } else { Ok(asked.to_owned()) })
    }
    fn parse(&self, _: &ProbeConfig, request: &Request) -> Result<Vec<Event>, Malformed> {
        Ok(vec![Event::Nothing { what: format!("{} bytes", request.body.len()) }])
    }
    async fn send(&self, _: Link<'_, ProbeConfig>, _: &Outgoing) -> Result<Receipt, ServiceError> {
        Ok(Receipt { external_id: "x".into() })
    }
}

struct NoPages;

impl Pages for NoPages {
    fn get(&self, _: &str) -> Option<(std::borrow::Cow<'static, [u8]>, String)> {
        None
    }
}

pub struct World {
    pub directory: tempfile::TempDir,
    pub hub: Arc<Hub>,
    pub doors: Doors,
    /// The key of the probe's hook.
    pub probe: String,
    /// The key of the website chat.
    pub website: String,
    /// The website chat's connection.
    pub website_id: ConnectionId,
}

async fn open(directory: &std::path::Path, passphrase: Option<&str>) -> (Arc<Hub>, Doors) {
    let ports = Ports::take(&Places { admin: Some(([127, 0, 0, 1], 0).into()), public: ([127, 0, 0, 1], 0).into() }).await.unwrap();
    let connectors = vec![erase(shopbell_connectors::website::Website), erase(Probe)];
    let mut options = HubOptions::new(directory.to_owned(), connectors);
    options.keychain = Arc::new(NoKeychain);
    options.passphrase = passphrase.map(Secret::new);
    options.gather = Some(Duration::ZERO);
    let hub = Hub::open(options).await.unwrap();
    let doors = doors::open(&hub, ports, None, Some((Secret::new(TOKEN), Arc::new(NoPages)))).await.unwrap();
    (hub, doors)
}

impl World {
    pub async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (hub, doors) = open(directory.path(), Some(PASSPHRASE)).await;
        let probe = "0123456789abcdef0123456789abcdef".to_owned();
        let (id, key) = (ConnectionId::new(), probe.clone());
        let new = id.clone();
        hub.store
            .write(move |tx| {
                tx.execute(
                    "INSERT INTO connection (id, connector, name, status, config, hook_key, created_at, updated_at) VALUES (?1, 'probe', 'Probe', 'active', '{}', ?2, 0, 0)",
                    rusqlite::params![new, key],
                )?;
                Ok(())
            })
            .await
            .unwrap();
        hub.reload(&id).await.unwrap();
        let live =
            hub.connections.all().into_iter().find(|live| live.connection.connector == "website").expect("a new hub has a website chat");
        let (website, website_id) = (live.connection.hook_key.clone(), live.connection.id.clone());
        Self { directory, hub, doors, probe, website, website_id }
    }

    /// The same hub after a stop and a new start, with or without its passphrase.
    pub async fn restarted(self, passphrase: Option<&str>) -> Self {
        let Self { directory, hub, doors, probe, website, website_id } = self;
        hub.stop().await;
        drop((hub, doors));
        for _ in 0..50 {
            // The writer thread and the streams let go of the directory a moment after the stop.
            if shopbell_core::store::DirectoryLock::take(directory.path()).is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let (hub, doors) = open(directory.path(), passphrase).await;
        Self { directory, hub, doors, probe, website, website_id }
    }

    pub fn admin(&self) -> SocketAddr {
        self.doors.admin.unwrap()
    }

    pub fn public(&self) -> SocketAddr {
        self.doors.public
    }

    /// Asks the admin side for a command, with the token.
    pub async fn command(&self, name: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        ask(self.admin(), "POST", &format!("/api/v1/{name}"), &headers, body.as_bytes()).await
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        self.hub.store.read(move |db| Ok(db.query_row(sql, [], |row| row.get(0))?)).await.unwrap()
    }

    /// Stores something and waits until `sql` counts `expected`.
    pub async fn until(&self, sql: &'static str, expected: i64) {
        for _ in 0..200 {
            if self.count(sql).await == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!(self.count(sql).await, expected, "{sql}");
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// One request over a socket of its own; `host` among the headers replaces the usual one.
pub async fn ask(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let usual = address.to_string();
    let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    if headers.iter().all(|(name, _)| *name != "host") {
        head.push_str(&format!("host: {usual}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if headers.iter().all(|(name, _)| *name != "content-length" && *name != "transfer-encoding") && !matches!(method, "GET" | "OPTIONS") {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    raw(address, &[head.as_bytes(), body].concat()).await
}

/// Sends bytes as they are and reads until the other side closes.
pub async fn raw(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut socket = TcpStream::connect(address).await.unwrap();
    // The other side may answer and close before it has read everything.
    let _ = socket.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(20), socket.read_to_end(&mut answer)).await.expect("an answer within 20 seconds");
    read(&answer)
}

pub fn read(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok()).unwrap_or(0);
    let headers: BTreeMap<String, String> =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    let body = if headers.get("transfer-encoding").is_some_and(|value| value == "chunked") { unchunked(body) } else { body.to_owned() };
    Answer { status, headers, body }
}

fn unchunked(mut text: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = text.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 || rest.len() < size {
            break;
        }
        whole.push_str(&rest[..size]);
        text = rest[size..].trim_start_matches("\r\n");
    }
    whole
}
