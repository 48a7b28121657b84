use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::{Effect, Place, apply, inheriting, ownership, posting};
use crate::clock::{ManualClock, Timestamp};
use crate::connector::Reports;
use crate::connector::{ChannelRules, Event, Evidence, IncomingContent, IncomingMessage, TextLimit, TextUnit};
use crate::id::{AgentId, ConnectionId, ConversationId};
use crate::model::{Address, Content, Medium, Owner};
use crate::store::{Store, Tx};

// A few hours after what is said here: agents answer it.
const START: Timestamp = Timestamp::from_millis(30_000_250);

struct World {
    store: Arc<Store>,
    _directory: tempfile::TempDir,
    connection: ConnectionId,
    agent: AgentId,
}

fn rules() -> ChannelRules {
    ChannelRules {
        medium: Medium::Chat,
        abilities: &[],
        text_limit: TextLimit { max: 100, unit: TextUnit::Utf16 },
        caption_limit: 20,
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

async fn world() -> World {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), Arc::new(ManualClock::new(START))).unwrap();
    let (connection, agent) = (ConnectionId::new(), AgentId::new());
    let (c, a) = (connection.clone(), agent.clone());
    store
        .write(move |tx| {
            tx.execute("INSERT INTO connection (id, connector, name, status, config, hook_key, created_at, updated_at) VALUES (?1, 'test', 'T', 'active', '{}', 'k', 0, 0)", [&c])?;
            tx.execute("INSERT INTO agent (id, name, instructions, connection, created_at, updated_at) VALUES (?1, 'Nina', '', ?2, 0, 0)", [a.as_str(), c.as_str()])?;
            tx.execute("INSERT INTO setting (key, value) VALUES ('default_agent', ?1)", [&a])?;
            Ok(())
        })
        .await
        .unwrap();
    World { store, _directory: directory, connection, agent }
}

fn said(position: i64, text: &str, seconds: i64) -> IncomingMessage {
    IncomingMessage {
        name: Some("Ana".into()),
        content: vec![IncomingContent::Content(Content::Text { text: text.into() })],
        position: Some(position),
        ..IncomingMessage::new(
            format!("9:{position}"),
            "9",
            Address { connector: "test".into(), scheme: "user".into(), value: "9".into() },
            Timestamp::from_seconds(seconds),
        )
    }
}

impl World {
    async fn apply(&self, event: Event) -> Effect {
        let connection = self.connection.clone();
        self.store
            .write(move |tx| {
                apply(
                    tx,
                    &Place {
                        connection: &connection,
                        connector: "test",
                        agent: None,
                        gather: Duration::from_millis(1000),
                        language: "en",
                        reports: Reports::EveryLead,
                    },
                    &event,
                )
            })
            .await
            .unwrap()
    }

    async fn write<T: Send + 'static>(&self, work: impl FnOnce(&Tx<'_>) -> crate::error::Result<T> + Send + 'static) -> T {
        self.store.write(work).await.unwrap()
    }

    async fn conversation(&self) -> ConversationId {
        self.store.read(|db| Ok(db.query_row("SELECT id FROM conversation", [], |row| row.get(0))?)).await.unwrap()
    }

    async fn texts(&self) -> Vec<String> {
        self.store
            .read(|db| {
                let mut statement = db.prepare("SELECT text FROM message WHERE direction <> 'note' ORDER BY sent_at, position, seq")?;
                Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
            })
            .await
            .unwrap()
    }

    async fn count(&self, sql: &'static str) -> i64 {
        self.store.read(move |db| Ok(db.query_row(sql, [], |row| row.get(0))?)).await.unwrap()
    }
}

#[tokio::test]
async fn the_same_message_twice_is_stored_once() {
    let world = world().await;
    let first = world.apply(Event::Message(said(1, "oi", 100))).await;
    let second = world.apply(Event::Message(said(1, "oi", 100))).await;
    assert!(matches!(first, Effect::Message { .. }));
    assert!(matches!(second, Effect::Repeat { message: Some(_) }));
    assert_eq!(world.texts().await, ["oi"]);
    assert_eq!(world.count("SELECT sum(messages) FROM message_tally").await, 1, "and counted once");
}

#[tokio::test]
async fn everything_said_is_counted_by_day_and_author_and_what_is_only_for_the_team_is_not() {
    let world = world().await;
    world.apply(Event::Message(said(1, "oi", 100))).await;
    world.apply(Event::Message(said(2, "tem bolo?", 86_400))).await;
    let id = world.conversation().await;
    for note in [false, true] {
        let id = id.clone();
        world
            .write(move |tx| {
                let content = vec![Content::Text { text: "Olá".into() }];
                let reply = posting::Reply { conversation: &id, content, note, client_key: None, person: None, reply_to: None };
                posting::reply(tx, reply, &rules())
            })
            .await;
    }
    let counted: String = world
        .store
        .read(|db| {
            let sql = "SELECT group_concat(day || ' ' || author || ' ' || messages, ', ' ORDER BY day) FROM message_tally";
            Ok(db.query_row(sql, [], |row| row.get(0))?)
        })
        .await
        .unwrap();
    assert_eq!(counted, format!("0 contact 1, 1 contact 1, {} person 1", START.millis() / 86_400_000));
}

#[tokio::test]
async fn a_new_conversation_belongs_to_the_default_agent_and_wants_a_turn() {
    let world = world().await;
    world.apply(Event::Message(said(1, "oi", 100))).await;
    let conversation = world.conversation().await;
    let owner = world.store.read(move |db| Ok(super::find(db, &conversation)?.owner)).await.unwrap();
    assert_eq!(owner, Owner::Agent { id: world.agent.clone() });
    world.apply(Event::Message(said(2, "tem bolo?", 101))).await;
    assert_eq!(world.count("SELECT count(*) FROM turn WHERE status = 'wanted'").await, 1, "a burst is one turn");
}

#[tokio::test]
async fn what_somebody_else_answers_is_kept_and_asks_no_agent() {
    let world = world().await;
    world.apply(Event::Message(IncomingMessage { answered: true, ..said(1, "HELP", 100) })).await;
    assert_eq!(world.texts().await, ["HELP"]);
    assert_eq!(world.count("SELECT unread FROM conversation").await, 1, "the shop sees it all the same");
    assert_eq!(world.count("SELECT count(*) FROM turn").await, 0);
    world.apply(Event::Message(said(2, "tem bolo?", 101))).await;
    assert_eq!(world.count("SELECT count(*) FROM turn WHERE status = 'wanted'").await, 1);
}

#[tokio::test]
async fn a_hand_back_in_the_middle_of_a_farewell_does_not_make_the_next_turn_wait_for_it() {
    let world = world().await;
    world.apply(Event::Message(said(1, "uma pessoa, por favor", 100))).await;
    let conversation = world.conversation().await;
    world
        .write(move |tx| {
            tx.execute("UPDATE turn SET due_at = 0", [])?;
            let (claimed, _) = crate::agent::ledger::claim(tx, 1)?;
            let turn = claimed.first().expect("it is due").id.clone();
            tx.execute("UPDATE turn SET wrote = 1", [])?;
            ownership::call_person(tx, &conversation, Some(&turn), "asked", "normal", "")?;
            ownership::hand_back(tx, &conversation, None, None, Duration::ZERO)?;
            Ok(())
        })
        .await;
    assert_eq!(world.count("SELECT count(*) FROM turn WHERE status = 'running'").await, 0, "nobody will end it any more");
    assert_eq!(world.count("SELECT count(*) FROM turn WHERE status = 'wanted'").await, 1);
}

#[tokio::test]
async fn a_turn_that_waits_for_its_model_is_not_hurried_by_the_next_message() {
    let world = world().await;
    world.apply(Event::Message(said(1, "oi", 100))).await;
    world
        .write(move |tx| {
            tx.execute("UPDATE turn SET attempts = 1, due_at = ?1", [START.plus(Duration::from_secs(60))])?;
            Ok(())
        })
        .await;
    world.apply(Event::Message(said(2, "?", 101))).await;
    let due = world.count("SELECT due_at FROM turn WHERE status = 'wanted'").await;
    assert_eq!(due, START.plus(Duration::from_secs(60)).millis());
}

#[tokio::test]
async fn an_edit_changes_the_words_once_and_search_follows() {
    let world = world().await;
    world.apply(Event::Message(said(1, "bolo de cenora", 100))).await;
    let edited = |text: &str, at| Event::Edited {
        external_id: "9:1".into(),
        content: vec![IncomingContent::Content(Content::Text { text: text.into() })],
        at: Timestamp::from_seconds(at),
    };
    world.apply(edited("bolo de cenoura", 110)).await;
    assert!(matches!(world.apply(edited("older edit that comes late", 105)).await, Effect::Repeat { .. }));
    assert_eq!(world.texts().await, ["bolo de cenoura"]);
    assert_eq!(world.count("SELECT count(*) FROM message_fts WHERE message_fts MATCH 'cenoura'").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM message_fts WHERE message_fts MATCH 'cenora'").await, 0);
}

#[tokio::test]
async fn a_take_over_stops_the_turn_and_keeps_back_what_has_not_left() {
    let world = world().await;
    world.apply(Event::Message(said(1, "oi", 100))).await;
    let conversation = world.conversation().await;
    world
        .write(move |tx| {
            let before = super::find(tx, &conversation)?;
            tx.execute("UPDATE turn SET status = 'running'", [])?;
            let turn = tx.query_row("SELECT id FROM turn", [], |row| row.get(0))?;
            let Owner::Agent { id: agent } = &before.owner else { unreachable!("it is the agent's") };
            posting::agent_says(tx, &before, agent, &turn, &[Content::Text { text: "Bom dia!".into() }], &[], &rules())?;
            let after = ownership::take_over(tx, &conversation, None)?;
            assert_eq!(after.epoch, before.epoch + 1);
            Ok(())
        })
        .await;
    assert_eq!(world.count("SELECT count(*) FROM turn WHERE status = 'stopped'").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM delivery WHERE status = 'failed' AND reason = 'taken_over'").await, 1);
}

#[tokio::test]
async fn an_agent_that_is_gone_answers_nothing_and_only_open_answers_are_made_by_the_next() {
    let world = world().await;
    let heir = AgentId::new();
    let said_in = |thread: &str| IncomingMessage { thread: thread.into(), external_id: format!("{thread}:1"), ..said(1, "oi", 100) };
    for thread in ["asked now", "asked long ago", "done with"] {
        world.apply(Event::Message(said_in(thread))).await;
    }
    let (gone, next, connection) = (world.agent.clone(), heir.clone(), world.connection.clone());
    world
        .write(move |tx| {
            tx.execute("UPDATE turn SET status = 'running' WHERE conversation = 1", [])?;
            tx.execute("UPDATE turn SET status = 'done' WHERE conversation > 1", [])?;
            tx.execute("UPDATE conversation SET status = 'resolved' WHERE seq = 3", [])?;
            tx.execute(
                "INSERT INTO agent (id, name, instructions, connection, created_at, updated_at) VALUES (?1, 'Rye', '', ?2, 0, 0)",
                [next.as_str(), connection.as_str()],
            )?;
            tx.execute("UPDATE setting SET value = ?1 WHERE key = 'default_agent'", [&next])?;
            tx.execute("DELETE FROM agent WHERE id = ?1", [&gone])?;
            inheriting::interrupt(tx, &gone)
        })
        .await;
    let of = |n: i64| {
        let sql = format!("SELECT owner_id FROM conversation WHERE seq = {n}");
        world.store.read(move |db| Ok(db.query_row(&sql, [], |row| row.get::<_, String>(0))?))
    };
    assert_eq!(of(1).await.unwrap(), heir.as_str(), "the one whose answer was in the making, at once");
    assert_eq!(world.count("SELECT count(*) FROM turn WHERE status = 'running'").await, 0);
    assert_eq!(of(2).await.unwrap(), world.agent.as_str(), "the others a few at a time");

    let gone = world.agent.clone();
    while world
        .write({
            let gone = gone.clone();
            move |tx| inheriting::give_on_some(tx, &gone)
        })
        .await
    {}
    assert_eq!(of(2).await.unwrap(), heir.as_str());
    assert_eq!(of(3).await.unwrap(), world.agent.as_str(), "what is done with stays as it is");
    assert_eq!(
        world.count("SELECT group_concat(conversation) = '1' FROM turn WHERE status = 'wanted'").await,
        1,
        "nobody is answered weeks later"
    );

    world.apply(Event::Message(IncomingMessage { external_id: "late:2".into(), ..said_in("done with") })).await;
    assert_eq!(of(3).await.unwrap(), heir.as_str(), "until its customer writes again");
    assert_eq!(world.count("SELECT count(*) FROM turn WHERE status = 'wanted' AND conversation = 3").await, 1);
}

#[tokio::test]
async fn thousands_of_conversations_of_a_deleted_agent_are_given_on_in_small_writes() {
    let world = world().await;
    let (gone, connection) = (world.agent.clone(), world.connection.clone());
    world
        .write(move |tx| {
            tx.execute("INSERT INTO contact (id, name, created_at) VALUES ('ctc_1', 'Ana', 0)", [])?;
            for n in 0..350 {
                tx.execute(
                    "INSERT INTO conversation (id, contact, connection, thread, address_scheme, address_value, status, owner_kind, owner_id, last_message_at, created_at)
                     VALUES (?1, 'ctc_1', ?2, ?1, 'user', '1', 'open', 'agent', ?3, 0, 0)",
                    rusqlite::params![format!("cnv_{n}"), connection, gone],
                )?;
            }
            tx.execute("DELETE FROM agent", [])?;
            Ok(())
        })
        .await;
    let gone = world.agent.clone();
    let mut writes = 0;
    while world
        .write({
            let gone = gone.clone();
            move |tx| inheriting::give_on_some(tx, &gone)
        })
        .await
    {
        writes += 1;
    }
    assert_eq!(writes, 4, "a hundred at a time");
    assert_eq!(world.count("SELECT count(*) FROM conversation WHERE owner_kind = 'person' AND needs_person = 1").await, 350);
    assert!(world.store.read(inheriting::gone).await.unwrap().is_none());
}

#[tokio::test]
async fn words_that_are_taken_back_do_not_stay_on_the_conversations_row() {
    let world = world().await;
    world.apply(Event::Message(said(1, "tem bolo?", 100))).await;
    let conversation = world.conversation().await;
    world
        .write(move |tx| {
            let conversation = super::find(tx, &conversation)?;
            tx.execute("UPDATE turn SET status = 'running'", [])?;
            let turn = tx.query_row("SELECT id FROM turn", [], |row| row.get(0))?;
            let Owner::Agent { id: agent } = &conversation.owner else { unreachable!("it is the agent's") };
            posting::agent_says(tx, &conversation, agent, &turn, &[Content::Text { text: "Temos de".into() }], &[], &rules())?;
            Ok(())
        })
        .await;
    // Said before the agent's first words, and it comes after them.
    world.apply(Event::Message(said(2, "ou torta?", 101))).await;
    assert_eq!(world.texts().await, ["tem bolo?", "ou torta?"], "nobody had seen the agent's words");
    let row: (String, String, i64) = world
        .store
        .read(|db| {
            let sql = "SELECT preview, preview_by, last_message_at FROM conversation";
            Ok(db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
        })
        .await
        .unwrap();
    assert_eq!((row.0.as_str(), row.1.as_str()), ("ou torta?", "contact"));
    assert_eq!(row.2, world.count("SELECT max(sent_at) FROM message").await);
}

#[tokio::test]
async fn a_hand_back_answers_when_the_customer_spoke_last() {
    let world = world().await;
    world.apply(Event::Message(said(1, "oi", 100))).await;
    let conversation = world.conversation().await;
    world
        .write(move |tx| {
            ownership::take_over(tx, &conversation, None)?;
            let back = ownership::hand_back(tx, &conversation, None, Some("cortesia no frete"), Duration::ZERO)?;
            assert!(matches!(back.owner, Owner::Agent { .. }));
            Ok(())
        })
        .await;
    assert_eq!(world.count("SELECT count(*) FROM turn WHERE status = 'wanted'").await, 1);
}

#[tokio::test]
async fn a_reply_with_the_same_client_key_is_sent_once_and_takes_over() {
    let world = world().await;
    world.apply(Event::Message(said(1, "oi", 100))).await;
    let conversation = world.conversation().await;
    let ids = world
        .write(move |tx| {
            let send = || {
                let reply = posting::Reply {
                    conversation: &conversation,
                    content: vec![Content::Text { text: "palavra ".repeat(40) }],
                    note: false,
                    client_key: Some("k1"),
                    person: None,
                    reply_to: None,
                };
                posting::reply(tx, reply, &rules())
            };
            Ok((send()?, send()?))
        })
        .await;
    assert_eq!(ids.0, ids.1, "the second send is the first one");
    assert!(world.count("SELECT count(*) FROM delivery WHERE epoch IS NULL").await >= 3, "a long text leaves in several messages");
    assert_eq!(world.count("SELECT count(*) FROM conversation WHERE owner_kind = 'person'").await, 1, "a person's word wins");
}

#[tokio::test]
async fn ticks_only_move_forward() {
    let world = world().await;
    world.apply(Event::Message(said(1, "oi", 100))).await;
    let conversation = world.conversation().await;
    world
        .write(move |tx| {
            let reply = posting::Reply {
                conversation: &conversation,
                content: vec![Content::Text { text: "olá".into() }],
                note: false,
                client_key: None,
                person: None,
                reply_to: None,
            };
            posting::reply(tx, reply, &rules())?;
            tx.execute("UPDATE message SET external_id = 'x1' WHERE direction = 'out'", [])?;
            tx.execute("UPDATE delivery SET status = 'sent'", [])?;
            Ok(())
        })
        .await;
    let status = |status| Event::Status { external_id: "x1".into(), delivery: None, status, at: Timestamp::from_seconds(200) };
    world.apply(status(Evidence::Read)).await;
    world.apply(status(Evidence::Delivered)).await;
    world
        .apply(status(Evidence::Failed {
            reason: crate::say!("The connection broke before the service answered. It may have arrived."),
            action: None,
        }))
        .await;
    assert_eq!(world.count("SELECT count(*) FROM delivery WHERE status = 'read'").await, 1, "read before delivered stays read");
}

#[tokio::test]
async fn a_call_for_a_person_lets_the_farewell_leave_but_not_after_a_take_over() {
    let world = world().await;
    world.apply(Event::Message(said(1, "quero um atendente", 100))).await;
    let conversation = world.conversation().await;
    world
        .write(move |tx| {
            tx.execute("UPDATE turn SET status = 'running'", [])?;
            let turn = tx.query_row("SELECT id FROM turn", [], |row| row.get(0))?;
            let agent = tx.query_row("SELECT id FROM agent", [], |row| row.get(0))?;
            let called = ownership::call_person(tx, &conversation, Some(&turn), "asked for a person", "medium", "")?;
            assert_eq!(called.owner, Owner::Person { id: None });
            assert!(called.needs_person);
            posting::agent_says(tx, &called, &agent, &turn, &[Content::Text { text: "Já chamo alguém.".into() }], &[], &rules())?;
            assert_eq!(tx.query_row("SELECT farewell FROM delivery", [], |row| row.get::<_, i64>(0))?, 1);
            ownership::take_over(tx, &conversation, None)?;
            assert_eq!(tx.query_row("SELECT status FROM delivery", [], |row| row.get::<_, String>(0))?, "failed");
            Ok(())
        })
        .await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Updates of one chat may come in any order and more than once; the conversation reads in the service's order.
    #[test]
    fn reordered_and_repeated_updates_read_in_the_services_order(order in Just((1i64..=12).collect::<Vec<_>>()).prop_shuffle(), repeats in prop::collection::vec(0usize..12, 0..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = world().await;
            for position in order.iter().chain(repeats.iter().map(|n| &order[*n])) {
                // Three messages share each second, as quick typists do.
                world.apply(Event::Message(said(*position, &format!("m{position}"), START.millis() / 1000 + position / 3))).await;
            }
            let expected: Vec<String> = (1..=12).map(|n| format!("m{n}")).collect();
            assert_eq!(world.texts().await, expected);
        });
    }
}

mod any_order;
