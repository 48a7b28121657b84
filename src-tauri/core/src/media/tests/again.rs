//! A file that did not come: it waits, says why, and can be asked for again.

use std::sync::atomic::{AtomicUsize, Ordering};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::*;
use crate::api::dispatch;
use crate::connector::{
    About, Account, Auth, Channel, ChannelRules, Connector, ConnectorType, Event, Fetched, Forged, Link, Malformed, Outgoing, Receipt,
    Request, Roles, erase,
};
use crate::hub::HubOptions;

/// A channel whose files come, or do not.
#[derive(Clone, Default)]
struct Locker {
    asked: Arc<AtomicUsize>,
    fails: Arc<AtomicUsize>,
}

#[derive(Deserialize, JsonSchema)]
struct Config {}

#[async_trait]
impl Connector for Locker {
    type Config = Config;
    fn about(&self) -> About {
        About {
            kind: "locker",
            name: "Locker",
            connector_type: ConnectorType::Channel,
            auth: Auth::ApiKey,
            summary: "For tests.",
            disabled: None,
            prerequisites: &[],
            steps: &[],
            links: &[],
            icon: "<svg/>",
            color: "#123456",
        }
    }
    fn roles(&self) -> Roles<Config> {
        Roles::channel(self.clone())
    }
    async fn test(&self, _: Link<'_, Config>) -> std::result::Result<Account, ServiceError> {
        Ok(Account::default())
    }
}

#[async_trait]
impl Channel<Config> for Locker {
    fn rules(&self) -> ChannelRules {
        ChannelRules::default()
    }
    fn verify(&self, _: &Config, _: &Request) -> std::result::Result<(), Forged> {
        Ok(())
    }
    fn parse(&self, _: &Config, _: &Request) -> std::result::Result<Vec<Event>, Malformed> {
        Ok(Vec::new())
    }
    async fn send(&self, _: Link<'_, Config>, message: &Outgoing) -> std::result::Result<Receipt, ServiceError> {
        Ok(Receipt { external_id: message.delivery.to_string() })
    }
    async fn fetch_media(&self, _: Link<'_, Config>, _: &str) -> std::result::Result<Fetched, ServiceError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.fails.load(Ordering::SeqCst) {
            0 => Ok(Fetched { bytes: "the words of a file".into(), mime: Some("text/plain".into()) }),
            _ => Err(ServiceError::Temporary(say!("This is needed."))),
        }
    }
}

struct World {
    hub: Arc<Hub>,
    locker: Locker,
    connection: String,
    _directory: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let locker = Locker::default();
        let mut options = HubOptions::new(directory.path().to_owned(), vec![erase(locker.clone())]);
        options.keychain = Arc::new(crate::vault::NoKeychain);
        options.passphrase = Some(crate::secret::Secret::new("a passphrase of the tests"));
        let hub = Hub::open(options).await.unwrap();
        let made = dispatch(&hub, "create_connection", json!({ "connector": "locker", "name": "Locker" })).await.unwrap();
        let connection = made["id"].as_str().unwrap().to_owned();
        Self { hub, locker, connection, _directory: directory }
    }

    async fn ask(&self, command: &str, request: Value) -> Value {
        dispatch(&self.hub, command, request).await.unwrap_or_else(|error| panic!("{command}: {error:?}"))
    }

    /// A message with a file that is to be fetched, tried so often before.
    async fn brought(&self, attempts: i64) {
        let connection = self.connection.clone();
        self.hub
            .store
            .write(move |tx| {
                tx.execute_batch("INSERT INTO contact (id, name, created_at) VALUES ('ctc_1', 'Ana', 0);")?;
                tx.execute(
                    "INSERT INTO conversation (seq, id, contact, connection, thread, address_scheme, address_value, status, owner_kind, last_message_at, created_at)
                     VALUES (1, 'cnv_1', 'ctc_1', ?1, '1', 'user', '1', 'open', 'person', 0, 0)",
                    [&connection],
                )?;
                tx.execute(
                    "INSERT INTO message (id, conversation, connection, direction, author_kind, content, text, sent_at)
                     VALUES ('msg_1', 1, ?1, 'in', 'contact', '[{\"type\":\"media\",\"kind\":\"document\",\"media\":\"med_1\"}]', '', 0)",
                    [&connection],
                )?;
                tx.execute(
                    "INSERT INTO media (id, status, connection, message, reference, attempts, created_at) VALUES ('med_1', 'wanted', ?1, 'msg_1', 'r', ?2, 0)",
                    params![connection, attempts],
                )?;
                tx.wake(Stage::Media);
                Ok(())
            })
            .await
            .unwrap();
    }

    async fn row(&self) -> (String, i64) {
        let sql = "SELECT status, attempts FROM media WHERE id = 'med_1'";
        self.hub.store.read(move |db| Ok(db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)).await.unwrap()
    }

    async fn until(&self, status: &str) {
        for _ in 0..400 {
            if self.row().await.0 == status {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the file stays {:?}", self.row().await);
    }

    async fn message(&self) -> Value {
        self.ask("list_messages", json!({ "conversation": "cnv_1" })).await["items"][0].clone()
    }
}

#[tokio::test]
async fn a_file_of_a_connection_that_is_switched_off_waits_and_that_is_no_attempt() {
    let world = World::new().await;
    world.ask("update_connection", json!({ "id": world.connection, "status": "paused" })).await;
    world.brought(0).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(world.row().await, ("wanted".to_owned(), 0));
    assert_eq!(world.locker.asked.load(Ordering::SeqCst), 0, "a connection that is switched off makes no calls");
    assert_eq!(
        world.message().await["files"],
        json!([{ "media": "med_1", "failed": false, "reason": null }]),
        "the inbox says that it is missing"
    );

    let why = say!("This is needed.");
    world.hub.failing(&world.connection.as_str().into(), &why).await;
    world.ask("update_connection", json!({ "id": world.connection, "status": "active" })).await;
    world.until("stored").await;
    assert_eq!(world.message().await["files"], Value::Null);
}

#[tokio::test]
async fn a_file_that_was_given_up_says_why_and_a_person_can_ask_for_it_again() {
    let world = World::new().await;
    world.locker.fails.store(1, Ordering::SeqCst);
    world.brought(ATTEMPTS - 1).await;
    world.until("failed").await;
    assert_eq!(world.message().await["files"], json!([{ "media": "med_1", "failed": true, "reason": "This is needed." }]));

    world.locker.fails.store(0, Ordering::SeqCst);
    let mark = world.ask("retry_media", json!({ "id": "med_1" })).await;
    assert_eq!(mark["failed"], false);
    world.until("stored").await;
    assert_eq!(world.message().await["content"][0]["mime"], "text/plain");
    let again = dispatch(&world.hub, "retry_media", json!({ "id": "med_1" })).await.unwrap_err();
    assert_eq!(again.code, crate::error::Code::Conflict, "it is here");
    let unknown = dispatch(&world.hub, "retry_media", json!({ "id": "med_2" })).await.unwrap_err();
    assert_eq!(unknown.code, crate::error::Code::NotFound);
}

#[tokio::test]
async fn a_refusal_that_is_nobodys_fault_is_no_attempt() {
    let wait = Duration::from_secs(7);
    for (error, counts) in [
        (ServiceError::RateLimited { retry_after: Some(wait) }, Some(false)),
        (ServiceError::Unauthorized(say!("This is needed.")), Some(false)),
        (ServiceError::Temporary(say!("This is needed.")), Some(true)),
        (ServiceError::Ambiguous, Some(true)),
        (ServiceError::Permanent(say!("This is needed.")), None),
    ] {
        let found = match Refusal::of(&error, 0) {
            Refusal::Later(_, counts) => Some(counts),
            Refusal::GivenUp => None,
        };
        assert_eq!(found, counts, "{error:?}");
    }
    assert!(matches!(Refusal::of(&ServiceError::Temporary(say!("This is needed.")), ATTEMPTS - 1), Refusal::GivenUp));
}
