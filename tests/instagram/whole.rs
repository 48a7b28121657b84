//! Through a whole hub.

use base64::Engine;
use shopbell_core::connector::{Fault, Request};
use shopbell_core::model::MediaKind;
use shopbell_tests::hub::TestHub;

use super::*;

struct Shop {
    desk: TestHub,
    simulator: InstagramSimulator,
    reader: Desk,
}

async fn shop() -> Shop {
    let (simulator, reader) = start().await;
    let desk = TestHub::with(Vec::new()).await;
    // Only people and Instagram speak here.
    for agent in desk.ask("list_agents", json!({})).await["items"].as_array().unwrap() {
        desk.ask("delete_agent", json!({ "id": agent["id"] })).await;
    }
    desk.connect("instagram", simulator.config()).await;
    Shop { desk, simulator, reader }
}

impl Shop {
    async fn take(&self, requests: Vec<Request>) {
        self.desk.take("instagram", requests).await;
        self.desk.settled().await;
    }

    async fn hear(&self, said: &Said) {
        self.take(self.simulator.signed(said)).await;
    }

    async fn conversation(&self) -> Value {
        self.desk.conversation().await.unwrap()
    }

    async fn reply(&self, content: Value) {
        let conversation = self.conversation().await["id"].clone();
        self.desk.ask("send_reply", json!({ "conversation": conversation, "content": content })).await;
        self.desk.settled().await;
    }

    async fn upload(&self, name: &str, bytes: &[u8]) -> Value {
        let base64 = base64::engine::general_purpose::STANDARD.encode(bytes);
        self.desk.ask("upload_media", json!({ "name": name, "base64": base64 })).await["id"].clone()
    }
}

#[tokio::test]
async fn repeats_and_disorder_leave_each_message_once() {
    let shop = shop().await;
    let requests: Vec<Request> =
        (0..30).flat_map(|n| shop.simulator.signed(&said(&format!("{}", 5551 + n % 3), &format!("{n}")))).collect();
    let mut disordered = requests.clone();
    disordered.reverse();
    disordered.extend(requests);
    shop.take(disordered).await;
    assert_eq!(shop.desk.count("SELECT count(*) FROM message WHERE direction = 'in'").await, 30);
    assert_eq!(shop.desk.count("SELECT count(*) FROM conversation").await, 3);
}

#[tokio::test]
async fn what_was_taken_back_before_it_came_is_never_shown() {
    let shop = shop().await;
    let late = shop.simulator.signed(&said("5551", "segredo"));
    let Event::Message(read) = shop.reader.read(&late[0]).remove(0) else { panic!() };
    shop.take(shop.simulator.signed(&says(SaidWhat::Delete { target: read.external_id }, ""))).await;
    shop.take(late).await;
    assert_eq!(shop.desk.count("SELECT count(*) FROM message WHERE deleted_at IS NOT NULL").await, 1);
}

#[tokio::test]
async fn our_own_echo_is_ours_and_the_phones_takes_the_conversation_over() {
    let shop = shop().await;
    shop.hear(&said("5551", "oi")).await;
    shop.reply(json!([{ "type": "text", "text": "olá" }])).await;
    assert_eq!(shop.simulator.received().len(), 1);
    // As Instagram tells of it: the echo of what we sent.
    shop.take(shop.simulator.echoes()).await;
    assert_eq!(shop.desk.count("SELECT count(*) FROM message WHERE direction = 'out'").await, 1, "the echo is the message itself");
    shop.hear(&says(SaidWhat::Echo, "aqui é a Júlia")).await;
    let talk = shop.desk.talk().await;
    assert!(talk.contains(&("out".into(), "person".into(), "aqui é a Júlia".into())), "{talk:?}");
    assert_eq!(shop.conversation().await["owner"]["type"], "person");
}

#[tokio::test]
async fn an_echo_settles_a_message_whose_answer_was_lost() {
    let shop = shop().await;
    shop.hear(&said("5551", "oi")).await;
    // The customer's name is asked for meanwhile, and must not meet the fault that is meant for the reply.
    shop.desk.until("the customer's name was asked for", async |_| !shop.simulator.journal().is_empty()).await;
    shop.simulator.fault(Fault::CutAfter, 1);
    // Nor can it be asked what became of it: only the echo tells.
    shop.simulator.fault(Fault::ServerError, 5);
    shop.reply(json!([{ "type": "text", "text": "**olá**" }])).await;
    assert_eq!(shop.desk.count("SELECT count(*) FROM delivery WHERE status = 'unconfirmed'").await, 1);
    shop.take(shop.simulator.echoes()).await;
    assert_eq!(shop.desk.count("SELECT count(*) FROM delivery WHERE status = 'sent'").await, 1);
    assert_eq!(shop.desk.count("SELECT count(*) FROM message WHERE direction = 'out'").await, 1);
    assert_eq!(shop.simulator.received().len(), 1, "never sent again");
}

#[tokio::test]
async fn words_beside_a_file_become_a_message_of_their_own() {
    let shop = shop().await;
    shop.hear(&said("5551", "oi")).await;
    shop.desk.hub.media.reached_at("https://shop.example".into());
    let png = shop.upload("bolo.png", b"\x89PNG\r\n\x1a\n0000000000000000").await;
    shop.reply(json!([{ "type": "media", "kind": "image", "media": png, "caption": "oi", "mime": "image/png" }])).await;
    let contents: Vec<String> = shop
        .desk
        .hub
        .store
        .read(|db| {
            let mut statement = db.prepare("SELECT content FROM message WHERE direction = 'out' ORDER BY seq")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
        .unwrap();
    assert_eq!(contents.len(), 2, "{contents:?}");
    assert!(!contents[0].contains("caption") && contents[1].contains("\"oi\""), "{contents:?}");
}

#[tokio::test]
async fn a_shared_film_is_a_film_although_nobody_said_so() {
    let shop = shop().await;
    // Instagram says "image" of a story whatever it is.
    let film = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom".to_vec();
    shop.hear(&says(SaidWhat::File { kind: MediaKind::Image, bytes: film.into(), mime: "video/mp4".into(), filename: None }, "")).await;
    shop.desk.until("the film is here", async |desk| desk.count("SELECT count(*) FROM media WHERE status = 'stored'").await == 1).await;
    let conversation = shop.conversation().await["id"].clone();
    let page = shop.desk.ask("list_messages", json!({ "conversation": conversation })).await;
    assert_eq!((&page["items"][0]["content"][0]["kind"], &page["items"][0]["content"][0]["mime"]), (&json!("video"), &json!("video/mp4")));
}

#[tokio::test]
async fn a_customer_without_a_name_is_asked_about_once() {
    let shop = shop().await;
    shop.hear(&said("5551", "oi")).await;
    shop.desk.until("the name is known", async |desk| desk.count("SELECT count(*) FROM contact WHERE name = 'Ana'").await == 1).await;
    assert_eq!(shop.desk.count("SELECT count(*) FROM address WHERE label = '@ana'").await, 1);
    assert_eq!(shop.conversation().await["contact"]["name"], "Ana");
    shop.hear(&said("5551", "tem bolo?")).await;
    let asked = || shop.simulator.journal().iter().filter(|call| call["path"] == "/v25.0/5551").count();
    assert_eq!(asked(), 1, "who is known is not asked about");

    // What the service does not tell is not asked again at once.
    for text in ["oi", "tem alguém?"] {
        let mut stranger = said("5552", text);
        stranger.name = String::new();
        shop.hear(&stranger).await;
    }
    let asked = || shop.simulator.journal().iter().filter(|call| call["path"] == "/v25.0/5552").count();
    shop.desk.until("it was asked", async |_| asked() == 1).await;
    assert_eq!(shop.desk.count("SELECT count(*) FROM message WHERE direction = 'in'").await, 4, "nothing waits for a name");
}
