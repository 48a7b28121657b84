//! A channel that repeats, and takes few kinds of files.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::params;
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::super::voice::tests::files::{sine, wav};
use crate::connector::{
    About, Account, Auth, Channel, ChannelRules, Connector, ConnectorType, Event, Fetched, Forged, Link, Malformed, Outgoing, Receipt,
    Request, Roles, ServiceError, erase,
};
use crate::hub::{Hub, HubOptions};
use crate::id::MediaId;
use crate::secret::Secret;

/// It takes voice messages as messengers do, other sound as M4A, few pictures, and no files over 40,000 bytes.
pub struct Parrot {
    asked: Arc<AtomicUsize>,
}

/// It needs nothing.
#[derive(Deserialize, JsonSchema)]
pub struct Seeds {}

#[async_trait]
impl Connector for Parrot {
    type Config = Seeds;
    fn about(&self) -> About {
        About {
            kind: "parrot",
            name: "Parrot",
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
    fn roles(&self) -> Roles<Seeds> {
        Roles::channel(Parrot { asked: self.asked.clone() })
    }
    async fn test(&self, _: Link<'_, Seeds>) -> Result<Account, ServiceError> {
        Ok(Account { name: "Parrot".into(), ..Account::default() })
    }
}

#[async_trait]
impl Channel<Seeds> for Parrot {
    fn rules(&self) -> ChannelRules {
        ChannelRules {
            media_limits: BTreeMap::from([("voice", 40_000), ("audio", 40_000), ("image", 40_000)]),
            media_types: BTreeMap::from([
                ("voice", &["audio/ogg"][..]),
                ("audio", &["audio/wav", "audio/mp4"][..]),
                ("image", &["image/jpeg", "image/png"][..]),
            ]),
            ..ChannelRules::default()
        }
    }
    fn verify(&self, _: &Seeds, _: &Request) -> Result<(), Forged> {
        Ok(())
    }
    fn parse(&self, _: &Seeds, _: &Request) -> Result<Vec<Event>, Malformed> {
        Ok(Vec::new())
    }
    async fn send(&self, _: Link<'_, Seeds>, message: &Outgoing) -> Result<Receipt, ServiceError> {
        Ok(Receipt { external_id: message.delivery.to_string() })
    }
    async fn fetch_media(&self, _: Link<'_, Seeds>, reference: &str) -> Result<Fetched, ServiceError> {
        let before = self.asked.fetch_add(1, Ordering::SeqCst);
        let bytes = match reference {
            "a sound" => squawk(),
            "right the second time" if before > 0 => squawk(),
            "noise" => Bytes::from_static(b"RIFF\x04\0\0\0WAVE and nothing more"),
            _ => Bytes::from_static(b"something else"),
        };
        Ok(Fetched { bytes, mime: None })
    }
}

/// Half a second of tone at 8 kHz: 8,044 bytes.
pub fn squawk() -> Bytes {
    wav(&sine(440.0, 8_000, 0.5), 8_000, 1, 16, false).into()
}

/// A hub with a parrot, one conversation on it that a person has, and a count of what the parrot was asked for.
pub async fn aviary() -> (Arc<Hub>, Arc<AtomicUsize>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let mut options = HubOptions::new(directory.path().to_owned(), vec![erase(Parrot { asked: asked.clone() })]);
    options.keychain = Arc::new(crate::vault::keychain::NoKeychain);
    options.passphrase = Some(Secret::new("a passphrase of the tests"));
    let hub = Hub::open(options).await.unwrap();
    hub.store
        .write(|tx| {
            tx.execute_batch(
                "INSERT INTO connection (id, connector, name, status, config, hook_key, created_at, updated_at)
                   VALUES ('con_1', 'parrot', 'Polly', 'active', '{}', 'k1', 1, 1);
                 INSERT INTO contact (id, name, created_at) VALUES ('ctc_1', 'Ana', 1);
                 INSERT INTO conversation (seq, id, contact, connection, thread, address_scheme, address_value, status, owner_kind, owner_id,
                     needs_person, unread, preview, preview_by, last_message_at, last_in_at, labels, created_at)
                   VALUES (1, 'cnv_1', 'ctc_1', 'con_1', 't', 'branch', '1', 'open', 'person', NULL, 0, 0, '', 'contact', 1, 1, '[]', 1);",
            )?;
            Ok(())
        })
        .await
        .unwrap();
    hub.reload_all().await.unwrap();
    (hub, asked, directory)
}

/// A voice message that the customer sent and that is still at the service; `promised` are the bytes whose sum it told.
pub async fn told(hub: &Arc<Hub>, reference: &'static str, promised: Option<Bytes>) -> MediaId {
    let id = MediaId::new();
    let (file, sum) = (id.clone(), promised.map(|bytes| hex::encode(Sha256::digest(&bytes)).to_uppercase()));
    hub.store
        .write(move |tx| {
            let content = serde_json::json!([{ "type": "media", "kind": "voice", "media": file, "mime": "audio/ogg", "bytes": 0 }]);
            tx.execute(
                "INSERT INTO message (id, conversation, connection, direction, author_kind, content, text, sent_at)
                 VALUES ('msg_1', 1, 'con_1', 'in', 'contact', ?1, '', 1)",
                [content.to_string()],
            )?;
            tx.execute(
                "INSERT INTO media (id, status, mime, connection, message, reference, promised_sha256, created_at)
                 VALUES (?1, 'wanted', 'audio/ogg', 'con_1', 'msg_1', ?2, ?3, 1)",
                params![file, reference, sum],
            )?;
            tx.wake(crate::store::Stage::Media);
            Ok(())
        })
        .await
        .unwrap();
    id
}
