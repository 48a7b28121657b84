//! Files through the whole hub, on a channel that takes few kinds of them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::voice::is_voice_note;
use super::voice::tests::files::{sine, wav};
use super::*;
use crate::api::dispatch;

mod again;
mod parrot;

use parrot::{aviary, squawk, told};

async fn uploaded(hub: &Arc<Hub>, name: &str, bytes: &[u8]) -> Value {
    dispatch(hub, "upload_media", json!({ "name": name, "base64": STANDARD.encode(bytes) })).await.unwrap()
}

async fn sent(hub: &Arc<Hub>, kind: &str, id: &Value, key: &str) -> Result<Value> {
    let content = json!([{ "type": "media", "kind": kind, "media": id }]);
    dispatch(hub, "send_reply", json!({ "conversation": "cnv_1", "content": content, "client_key": key })).await
}

/// Waits until the row says what is hoped for, and shows it.
async fn until(hub: &Arc<Hub>, sql: &'static str) -> (String, Option<String>, Option<Vec<u8>>) {
    for _ in 0..400 {
        let row = hub
            .store
            .read(move |db| {
                let sql = format!("SELECT status, reason, wave FROM media WHERE {sql}");
                Ok(db.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?)
            })
            .await
            .unwrap();
        if let Some(row) = row {
            return row;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it never came to: {sql}");
}

async fn first_part(hub: &Arc<Hub>) -> Value {
    dispatch(hub, "list_messages", json!({ "conversation": "cnv_1" })).await.unwrap()["items"][0]["content"][0].clone()
}

#[tokio::test]
async fn a_voice_message_of_another_type_is_converted_before_it_is_queued() {
    let (hub, _, _directory) = aviary().await;
    // As it was chosen it is larger than the channel takes: what counts is what is sent.
    let file = wav(&sine(440.0, 44_100, 1.0), 44_100, 2, 16, false);
    assert!(file.len() > 40_000);
    let chosen = uploaded(&hub, "recado.wav", &file).await;
    assert_eq!((&chosen["kind"], &chosen["mime"]), (&json!("audio"), &json!("audio/wav")));
    let message = sent(&hub, "voice", &chosen["id"], "k").await.unwrap();
    let part = &message["content"][0];
    assert_eq!((&part["mime"], &part["filename"], &part["duration_ms"]), (&json!("audio/ogg"), &json!("recado.ogg"), &json!(1000)));
    assert_eq!(part["wave"].as_array().unwrap().len(), 64);
    assert_ne!(part["media"], chosen["id"]);
    let stored = hub.media.read(&MediaId::from(part["media"].as_str().unwrap())).await.unwrap();
    assert!(is_voice_note(&stored.bytes));
    assert_eq!(part["bytes"], json!(stored.bytes.len()));

    let files = "SELECT count(*) FROM media";
    let count =
        |hub: Arc<Hub>| async move { hub.store.read(move |db| Ok(db.query_row(files, [], |row| row.get::<_, i64>(0))?)).await.unwrap() };
    let before = count(hub.clone()).await;
    assert_eq!(sent(&hub, "voice", &chosen["id"], "k").await.unwrap()["id"], message["id"], "the same reply twice is sent once");
    assert_eq!(count(hub.clone()).await, before, "and converted once");
}

#[tokio::test]
async fn a_sound_that_the_channel_takes_goes_as_it_is_and_is_drawn_all_the_same() {
    let (hub, _, _directory) = aviary().await;
    let chosen = uploaded(&hub, "a.wav", &squawk()).await;
    let part = sent(&hub, "audio", &chosen["id"], "k").await.unwrap()["content"][0].clone();
    assert_eq!((&part["media"], &part["mime"], &part["duration_ms"]), (&chosen["id"], &json!("audio/wav"), &json!(500)));
    assert_eq!(part["wave"].as_array().unwrap().len(), 64);
    // Where the channel knows no WAV but M4A, and the file is an Ogg.
    let note = sent(&hub, "voice", &chosen["id"], "k2").await.unwrap()["content"][0]["media"].clone();
    let part = sent(&hub, "audio", &note, "k3").await.unwrap()["content"][0].clone();
    assert_eq!((&part["mime"], &part["filename"]), (&json!("audio/mp4"), &json!("a.m4a")));
}

#[tokio::test]
async fn what_cannot_be_converted_or_is_not_taken_is_refused_by_field_and_nothing_is_sent() {
    let (hub, _, _directory) = aviary().await;
    let refused = async |kind: &str, name: &str, bytes: &[u8]| {
        let id = uploaded(&hub, name, bytes).await["id"].clone();
        let error = sent(&hub, kind, &id, name).await.unwrap_err();
        assert_eq!(error.fields[0].0, "content.0", "{error:?}");
        error.message.to_string()
    };
    let damaged = b"RIFF\x04\0\0\0WAVE and nothing more";
    assert!(refused("voice", "damaged.wav", damaged).await.starts_with("This sound is damaged"));
    assert!(refused("voice", "old.amr", b"#!AMR\n\x3c\x91\x17\x16\xbe\x66").await.starts_with("Shopbell cannot read this kind of sound"));
    assert_eq!(refused("image", "photo.png", b"%PDF-1.7 not a photo").await, "This file is PDF. This channel takes JPEG, PNG here.");
    assert_eq!(refused("voice", "song.ogg", b"%PDF-1.7").await, "This file is PDF. This channel takes OGG here.");
    assert!(refused("document", "a.pdf", b"%PDF-1.7").await.contains("does not take this kind of file"));
    let long = wav(&sine(440.0, 8_000, 15.0), 8_000, 1, 16, false);
    assert!(refused("voice", "long.wav", &long).await.contains("Make it smaller"), "the size is that of what would be sent");
    let messages = hub.store.read(|db| Ok(db.query_row("SELECT count(*) FROM message", [], |row| row.get::<_, i64>(0))?)).await.unwrap();
    assert_eq!(messages, 0);
}

#[tokio::test]
async fn a_fetched_voice_message_gets_its_length_and_wave() {
    let (hub, asked, _directory) = aviary().await;
    told(&hub, "a sound", Some(squawk())).await;
    let (status, _, wave) = until(&hub, "wave IS NOT NULL").await;
    assert_eq!((status.as_str(), wave.unwrap().len()), ("stored", 64));
    for _ in 0..200 {
        if !first_part(&hub).await["wave"].is_null() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let part = first_part(&hub).await;
    assert_eq!((&part["duration_ms"], &part["mime"]), (&json!(500), &json!("audio/wav")), "what it is, not what was told");
    assert_eq!(part["wave"].as_array().unwrap().len(), 64);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_sound_that_cannot_be_decoded_is_stored_without_a_wave_and_looked_at_once() {
    let (hub, _, _directory) = aviary().await;
    told(&hub, "noise", None).await;
    until(&hub, "status = 'stored' AND unheard = 0").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (status, reason, wave) = until(&hub, "unheard = 0").await;
    assert_eq!((status.as_str(), reason, wave), ("stored", None, None));
}

#[tokio::test]
async fn a_file_that_is_not_the_promised_one_is_fetched_once_more_and_then_failed_with_a_sentence() {
    let (hub, asked, directory) = aviary().await;
    told(&hub, "another file", Some(squawk())).await;
    let (status, reason, _) = until(&hub, "status <> 'wanted'").await;
    assert_eq!(status, "failed");
    assert!(reason.unwrap().starts_with("This file was damaged on its way"));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(std::fs::read_dir(directory.path().join("media")).unwrap().count(), 0, "nothing of it is kept");
}

#[tokio::test]
async fn a_file_that_is_right_the_second_time_is_kept() {
    let (hub, asked, _directory) = aviary().await;
    told(&hub, "right the second time", Some(squawk())).await;
    assert_eq!(until(&hub, "status <> 'wanted'").await.0, "stored");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}
