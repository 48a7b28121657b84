use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use rusqlite::params;

use super::{Claimed, Outcome, Terms, claim, finish, recover, retry};
use crate::clock::{ManualClock, Timestamp};
use crate::connector::{ChannelRules, Receipt, TextLimit, TextUnit};
use crate::conversations::{self, ownership, posting};
use crate::id::{AgentId, ConnectionId, ContactId, ConversationId, DeliveryId, TurnId};
use crate::model::{Author, Content, Medium};
use crate::store::{Store, Tx};

fn rules() -> ChannelRules {
    ChannelRules {
        medium: Medium::Chat,
        abilities: &[],
        text_limit: TextLimit { max: 4096, unit: TextUnit::Utf16 },
        caption_limit: 1024,
        media_limits: Default::default(),
        max_choices: 3,
        reply_window: None,
        pace_per_second: 30.0,
        gather_ms: 1000,
        secret_headers: &[],
        body_limit: 1 << 20,
        webhook: true,
        ..ChannelRules::default()
    }
}

/// A hub's database with one agent and some conversations, and what the test knows better than the code under test.
struct World {
    store: Option<Arc<Store>>,
    directory: tempfile::TempDir,
    clock: Arc<ManualClock>,
    connection: ConnectionId,
    agent: AgentId,
    conversations: Vec<ConversationId>,
    /// How often each conversation changed hands, as the test saw the commits.
    hands: Vec<u64>,
    /// In which hands each agent's delivery was written.
    written: HashMap<DeliveryId, u64>,
    out: Vec<Claimed>,
    receipts: u64,
}

impl World {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_795_000_000)));
        let store = Store::open(directory.path(), clock.clone()).unwrap();
        let (connection, agent) = (ConnectionId::new(), AgentId::new());
        let (c, a) = (connection.clone(), agent.clone());
        let conversations = store
            .write(move |tx| {
                tx.execute("INSERT INTO connection (id, connector, name, status, config, hook_key, created_at, updated_at) VALUES (?1, 'test', 'T', 'active', '{}', 'k', 0, 0)", [&c])?;
                tx.execute("INSERT INTO agent (id, name, instructions, connection, created_at, updated_at) VALUES (?1, 'Nina', '', ?2, 0, 0)", [a.as_str(), c.as_str()])?;
                tx.execute("INSERT INTO setting (key, value) VALUES ('default_agent', ?1)", [&a])?;
                let mut conversations = Vec::new();
                for n in 0..2 {
                    let (contact, conversation) = (ContactId::new(), ConversationId::new());
                    tx.execute("INSERT INTO contact (id, name, created_at) VALUES (?1, 'Ana', 0)", [&contact])?;
                    tx.execute(
                        "INSERT INTO conversation (id, contact, connection, thread, address_scheme, address_value, status, owner_kind, owner_id, last_message_at, created_at)
                         VALUES (?1, ?2, ?3, ?4, 'user', ?4, 'open', 'agent', ?5, 0, 0)",
                        params![conversation, contact, c, n.to_string(), a],
                    )?;
                    conversations.push(conversation);
                }
                Ok(conversations)
            })
            .await
            .unwrap();
        Self {
            store: Some(store),
            directory,
            clock,
            connection,
            agent,
            conversations,
            hands: vec![0; 2],
            written: HashMap::new(),
            out: Vec::new(),
            receipts: 0,
        }
    }

    async fn write<T: Send + 'static>(&self, work: impl FnOnce(&Tx<'_>) -> crate::error::Result<T> + Send + 'static) -> T {
        self.store.as_ref().unwrap().write(work).await.unwrap()
    }

    /// An agent says something if the conversation is its own, as the close of a turn does.
    async fn agent_says(&mut self, n: usize) {
        let (id, agent) = (self.conversations[n].clone(), self.agent.clone());
        let deliveries: Vec<DeliveryId> = self
            .write(move |tx| {
                let conversation = conversations::find(tx, &id)?;
                if !matches!(conversation.owner, crate::model::Owner::Agent { .. }) {
                    return Ok(Vec::new());
                }
                let messages = posting::agent_says(
                    tx,
                    &conversation,
                    &agent,
                    &TurnId::new(),
                    &[Content::Text { text: "Bom dia".into() }],
                    &[],
                    &rules(),
                )?;
                messages
                    .iter()
                    .map(|message| {
                        Ok(tx.query_row(
                            "SELECT d.id FROM delivery d JOIN message m ON m.seq = d.message WHERE m.id = ?1",
                            [message],
                            |row| row.get(0),
                        )?)
                    })
                    .collect()
            })
            .await;
        for delivery in deliveries {
            self.written.insert(delivery, self.hands[n]);
        }
    }

    async fn take_over(&mut self, n: usize) {
        let id = self.conversations[n].clone();
        let changed = self
            .write(move |tx| {
                let before = conversations::find(tx, &id)?.epoch;
                Ok(ownership::take_over(tx, &id, None)?.epoch != before)
            })
            .await;
        self.hands[n] += u64::from(changed);
    }

    async fn hand_back(&mut self, n: usize) {
        let id = self.conversations[n].clone();
        let changed = self
            .write(move |tx| {
                let before = conversations::find(tx, &id)?.epoch;
                Ok(ownership::hand_back(tx, &id, None, None, Duration::ZERO)?.epoch != before)
            })
            .await;
        self.hands[n] += u64::from(changed);
    }

    async fn person_says(&mut self, n: usize) {
        let id = self.conversations[n].clone();
        let taken = self
            .write(move |tx| {
                let before = conversations::find(tx, &id)?.epoch;
                let reply = posting::Reply {
                    conversation: &id,
                    content: vec![Content::Text { text: "Oi".into() }],
                    note: false,
                    client_key: None,
                    person: None,
                    reply_to: None,
                };
                posting::reply(tx, reply, &rules())?;
                Ok(conversations::find(tx, &id)?.epoch != before)
            })
            .await;
        self.hands[n] += u64::from(taken);
    }

    /// Claims, and checks the promise.
    async fn claim(&mut self, room: usize) -> std::result::Result<(), TestCaseError> {
        let allowance = HashMap::from([(self.connection.clone(), Terms { left: 10, ..Terms::default() })]);
        let claimed = self.write(move |tx| claim(tx, &allowance, room)).await;
        for one in claimed {
            let n = self.conversations.iter().position(|id| *id == one.conversation).unwrap();
            prop_assert!(
                !self.out.iter().any(|out| out.conversation == one.conversation),
                "two deliveries of one conversation are out at once"
            );
            if matches!(one.outgoing.author, Author::Agent { .. }) {
                let written = self.written[&one.outgoing.delivery];
                prop_assert_eq!(written, self.hands[n], "an agent's words were claimed after the conversation changed hands");
            }
            self.out.push(one);
        }
        Ok(())
    }

    async fn land(&mut self, outcome: u8) {
        let Some(claimed) = self.out.pop() else { return };
        self.receipts += 1;
        let receipt = Receipt { external_id: format!("x{}", self.receipts) };
        let outcome = match outcome {
            0 => Outcome::Sent(receipt),
            1 => Outcome::Later(Duration::from_millis(5)),
            2 => Outcome::Unconfirmed,
            3 => Outcome::Held,
            _ => Outcome::Failed { reason: "refused".into(), action: None, parked: true },
        };
        self.write(move |tx| finish(tx, &claimed, &outcome)).await;
        self.clock.advance(Duration::from_millis(10));
    }

    /// The machine dies: what was out is forgotten by the process, the database is opened again.
    async fn crash(&mut self) {
        let store = self.store.take().unwrap();
        store.close().await;
        drop(store);
        self.out.clear();
        let store = Store::open(self.directory.path(), self.clock.clone()).unwrap();
        store.write(recover).await.unwrap();
        self.store = Some(store);
    }
}

#[derive(Clone, Debug)]
enum Op {
    AgentSays(usize),
    PersonSays(usize),
    TakeOver(usize),
    HandBack(usize),
    Claim(usize),
    Land(u8),
    Crash,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        5 => (0usize..2).prop_map(Op::AgentSays),
        2 => (0usize..2).prop_map(Op::PersonSays),
        3 => (0usize..2).prop_map(Op::TakeOver),
        3 => (0usize..2).prop_map(Op::HandBack),
        6 => (1usize..4).prop_map(Op::Claim),
        6 => (0u8..5).prop_map(Op::Land),
        1 => Just(Op::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 400, ..ProptestConfig::default() })]

    /// Whatever the order of answering, sending, taking over, handing back and dying: no word of an agent is claimed after the
    /// conversation changed hands, and never two of one conversation at once.
    #[test]
    fn no_word_of_an_agent_is_claimed_after_a_take_over(ops in prop::collection::vec(op(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for op in ops {
                match op {
                    Op::AgentSays(n) => world.agent_says(n).await,
                    Op::PersonSays(n) => world.person_says(n).await,
                    Op::TakeOver(n) => world.take_over(n).await,
                    Op::HandBack(n) => world.hand_back(n).await,
                    Op::Claim(room) => world.claim(room).await?,
                    Op::Land(outcome) => world.land(outcome).await,
                    Op::Crash => world.crash().await,
                }
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}

#[tokio::test]
async fn an_answer_that_must_be_tried_again_after_a_take_over_stays_here() {
    let mut world = World::new().await;
    world.agent_says(0).await;
    world.claim(1).await.unwrap();
    world.take_over(0).await;
    world.land(1).await;
    world.claim(4).await.unwrap();
    assert!(world.out.is_empty(), "the second attempt of the agent's word is not made");
    let reason: String =
        world.store.as_ref().unwrap().read(|db| Ok(db.query_row("SELECT reason FROM delivery", [], |row| row.get(0))?)).await.unwrap();
    assert_eq!(reason, "taken_over");
}

#[tokio::test]
async fn order_is_kept_in_a_conversation_and_a_failed_one_lets_the_next_go() {
    let mut world = World::new().await;
    world.agent_says(0).await;
    world.agent_says(0).await;
    world.claim(4).await.unwrap();
    assert_eq!(world.out.len(), 1, "the second waits for the first");
    world.land(4).await;
    world.claim(4).await.unwrap();
    assert_eq!(world.out.len(), 1, "a refused message does not block the next");
}

#[tokio::test]
async fn what_was_out_in_a_crash_is_unconfirmed_and_only_a_person_sends_it_again() {
    let mut world = World::new().await;
    world.person_says(0).await;
    world.claim(4).await.unwrap();
    world.crash().await;
    world.claim(4).await.unwrap();
    assert!(world.out.is_empty(), "it may have arrived: it is not sent again by itself");
    world
        .write(|tx| {
            let id: DeliveryId = tx.query_row("SELECT id FROM delivery WHERE status = 'unconfirmed'", [], |row| row.get(0))?;
            retry(tx, &id)
        })
        .await;
    world.claim(4).await.unwrap();
    assert_eq!(world.out.len(), 1);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_parked_with_a_sentence_and_the_others_leave() {
    let mut world = World::new().await;
    world.person_says(0).await;
    world.person_says(1).await;
    world
        .write(|tx| {
            tx.execute("INSERT INTO setting (key, value) VALUES ('language', 'es')", [])?;
            Ok(tx.execute("UPDATE message SET content = '[{\"type\":\"text\",' WHERE direction = 'out' AND conversation = 1", [])?)
        })
        .await;
    world.claim(4).await.unwrap();
    assert_eq!(world.out.len(), 1, "the other conversation's message is not held up by it");
    assert_eq!(world.out[0].conversation, world.conversations[1]);
    let (status, parked, reason): (String, bool, String) = world
        .store
        .as_ref()
        .unwrap()
        .read(|db| {
            let sql = "SELECT status, parked, reason FROM delivery WHERE conversation = 1";
            Ok(db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
        })
        .await
        .unwrap();
    assert_eq!((status.as_str(), parked), ("failed", true));
    assert!(reason.contains("Escríbelo de nuevo"), "in the hub's language: {reason}");

    world.person_says(0).await;
    world.claim(4).await.unwrap();
    assert_eq!(world.out.len(), 2, "and what comes after it in its own conversation leaves too");
}
