//! What services tell in any order, and what they tell of people under several names.

use super::*;
use crate::connector::{Action, Receipt, Referral, ShopMessage};
use crate::conversations::contacts;
use crate::id::ContactId;
use crate::outbox::{self, Outcome, Terms};

fn phone(value: &str) -> Address {
    Address { connector: "test".into(), scheme: "phone".into(), value: value.into() }
}

fn hidden(value: &str) -> Address {
    Address { scheme: "bsuid".into(), ..phone(value) }
}

fn words(text: &str) -> Vec<IncomingContent> {
    vec![IncomingContent::Content(Content::Text { text: text.into() })]
}

fn shop(external_id: &str, text: &str, ours: Option<bool>) -> Event {
    Event::FromShop(ShopMessage {
        external_id: external_id.into(),
        thread: "9".into(),
        also_threads: Vec::new(),
        to: phone("9"),
        also: Vec::new(),
        content: words(text),
        sent_at: Timestamp::from_seconds(200),
        ours,
        metadata: serde_json::Map::new(),
    })
}

fn status(external_id: &str, status: Evidence) -> Event {
    Event::Status { external_id: external_id.into(), delivery: None, status, at: Timestamp::from_seconds(300) }
}

impl World {
    /// A person's reply, claimed: its call is out.
    async fn sending(&self, text: &str) -> outbox::Claimed {
        let (conversation, connection, text) = (self.conversation().await, self.connection.clone(), text.to_owned());
        self.write(move |tx| {
            let reply = posting::Reply {
                conversation: &conversation,
                content: vec![Content::Text { text }],
                note: false,
                client_key: None,
                person: None,
                reply_to: None,
            };
            posting::reply(tx, reply, &rules())?;
            let terms = std::collections::HashMap::from([(connection, Terms::of(&rules(), 9))]);
            Ok(outbox::claim(tx, &terms, 9)?.remove(0))
        })
        .await
    }

    async fn sent(&self, claimed: outbox::Claimed, external_id: &str) {
        let outcome = Outcome::Sent(Receipt { external_id: external_id.into() });
        self.write(move |tx| outbox::finish(tx, &claimed, &outcome)).await;
    }

    async fn delivery(&self) -> (String, Option<String>) {
        self.store
            .read(|db| Ok(db.query_row("SELECT status, action FROM delivery ORDER BY seq DESC", [], |row| Ok((row.get(0)?, row.get(1)?)))?))
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_status_that_comes_before_our_own_answer_is_not_lost() {
    let world = world().await;
    world.apply(Event::Message(said(1, "oi", 100))).await;
    let claimed = world.sending("olá").await;
    world.apply(status("w1", Evidence::Read)).await;
    world.apply(status("w1", Evidence::Delivered)).await;
    assert_eq!(world.delivery().await.0, "sending");
    world.sent(claimed, "w1").await;
    assert_eq!(world.delivery().await.0, "read", "the furthest that was told");
    assert_eq!(world.count("SELECT count(*) FROM ahead").await, 0);
}

#[tokio::test]
async fn our_own_name_in_a_status_settles_what_was_cut_off() {
    let world = world().await;
    world.apply(Event::Message(said(1, "oi", 100))).await;
    let claimed = world.sending("olá").await;
    let delivery = Some(claimed.outgoing.delivery.clone());
    let at = Timestamp::from_seconds(300);
    world.apply(Event::Status { external_id: "w2".into(), delivery, status: Evidence::Delivered, at }).await;
    assert_eq!(world.delivery().await.0, "delivered");
    world.write(move |tx| outbox::finish(tx, &claimed, &Outcome::Unconfirmed)).await;
    assert_eq!(world.delivery().await.0, "delivered", "a broken connection is no proof against it");
    assert_eq!(world.count("SELECT count(*) FROM message WHERE external_id = 'w2'").await, 1);
}

#[tokio::test]
async fn a_failure_told_later_says_what_helps() {
    let world = world().await;
    world.apply(Event::Message(said(1, "oi", 100))).await;
    let claimed = world.sending("olá").await;
    world.sent(claimed, "w3").await;
    let reason = crate::say!("This channel has no advertising to report to.");
    world.apply(status("w3", Evidence::Failed { reason, action: Some(Action::UseTemplate) })).await;
    assert_eq!(world.delivery().await, ("failed".into(), Some("use_template".into())));
}

#[tokio::test]
async fn an_edit_and_a_deletion_may_come_before_their_message() {
    let world = world().await;
    world.apply(Event::Edited { external_id: "9:1".into(), content: words("às nove"), at: Timestamp::from_seconds(150) }).await;
    world.apply(Event::Deleted { external_id: "9:2".into(), at: Timestamp::from_seconds(151) }).await;
    world.apply(Event::Message(said(1, "às oito", 100))).await;
    world.apply(Event::Message(said(2, "segredo", 101))).await;
    assert_eq!(world.texts().await, ["às nove", "segredo"]);
    assert_eq!(world.count("SELECT count(*) FROM message WHERE external_id = '9:2' AND deleted_at IS NOT NULL").await, 1);
}

#[tokio::test]
async fn the_shops_own_phone_takes_the_conversation_over() {
    let world = world().await;
    world.apply(Event::Message(said(1, "oi", 100))).await;
    assert_eq!(world.count("SELECT count(*) FROM turn WHERE status = 'wanted'").await, 1);
    assert!(matches!(world.apply(shop("p1", "Já respondo", Some(false))).await, Effect::Message { .. }));
    assert!(matches!(world.apply(shop("p1", "Já respondo", Some(false))).await, Effect::Repeat { .. }));
    assert_eq!(world.texts().await, ["oi", "Já respondo"]);
    assert_eq!(world.count("SELECT count(*) FROM conversation WHERE owner_kind = 'person' AND epoch = 2").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM turn WHERE status = 'wanted'").await, 0, "the agent keeps silent");
}

#[tokio::test]
async fn the_echo_of_our_own_message_names_it_and_changes_no_owner() {
    let world = world().await;
    world.apply(Event::Message(said(1, "oi", 100))).await;
    let claimed = world.sending("olá").await;
    let epoch = world.count("SELECT epoch FROM conversation").await;
    assert!(matches!(world.apply(shop("e1", "olá", None)).await, Effect::Repeat { message: Some(_) }));
    world.write(move |tx| outbox::finish(tx, &claimed, &Outcome::Unconfirmed)).await;
    assert_eq!(world.delivery().await.0, "sent", "an echo is evidence");
    assert!(matches!(world.apply(shop("e1", "olá", None)).await, Effect::Repeat { message: Some(_) }));
    assert_eq!(world.texts().await, ["oi", "olá"], "said once");
    assert_eq!(world.count("SELECT epoch FROM conversation").await, epoch);
}

#[tokio::test]
async fn a_customer_who_hides_and_shows_the_number_stays_one_person_in_one_conversation() {
    let world = world().await;
    let at = Timestamp::from_seconds(100);
    let first = IncomingMessage { content: words("oi"), ..IncomingMessage::new("m1", "BR.77", hidden("BR.77"), at) };
    let shown = IncomingMessage {
        content: words("sou eu"),
        also: vec![hidden("BR.77")],
        also_threads: vec!["BR.77".into()],
        referral: Some(Referral { kind: "ad".into(), click_id: Some("ARA1".into()), ..Referral::default() }),
        ..IncomingMessage::new("m2", "5511", phone("5511"), at)
    };
    let again = IncomingMessage { content: words("de novo"), ..IncomingMessage::new("m3", "BR.77", hidden("BR.77"), at) };
    let elsewhere = IncomingMessage { content: words("número novo"), ..IncomingMessage::new("m4", "5522", phone("5522"), at) };
    for message in [first, shown, again] {
        world.apply(Event::Message(message)).await;
    }
    assert_eq!(world.count("SELECT count(*) FROM address").await, 2);
    assert_eq!(world.count("SELECT count(*) FROM conversation WHERE referral LIKE '%ARA1%'").await, 1);
    world.apply(Event::Moved { from: "BR.77".into(), to: "5522".into(), address: Some(phone("5522")), beside: false }).await;
    world.apply(Event::Message(elsewhere)).await;
    assert_eq!(world.count("SELECT count(*) FROM conversation WHERE address_value = '5522'").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM conversation").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM contact").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM message WHERE direction = 'in'").await, 4);
}

#[tokio::test]
async fn what_was_seen_up_to_a_message_ticks_all_before_it() {
    let world = world().await;
    world.apply(Event::Message(said(1, "oi", 100))).await;
    for (n, text) in ["um", "dois", "três"].into_iter().enumerate() {
        let claimed = world.sending(text).await;
        world.sent(claimed, &format!("s{n}")).await;
    }
    world.apply(Event::SeenUpTo { thread: "9".into(), external_id: Some("s1".into()), at: Timestamp::from_seconds(300) }).await;
    assert_eq!(world.count("SELECT count(*) FROM delivery WHERE status = 'read'").await, 2);
}

#[tokio::test]
async fn a_late_answer_stays_here_and_calls_a_person() {
    let world = world().await;
    let now = crate::conversations::tests::START.millis() / 1000;
    world.apply(Event::Message(said(1, "oi", now - 25 * 3600))).await;
    let (conversation, connection) = (world.conversation().await, world.connection.clone());
    let claimed = world
        .write(move |tx| {
            let conversation = super::super::find(tx, &conversation)?;
            let agent = tx.query_row("SELECT id FROM agent", [], |row| row.get(0))?;
            tx.execute("UPDATE turn SET status = 'running'", [])?;
            let turn = tx.query_row("SELECT id FROM turn", [], |row| row.get(0))?;
            posting::agent_says(tx, &conversation, &agent, &turn, &[Content::Text { text: "Bom dia".into() }], &[], &rules())?;
            let rules = ChannelRules { reply_window: Some(Duration::from_secs(24 * 3600)), ..rules() };
            let terms = std::collections::HashMap::from([(connection, Terms::of(&rules, 9))]);
            outbox::claim(tx, &terms, 9)
        })
        .await;
    assert!(claimed.is_empty(), "nothing is sent into a refusal");
    assert_eq!(world.delivery().await, ("failed".into(), Some("use_template".into())));
    assert_eq!(world.count("SELECT count(*) FROM conversation WHERE owner_kind = 'person' AND needs_person = 1").await, 1);
}

#[tokio::test]
async fn a_notice_replaces_the_one_before_and_an_older_one_does_not() {
    let world = world().await;
    let notice = |text: &'static str, seconds| Event::Notice {
        key: "quality".into(),
        level: crate::connector::NoticeLevel::Warning,
        sentence: crate::error::Sentence::verbatim(text),
        at: Timestamp::from_seconds(seconds),
    };
    for event in [notice("yellow", 10), notice("green", 20), notice("red, long ago", 5)] {
        world.apply(event).await;
    }
    assert_eq!(world.count("SELECT count(*) FROM notice WHERE text = 'green'").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM notice").await, 1);
}

#[tokio::test]
async fn two_contacts_become_one_and_two_again() {
    let world = world().await;
    let at = Timestamp::from_seconds(100);
    for (external_id, value) in [("m1", "5511"), ("m2", "5522")] {
        let message = IncomingMessage { content: words("oi"), ..IncomingMessage::new(external_id, value, phone(value), at) };
        world.apply(Event::Message(message)).await;
    }
    let merge = world
        .write(|tx| {
            let ids: Vec<ContactId> =
                tx.prepare("SELECT id FROM contact ORDER BY id")?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            assert!(contacts::merge(tx, &ids[0], &ids[0], contacts::Evidence::Person).is_err());
            contacts::merge(tx, &ids[0], &ids[1], contacts::Evidence::Person)
        })
        .await;
    assert_eq!(world.count("SELECT count(DISTINCT contact) FROM conversation").await, 1);
    assert_eq!(world.count("SELECT count(DISTINCT contact) FROM address").await, 1);
    world.write(move |tx| contacts::undo_merge(tx, &merge)).await;
    assert_eq!(world.count("SELECT count(DISTINCT contact) FROM conversation").await, 2);
    assert_eq!(world.count("SELECT count(DISTINCT contact) FROM address").await, 2);
    assert_eq!(world.count("SELECT count(*) FROM contact WHERE merged_into IS NOT NULL").await, 0);
}

#[tokio::test]
async fn a_service_that_names_both_addresses_joins_them_and_the_older_stays() {
    let world = world().await;
    let at = Timestamp::from_seconds(100);
    let one = IncomingMessage { content: words("oi"), ..IncomingMessage::new("m1", "BR.1", hidden("BR.1"), at) };
    let two = IncomingMessage { content: words("oi"), ..IncomingMessage::new("m2", "5511", phone("5511"), at) };
    let both =
        IncomingMessage { content: words("eu"), also: vec![hidden("BR.1")], ..IncomingMessage::new("m3", "5511", phone("5511"), at) };
    for message in [one, two, both] {
        world.apply(Event::Message(message)).await;
    }
    assert_eq!(world.count("SELECT count(DISTINCT contact) FROM address").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM contact_merge WHERE evidence = 'service' AND kept < merged").await, 1);
}

#[tokio::test]
async fn a_new_number_with_a_new_id_stays_one_conversation_under_all_of_its_names() {
    let world = world().await;
    let at = Timestamp::from_seconds(100);
    let first = IncomingMessage {
        content: words("oi"),
        also: vec![hidden("BR.77")],
        also_threads: vec!["BR.77".into()],
        ..IncomingMessage::new("m1", "5511", phone("5511"), at)
    };
    world.apply(Event::Message(first)).await;
    world.apply(Event::Moved { from: "5511".into(), to: "5522".into(), address: Some(phone("5522")), beside: false }).await;
    world.apply(Event::Moved { from: "5522".into(), to: "BR.99".into(), address: Some(hidden("BR.99")), beside: true }).await;
    // An id that changes later is one of the other names: words still go to the number.
    world.apply(Event::Moved { from: "BR.99".into(), to: "MX.1".into(), address: Some(hidden("MX.1")), beside: false }).await;
    for (id, name) in [("m2", "5511"), ("m3", "5522"), ("m4", "BR.77"), ("m5", "BR.99"), ("m6", "MX.1")] {
        let address = if name.contains('.') { hidden(name) } else { phone(name) };
        world.apply(Event::Message(IncomingMessage { content: words(name), ..IncomingMessage::new(id, name, address, at) })).await;
    }
    assert_eq!(world.count("SELECT count(*) FROM conversation").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM conversation WHERE thread = '5522' AND address_value = '5522'").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM contact").await, 1);
}

#[tokio::test]
async fn words_from_the_shops_phone_find_a_conversation_under_its_other_name() {
    let world = world().await;
    let first =
        IncomingMessage { content: words("oi"), ..IncomingMessage::new("m1", "BR.77", hidden("BR.77"), Timestamp::from_seconds(100)) };
    world.apply(Event::Message(first)).await;
    let Event::FromShop(told) = shop("e1", "aqui é a dona", Some(false)) else { unreachable!() };
    world.apply(Event::FromShop(ShopMessage { also_threads: vec!["BR.77".into()], also: vec![hidden("BR.77")], ..told })).await;
    assert_eq!(world.count("SELECT count(*) FROM conversation").await, 1);
    assert_eq!(world.count("SELECT owner_kind = 'person' FROM conversation").await, 1, "the agent is silent in the real one");
}

#[tokio::test]
async fn who_wants_no_messages_gets_none_from_an_agent_until_they_want_them_again() {
    let world = world().await;
    let open = "SELECT count(*) FROM turn WHERE status IN ('wanted', 'running')";
    world.apply(Event::Message(said(1, "oi", 100))).await;
    assert_eq!(world.count(open).await, 1);
    world.apply(Event::Message(said(2, "STOP", 101))).await;
    world.apply(Event::Blocked { thread: "9".into(), blocked: true }).await;
    assert_eq!(world.count(open).await, 0, "not even the STOP is answered");
    assert_eq!(world.count("SELECT blocked FROM contact").await, 1);
    world.apply(Event::Message(said(3, "são vocês?", 102))).await;
    assert_eq!(world.count(open).await, 0);
    world.apply(Event::Message(said(4, "START", 103))).await;
    world.apply(Event::Blocked { thread: "9".into(), blocked: false }).await;
    assert_eq!((world.count(open).await, world.count("SELECT blocked FROM contact").await), (0, 0));
    world.apply(Event::Message(said(5, "tem bolo?", 104))).await;
    assert_eq!(world.count(open).await, 1);
}

#[tokio::test]
async fn an_edit_that_tells_the_words_alone_leaves_the_rest() {
    let world = world().await;
    let place = Content::Location { latitude: 1.0, longitude: 2.0, name: None, address: None };
    let mut first = said(1, "aqui", 100);
    let external = first.external_id.clone();
    first.content.push(IncomingContent::Content(place));
    world.apply(Event::Message(first)).await;
    world.apply(Event::Edited { external_id: external, content: words("ali"), at: Timestamp::from_seconds(120) }).await;
    let kept = "SELECT content LIKE '%ali%' AND content NOT LIKE '%aqui%' AND content LIKE '%location%' FROM message";
    assert_eq!(world.count(kept).await, 1);
}
