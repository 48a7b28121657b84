use super::*;
use crate::clock::ManualClock;
use crate::hub::HubOptions;
use crate::vault::NoKeychain;

const EVENING: Timestamp = Timestamp::from_seconds(1_795_000_000);
const HOUR: Duration = Duration::from_secs(3600);

async fn hub(directory: &std::path::Path, clock: &Arc<ManualClock>) -> Arc<Hub> {
    let mut options = HubOptions::new(directory.to_owned(), Vec::new());
    options.keychain = Arc::new(NoKeychain);
    options.passphrase = Some(crate::secret::Secret::new("a passphrase of the tests"));
    options.clock = clock.clone();
    Hub::open(options).await.unwrap()
}

/// A customer in the hands of an agent.
fn shop(tx: &Tx<'_>) -> Result<()> {
    tx.execute_batch(
        "INSERT INTO connection (id, connector, name, status, config, hook_key, created_at, updated_at) VALUES ('con_1', 'x', 'X', 'active', '{}', 'k', 1, 1);
         INSERT INTO agent (id, name, instructions, connection, created_at, updated_at) VALUES ('agt_1', 'Nina', '', 'con_1', 1, 1);
         INSERT INTO contact (id, name, created_at) VALUES ('ctc_1', 'Ana', 1);
         INSERT INTO conversation (seq, id, contact, connection, thread, address_scheme, address_value, status, owner_kind, owner_id, last_message_at, created_at)
           VALUES (1, 'cnv_1', 'ctc_1', 'con_1', 't', 's', 'v', 'open', 'agent', 'agt_1', 1, 1);",
    )?;
    Ok(())
}

async fn told(hub: &Arc<Hub>, history: History, away: Duration) -> Option<(String, String)> {
    hub.store
        .write(move |tx| {
            tx.execute("DELETE FROM notice", [])?;
            tx.execute("DELETE FROM gap", [])?;
            note(tx, &"con_1".into(), tx.now().minus(away), &history)?;
            Ok(tx.query_row("SELECT level, text FROM notice", [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn the_owner_is_told_what_a_service_cannot_make_up_for_and_nothing_else() {
    let (directory, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(EVENING)));
    let hub = hub(directory.path(), &clock).await;
    hub.store.write(shop).await.unwrap();
    let day = HOUR * 24;
    assert_eq!(told(&hub, History::Listened { kept: Some(day) }, HOUR * 8).await, None, "it is all fetched");
    let (level, words) = told(&hub, History::Listened { kept: Some(day) }, HOUR * 30).await.unwrap();
    assert!(level == "problem" && words.contains("24 hours only"), "{words}");
    assert_eq!(told(&hub, History::Asked { kept: None }, HOUR * 3000).await, None);
    assert_eq!(told(&hub, History::Nothing, HOUR * 8).await, None);
    let (level, words) = told(&hub, History::Redelivered { kept: day * 7 }, HOUR * 8).await.unwrap();
    assert!(level == "warning" && words.contains("up to 7 days") && words.contains("promises"), "{words}");
    assert!(words.contains(&in_words(EVENING.minus(HOUR * 8))) && words.contains(&in_words(EVENING)), "from when to when: {words}");
    let (level, words) = told(&hub, History::Redelivered { kept: day * 7 }, day * 8).await.unwrap();
    assert!(level == "problem" && words.contains("may be missing"), "{words}");
    hub.stop().await;
}

#[tokio::test]
async fn how_late_words_are_is_told_by_the_gap_they_fell_into_and_by_their_agents_patience() {
    let (directory, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(EVENING)));
    let hub = hub(directory.path(), &clock).await;
    hub.store.write(shop).await.unwrap();
    clock.advance(HOUR * 16);
    hub.store.write(|tx| note(tx, &"con_1".into(), tx.now().minus(HOUR * 8), &History::Listened { kept: None })).await.unwrap();
    let judged = async |ago: Duration| {
        hub.store.write(move |tx| lateness(tx, &crate::conversations::by_seq(tx, 1)?, tx.now().minus(ago))).await.unwrap()
    };
    assert_eq!(judged(Duration::from_secs(5)).await, Lateness::InTime);
    assert_eq!(judged(HOUR * 7).await, Lateness::CaughtUp);
    assert_eq!(judged(HOUR * 9).await, Lateness::InTime, "it was said before the gap, and came late for another reason");
    assert_eq!(judged(HOUR * 13).await, Lateness::TooLate { caught_up: false }, "older than an agent answers");
    hub.store.write(|tx| Ok(tx.execute("UPDATE agent SET settings = '{\"answer_within_hours\": 6}'", [])?)).await.unwrap();
    assert_eq!(judged(HOUR * 7).await, Lateness::TooLate { caught_up: true });
    hub.store.write(|tx| Ok(tx.execute("UPDATE conversation SET owner_kind = 'person', owner_id = NULL", [])?)).await.unwrap();
    assert_eq!(judged(HOUR * 7).await, Lateness::CaughtUp, "a person answers when they like");
    // The shop moved here an hour ago: what was said before was said to the other computer.
    hub.store
        .write(|tx| {
            let moved = moved::Moved {
                made_at: tx.now().minus(HOUR * 2),
                restored_at: tx.now().minus(HOUR),
                confirmed_at: Some(tx.now().minus(HOUR)),
                parked: 0,
            };
            tx.execute("INSERT INTO setting (key, value) VALUES ('moved', ?1)", [serde_json::to_string(&moved).unwrap()])?;
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(judged(HOUR * 2).await, Lateness::TooLate { caught_up: true });
    assert_eq!(judged(HOUR / 2).await, Lateness::CaughtUp);
    hub.stop().await;
}
