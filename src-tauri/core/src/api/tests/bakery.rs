//! A small shop to ask about: two make-believe services, a channel and a model, and some conversations.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use rusqlite::params;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::connector::{
    About, Account, AnyConnector, Auth, Channel, ChannelRules, Check, Chunk, Connector, ConnectorType, Event, Forged, Link, Malformed,
    Model, ModelRow, Outgoing, Prompt, Receipt, Request, Roles, ServiceError, Step, TextLimit, TextUnit, erase,
};
use crate::hub::Hub;
use crate::model::Medium;
use crate::say;
use crate::secret::Secret;

/// A channel that keeps a token and, if wished, headers.
pub struct Pigeon;

/// What it is configured with.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PigeonConfig {
    /// Where the pigeons live.
    #[serde(default)]
    base_url: Option<String>,
    /// Token
    token: Secret,
    /// A second one, if wished.
    #[serde(default)]
    verify_token: Option<Secret>,
    /// What each pigeon carries besides.
    #[serde(default)]
    headers: BTreeMap<String, Secret>,
    /// How many.
    #[serde(default)]
    pigeons: Option<u8>,
}

fn about(kind: &'static str, name: &'static str, connector_type: ConnectorType) -> About {
    About {
        kind,
        name,
        connector_type,
        auth: Auth::ApiKey,
        summary: "For tests.",
        disabled: None,
        prerequisites: &["A loft"],
        steps: &[Step { title: "Build the loft", text: "With wood." }],
        links: &[("Pigeons", "https://example.com/pigeons")],
        icon: "<svg/>",
        color: "#123456",
    }
}

#[async_trait]
impl Connector for Pigeon {
    type Config = PigeonConfig;
    fn about(&self) -> About {
        about("pigeon", "Pigeon post", ConnectorType::Channel)
    }
    fn roles(&self) -> Roles<PigeonConfig> {
        Roles::channel(Pigeon)
    }
    async fn test(&self, link: Link<'_, PigeonConfig>) -> Result<Account, ServiceError> {
        assert!(link.config.base_url.is_none() && link.config.verify_token.is_none() || link.config.headers.len() < 9);
        if link.config.token.reveal() != "coo" {
            return Err(ServiceError::Unauthorized(say!("This is needed.")));
        }
        let loft = Check { ok: true, text: "The loft is open".into() };
        Ok(Account { name: format!("{} pigeons", link.config.pigeons.unwrap_or(1)), checks: vec![loft], ..Account::default() })
    }
}

#[async_trait]
impl Channel<PigeonConfig> for Pigeon {
    fn rules(&self) -> ChannelRules {
        ChannelRules {
            medium: Medium::Chat,
            abilities: &["photos"],
            text_limit: TextLimit { max: 100, unit: TextUnit::Chars },
            caption_limit: 10,
            media_limits: BTreeMap::new(),
            max_choices: 3,
            reply_window: Some(Duration::from_secs(86_400)),
            pace_per_second: 1.0,
            gather_ms: 0,
            secret_headers: &[],
            body_limit: 1000,
            webhook: true,
            ..ChannelRules::default()
        }
    }
    fn verify(&self, _: &PigeonConfig, _: &Request) -> Result<(), Forged> {
        Ok(())
    }
    fn parse(&self, _: &PigeonConfig, _: &Request) -> Result<Vec<Event>, Malformed> {
        Ok(Vec::new())
    }
    async fn send(&self, _: Link<'_, PigeonConfig>, message: &Outgoing) -> Result<Receipt, ServiceError> {
        Ok(Receipt { external_id: message.delivery.to_string() })
    }
}

/// A model without settings.
pub struct Oracle;

/// It needs none.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OracleConfig {}

#[async_trait]
impl Connector for Oracle {
    type Config = OracleConfig;
    fn about(&self) -> About {
        about("oracle", "Oracle", ConnectorType::Agent)
    }
    fn roles(&self) -> Roles<OracleConfig> {
        Roles::model(Oracle)
    }
    async fn test(&self, _: Link<'_, OracleConfig>) -> Result<Account, ServiceError> {
        Ok(Account { name: "The oracle".into(), ..Account::default() })
    }
}

#[async_trait]
impl Model<OracleConfig> for Oracle {
    async fn models(&self, _: Link<'_, OracleConfig>) -> Result<Vec<ModelRow>, ServiceError> {
        Ok(vec![ModelRow { id: "delphi".into(), name: "Delphi".into(), context: Some(100) }])
    }
    fn default_model(&self, _: &OracleConfig) -> String {
        "delphi".into()
    }
    async fn respond(
        &self,
        _: Link<'_, OracleConfig>,
        _: &Prompt,
    ) -> Result<BoxStream<'static, Result<Chunk, ServiceError>>, ServiceError> {
        Err(ServiceError::Ambiguous)
    }
}

/// Both, as the registry holds them.
pub fn connectors() -> BTreeMap<&'static str, Arc<dyn AnyConnector>> {
    [("pigeon", erase(Pigeon)), ("oracle", erase(Oracle))].into_iter().collect()
}

/// Writes a shop into the store: a model, an agent, a channel, three contacts with a conversation each. Conversation `n` had its last
/// message at `1_000_000 + n`; the second is a person's, the third needs one.
pub async fn open(hub: &Arc<Hub>) {
    let vault = hub.vault.clone();
    hub.store
        .write(move |tx| {
            tx.execute_batch(
                "INSERT INTO connection (id, connector, name, status, config, hook_key, created_at, updated_at) VALUES
                   ('con_model', 'oracle', 'Oracle', 'active', '{}', 'k1', 1, 1),
                   ('con_post', 'pigeon', 'Post', 'active', '{\"pigeons\":3}', 'k2', 1, 1);
                 INSERT INTO agent (id, name, instructions, connection, created_at, updated_at) VALUES ('agt_1', 'Bell', 'Be kind.', 'con_model', 1, 1);
                 INSERT INTO setting (key, value) VALUES ('default_agent', 'agt_1');",
            )?;
            vault.seal_into(tx, "con_post", "token", &Secret::new("coo"))?;
            vault.seal_into(tx, "con_post", "headers/X-Key", &Secret::new("a feather"))?;
            for (n, (name, owner, needs)) in [("José Pão", "agent", false), ("Maria", "person", false), ("Ana", "agent", true)].into_iter().enumerate() {
                let n = i64::try_from(n).unwrap();
                let contact = format!("ctc_{n}");
                tx.execute("INSERT INTO contact (id, name, created_at) VALUES (?1, ?2, ?3)", params![contact, name, n])?;
                tx.execute("INSERT INTO address (connector, scheme, value, contact) VALUES ('pigeon', 'roof', ?1, ?2)", params![format!("{n}"), contact])?;
                tx.execute(
                    "INSERT INTO conversation (seq, id, contact, connection, thread, address_scheme, address_value, status, owner_kind, owner_id,
                       needs_person, unread, preview, preview_by, last_message_at, last_in_at, labels, created_at)
                     VALUES (?1, ?2, ?3, 'con_post', ?2, 'roof', '1', 'open', ?4, ?5, ?6, 1, 'hello', 'agent', ?7, ?7, '[\"vip\"]', 5)",
                    params![n + 1, format!("cnv_{n}"), contact, owner, (owner == "agent").then_some("agt_1"), needs, 1_000_000 + n],
                )?;
            }
            for n in 0..120i64 {
                let (direction, author) = if n % 2 == 0 { ("in", "contact") } else { ("out", "agent") };
                tx.execute(
                    "INSERT INTO message (seq, id, conversation, connection, direction, author_kind, author_id, content, text, sent_at)
                     VALUES (?1, ?2, 1, 'con_post', ?3, ?4, ?5, json_array(json_object('type', 'text', 'text', ?6)), ?6, ?7)",
                    params![n + 1, format!("msg_{n:03}"), direction, author, (author == "agent").then_some("agt_1"), format!("pão de mel número {n}"), n * 1000],
                )?;
                if direction == "out" {
                    tx.execute(
                        "INSERT INTO delivery (id, message, conversation, connection, epoch, status, due_at, parked, reason)
                         VALUES (?1, ?2, 1, 'con_post', 1, ?3, 1, ?4, ?5)",
                        params![format!("dlv_{n:03}"), n + 1, if n == 119 { "failed" } else { "read" }, n == 119, (n == 119).then_some("The roof is gone.")],
                    )?;
                }
            }
            tx.execute_batch(
                "INSERT INTO message (seq, id, conversation, connection, direction, author_kind, content, text, sent_at) VALUES
                   (500, 'msg_note', 1, 'con_post', 'note', 'person', '[{\"type\":\"text\",\"text\":\"gosta de canela\"}]', 'gosta de canela', 999);
                 INSERT INTO arrival (id, connection, received_at, method, path, query, headers, body, verdict) VALUES
                   ('arr_1', 'con_post', 1, 'POST', '', '', '[[\"x-roof\",\"7\"]]', x'7b7d', 'handled'),
                   ('arr_2', 'con_post', 2, 'POST', '', '', '[]', x'ff', 'not_understood');
                 INSERT INTO refusal (at, connection, reason, address, size) VALUES (1, NULL, 'forged', '127.0.0.1', 9);
                 INSERT INTO turn (seq, id, conversation, agent, epoch, status, wanted_at, due_at, cost) VALUES (1, 'trn_z', 1, 'agt_1', 1, 'done', 1, 1, 50);
                 INSERT INTO turn_step (turn, n, kind, at, took_ms, body) VALUES (1, 1, 'said', 1, 5, '{\"text\":\"hi\"}');",
            )?;
            Ok(())
        })
        .await
        .unwrap();
    hub.reload_all().await.unwrap();
}
