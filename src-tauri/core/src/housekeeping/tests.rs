use rusqlite::params;

use super::*;
use crate::agent::ledger;
use crate::clock::ManualClock;
use crate::hub::HubOptions;

const START: Timestamp = Timestamp::from_seconds(1_795_000_000);

async fn hub() -> (Arc<Hub>, Arc<ManualClock>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(START));
    let mut options = HubOptions::new(directory.path().to_owned(), Vec::new());
    options.keychain = Arc::new(crate::vault::NoKeychain);
    options.passphrase = Some(crate::secret::Secret::new("a passphrase of the tests"));
    options.clock = clock.clone();
    (Hub::open(options).await.unwrap(), clock, directory)
}

async fn count(hub: &Hub, sql: &'static str) -> i64 {
    hub.store.read(move |db| Ok(db.query_row(sql, [], |row| row.get(0))?)).await.unwrap()
}

fn arrival(tx: &Tx<'_>, id: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO arrival (id, connection, received_at, method, path, query, headers, body, verdict)
         VALUES (?1, 'con_1', ?2, 'POST', '', '', '[]', x'00', 'handled')",
        params![id, tx.now()],
    )?;
    Ok(())
}

#[tokio::test]
async fn a_chore_is_done_when_its_time_has_come_by_the_clock_of_the_database() {
    let (hub, clock, _directory) = hub().await;
    let stop = CancellationToken::new();
    round(&hub, &stop).await.unwrap();
    assert_eq!(count(&hub, "SELECT count(*) FROM chore").await, CHORES.len() as i64, "each is done once after the first start");
    hub.store.write(|tx| arrival(tx, "arr_1")).await.unwrap();
    clock.advance(Duration::from_secs(31 * 86_400) - HOUR / 2);
    hub.store.write(|tx| Ok(tx.execute("UPDATE chore SET done_at = ?1", [tx.now().minus(HOUR / 2)])?)).await.unwrap();
    round(&hub, &stop).await.unwrap();
    assert_eq!(
        count(&hub, "SELECT count(*) FROM arrival").await,
        1,
        "not half an hour after the last time, however long ago this program was started"
    );
    clock.advance(HOUR);
    round(&hub, &stop).await.unwrap();
    assert_eq!(count(&hub, "SELECT count(*) FROM arrival").await, 0);

    // A clock that was set back by years.
    hub.store.write(|tx| Ok(tx.execute("UPDATE chore SET done_at = ?1", [tx.now().plus(DAY * 1000)])?)).await.unwrap();
    round(&hub, &stop).await.unwrap();
    assert_eq!(count(&hub, "SELECT max(done_at) FROM chore").await, hub.store.clock().now().millis(), "no chore waits for years");
}

#[tokio::test]
async fn a_chore_that_is_interrupted_goes_on_at_the_next_look() {
    let (hub, clock, _directory) = hub().await;
    hub.store.write(|tx| (0..1200).try_for_each(|n| arrival(tx, &format!("arr_{n}")))).await.unwrap();
    clock.advance(Duration::from_secs(31 * 86_400));
    let stop = CancellationToken::new();
    stop.cancel();
    work(&hub, &CHORES[0], &stop).await.unwrap();
    assert_eq!(count(&hub, "SELECT count(*) FROM arrival").await, 700, "one batch, then it was told to stop");
    assert_eq!(count(&hub, "SELECT count(*) FROM chore WHERE name = 'arrivals done'").await, 0, "and it does not count as done");
    round(&hub, &CancellationToken::new()).await.unwrap();
    assert_eq!(count(&hub, "SELECT count(*) FROM arrival").await, 0);
}

#[tokio::test]
async fn snoozed_conversations_come_back_in_time() {
    let (hub, clock, _directory) = hub().await;
    hub.store
        .write(|tx| {
            tx.execute_batch(
                "INSERT INTO connection (id, connector, name, status, config, hook_key, created_at, updated_at) VALUES ('con_1', 't', 'T', 'paused', '{}', 'k', 0, 0);
                 INSERT INTO contact (id, name, created_at) VALUES ('ctc_1', 'Ana', 0);",
            )?;
            tx.execute(
                "INSERT INTO conversation (id, contact, connection, thread, address_scheme, address_value, status, snoozed_until, owner_kind, last_message_at, created_at)
                 VALUES ('cnv_1', 'ctc_1', 'con_1', '1', 'user', '1', 'snoozed', ?1, 'person', 0, 0)",
                [tx.now().plus(HOUR)],
            )?;
            Ok(())
        })
        .await
        .unwrap();
    wake_snoozed(&hub.store).await.unwrap();
    assert_eq!(count(&hub, "SELECT count(*) FROM conversation WHERE status = 'open'").await, 0);
    clock.advance(HOUR);
    wake_snoozed(&hub.store).await.unwrap();
    assert_eq!(count(&hub, "SELECT count(*) FROM conversation WHERE status = 'open' AND snoozed_until IS NULL").await, 1);
}

#[tokio::test]
async fn the_steps_of_a_turn_become_one_line_after_a_month_and_questions_go_after_half_a_year() {
    let (hub, clock, _directory) = hub().await;
    hub.store
        .write(|tx| {
            tx.execute_batch(
                "INSERT INTO connection (id, connector, name, status, config, hook_key, created_at, updated_at) VALUES ('con_1', 't', 'T', 'paused', '{}', 'k', 0, 0);
                 INSERT INTO contact (id, name, created_at) VALUES ('ctc_1', 'Ana', 0);
                 INSERT INTO conversation (seq, id, contact, connection, thread, address_scheme, address_value, status, owner_kind, last_message_at, created_at)
                   VALUES (1, 'cnv_1', 'ctc_1', 'con_1', '1', 'user', '1', 'open', 'person', 0, 0);",
            )?;
            for (seq, status) in [(1, "done"), (2, "running")] {
                tx.execute(
                    "INSERT INTO turn (seq, id, conversation, agent, epoch, status, wanted_at, due_at, finished_at) VALUES (?1, 'trn_' || ?1, 1, 'agt_1', 1, ?2, ?3, 0, ?4)",
                    params![seq, status, tx.now(), (status == "done").then_some(tx.now())],
                )?;
                for (n, step) in (0i64..).zip([
                    ledger::Step::Call {
                        text: String::new(),
                        calls: vec![crate::connector::ToolCall { id: "c".into(), name: "knowledge_search".into(), arguments: "{\"query\":\"a secret of a customer\"}".into() }],
                    },
                    ledger::Step::Result { call_id: "c".into(), name: "knowledge_search".into(), content: "long".repeat(1000) },
                    ledger::Step::Said { text: "Temos bolo.".into() },
                ]) {
                    tx.execute(
                        "INSERT INTO turn_step (turn, n, kind, at, body) VALUES (?1, ?2, 'said', 0, ?3)",
                        params![seq, n, serde_json::to_string(&step).unwrap()],
                    )?;
                }
            }
            tx.execute("INSERT INTO unanswered (conversation, question, at) VALUES ('cnv_1', 'do you ship?', ?1)", [tx.now()])?;
            Ok(())
        })
        .await
        .unwrap();
    let stop = CancellationToken::new();
    round(&hub, &stop).await.unwrap();
    assert_eq!(count(&hub, "SELECT count(*) FROM turn_step").await, 6, "a month has not passed");
    clock.advance(Duration::from_secs(31 * 86_400));
    round(&hub, &stop).await.unwrap();
    assert_eq!(count(&hub, "SELECT count(*) FROM turn_step WHERE turn = 1").await, 0);
    assert_eq!(
        count(&hub, "SELECT count(*) FROM turn_step WHERE turn = 2").await,
        3,
        "one that has not ended keeps what it needs to go on"
    );
    let turn = crate::api::dispatch(&hub, "get_turn", serde_json::json!({ "id": "trn_1" })).await.unwrap();
    assert_eq!(turn["summary"], serde_json::json!({ "said": 1, "tools": ["knowledge_search"] }));
    assert_eq!(count(&hub, "SELECT count(*) FROM unanswered").await, 1, "it may still be taken up");
    clock.advance(Duration::from_secs(180 * 86_400));
    round(&hub, &stop).await.unwrap();
    assert_eq!(count(&hub, "SELECT count(*) FROM unanswered").await, 0);
}
