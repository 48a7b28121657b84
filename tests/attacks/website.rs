//! The website chat: which pages, which visitor, how much, and nothing lost or doubled.

use std::time::Duration;

use serde_json::{Value, json};
use shopbell_core::id::ConversationId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::{Answer, World, ask};

const LOCAL: &str = "http://localhost:5173";

impl World {
    async fn opens(&self, origin: Option<&str>, body: &Value) -> Answer {
        let headers: Vec<(&str, &str)> = origin.iter().map(|origin| ("origin", *origin)).collect();
        ask(self.public(), "POST", "/widget/v1/sessions", &headers, body.to_string().as_bytes()).await
    }

    /// A new visitor's token.
    pub async fn visitor(&self) -> String {
        let answer = self.opens(Some(LOCAL), &json!({ "key": self.website })).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["session"].as_str().unwrap().to_owned()
    }

    async fn posts(&self, token: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {token}");
        ask(self.public(), "POST", "/widget/v1/messages", &[("authorization", &bearer)], body.to_string().as_bytes()).await
    }

    async fn says(&self, token: &str, n: usize) -> Answer {
        self.posts(token, &json!({ "client_id": format!("c-{n}"), "text": format!("message {n}") })).await
    }

    async fn reads(&self, token: &str, query: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        ask(self.public(), "GET", &format!("/widget/v1/messages{query}"), &[("authorization", &bearer)], b"").await
    }

    /// The shop writes into the only conversation.
    async fn shop_says(&self, text: &str) {
        let conversation: ConversationId = self
            .hub
            .store
            .read(|db| Ok(db.query_row("SELECT id FROM conversation ORDER BY seq DESC LIMIT 1", [], |row| row.get(0))?))
            .await
            .unwrap();
        let request = json!({ "conversation": conversation, "content": [{ "type": "text", "text": text }] });
        let answer = self.command("send_reply", &request.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

fn texts(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let messages = json["messages"].as_array().expect("messages");
    messages.iter().map(|message| message["parts"][0]["text"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn only_allowed_pages_open_a_session() {
    let world = World::new().await;
    let body = json!({ "key": world.website });
    for (origin, status) in [
        (Some(LOCAL), 200),
        (Some("http://127.0.0.1:8000"), 200),
        (Some("http://[::1]:8000"), 200),
        (Some("https://shop.example"), 403),
        (Some("http://localhost.evil.example"), 403),
        (Some("null"), 403),
        (Some("file://"), 403),
        (Some(""), 403),
        (None, 403),
    ] {
        let answer = world.opens(origin, &body).await;
        assert_eq!(answer.status, status, "{origin:?}: {}", answer.body);
        let shared = answer.header("access-control-allow-origin");
        assert_eq!(shared, if status == 200 { origin.unwrap() } else { "" }, "{origin:?}");
        assert!(answer.header("vary").contains("Origin") && !answer.headers.contains_key("access-control-allow-credentials"));
    }
    let own = format!("http://{}", world.public());
    assert_eq!(world.opens(Some(&own), &body).await.status, 200, "our own test page");
    assert_eq!(world.opens(Some(LOCAL), &json!({ "key": "nobody" })).await.json()["error"], "unknown_key");
    assert_eq!(world.opens(Some(LOCAL), &json!({ "key": world.probe })).await.status, 404, "a key of another kind of connection");
    for (origin, status) in [(LOCAL, 204), ("https://evil.example", 403), ("null", 403)] {
        let headers = [("origin", origin), ("access-control-request-method", "POST"), ("access-control-request-headers", "content-type")];
        assert_eq!(ask(world.public(), "OPTIONS", "/widget/v1/sessions", &headers, b"").await.status, status, "{origin}");
    }
    let token = world.visitor().await;
    let bearer = format!("Bearer {token}");
    for path in ["messages", "stream"] {
        let answer = ask(
            world.public(),
            "GET",
            &format!("/widget/v1/{path}"),
            &[("authorization", &bearer), ("origin", "https://evil.example")],
            b"",
        )
        .await;
        assert_eq!(answer.status, 403, "{path} for a foreign page, with the token");
    }
    let app = ask(world.public(), "GET", &format!("/widget/v1/app.html?key={}", world.website), &[], b"").await;
    if app.status == 200 {
        let policy = app.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'self' http://localhost:*") && !policy.contains("unsafe"), "{policy}");
    }
    world.hub.stop().await;
}

#[tokio::test]
async fn the_owners_list_of_websites_replaces_this_computer() {
    let world = World::new().await;
    let id = world.website_id.clone();
    world
        .hub
        .store
        .write(|tx| Ok(tx.execute(r#"UPDATE connection SET config = '{"allowed_origins":["https://shop.example","https://*.wide.example"]}' WHERE connector = 'website'"#, [])?))
        .await
        .unwrap();
    world.hub.reload(&id).await.unwrap();
    for (origin, status) in [
        ("https://shop.example", 200),
        ("https://a.wide.example", 200),
        (LOCAL, 403),
        ("http://shop.example", 403),
        ("https://shop.example:444", 403),
        ("https://wide.example", 403),
    ] {
        assert_eq!(world.opens(Some(origin), &json!({ "key": world.website })).await.status, status, "{origin}");
    }
    world.hub.stop().await;
}

#[tokio::test]
async fn a_message_is_stored_once_and_answered_the_same_twice() {
    let world = World::new().await;
    let token = world.visitor().await;
    let (first, second) = (world.says(&token, 1).await, world.says(&token, 1).await);
    assert_eq!((first.status, second.status), (201, 200), "{}", first.body);
    assert_eq!(first.json(), second.json(), "the same answer");
    let both = futures::future::join_all((0..8).map(|_| world.says(&token, 2))).await;
    assert_eq!(both.iter().filter(|answer| answer.status == 201).count(), 1, "eight at once are one message");
    assert_eq!(world.count("SELECT count(*) FROM message WHERE direction = 'in'").await, 2);
    assert_eq!(texts(&world.reads(&token, "").await), ["message 1", "message 2"]);
    let back = world.opens(Some(LOCAL), &json!({ "key": world.website, "session": token })).await.json();
    assert_eq!(back["session"], token.as_str(), "who comes back is the same visitor");
    assert!(back["conversation_id"].is_string() && back["cursor"].is_string());
    world.hub.stop().await;
}

#[tokio::test]
async fn a_visitor_reads_their_own_conversation_and_no_other() {
    let world = World::new().await;
    let (a, b) = (world.visitor().await, world.visitor().await);
    world.says(&a, 1).await;
    let of_a = world.reads(&a, "").await.json()["cursor"].as_str().unwrap().to_owned();
    assert_eq!(texts(&world.reads(&b, "").await), Vec::<String>::new());
    world.posts(&b, &json!({ "client_id": "c-1", "text": "mine" })).await;
    assert_eq!(texts(&world.reads(&b, "").await), ["mine"], "the same client_id of another visitor is another message");
    assert_eq!(world.reads(&b, &format!("?after={of_a}")).await.status, 409, "a cursor of somebody else");
    for cursor in ["m_1", "0", "%00", "msg_x", "' OR 1=1 --"] {
        assert_eq!(world.reads(&b, &format!("?after={}", cursor.replace(' ', "%20"))).await.status, 409, "{cursor}");
    }
    for token in ["", "x", &"f".repeat(64), &a[..63], &"y".repeat(100_000)] {
        let status = world.reads(token, "").await.status;
        assert!(matches!(status, 401 | 431), "{status}");
    }
    let answer = world.posts(&b, &json!({ "client_id": "c-9", "text": "x", "choice": { "message_id": "msg_x", "option_id": "y" } })).await;
    assert_eq!(answer.status, 400, "a button that was never shown");
    assert_eq!(
        ask(world.public(), "POST", &format!("/hooks/{}", world.website), &[], b"{}").await.status,
        401,
        "nothing comes by the chat's key"
    );
    world.hub.stop().await;
}

#[tokio::test]
async fn wrong_and_huge_messages_are_refused_with_a_word() {
    let world = World::new().await;
    let token = world.visitor().await;
    for (body, status) in [
        (json!({}), 400),
        (json!([]), 400),
        (json!({ "client_id": "a" }), 400),
        (json!({ "client_id": "a", "text": "   " }), 400),
        (json!({ "client_id": "", "text": "x" }), 400),
        (json!({ "client_id": "a b", "text": "x" }), 400),
        (json!({ "client_id": "a:b", "text": "x" }), 400),
        (json!({ "client_id": "a".repeat(65), "text": "x" }), 400),
        (json!({ "client_id": 7, "text": "x" }), 400),
        (json!({ "client_id": "a", "text": ["x"] }), 400),
        (json!({ "client_id": "a", "text": "ã".repeat(4001) }), 413),
        (json!({ "client_id": "a", "text": "x".repeat(100_000) }), 413),
        (json!({ "client_id": "full", "text": "ã".repeat(4000) }), 201),
        (json!({ "client_id": "odd", "text": "\u{202e}<script>\u{0}</script>' OR 1=1" }), 201),
    ] {
        let answer = world.posts(&token, &body).await;
        assert_eq!(answer.status, status, "{:.80} {}", body.to_string(), answer.body);
        if status >= 400 {
            assert!(answer.json()["error"].is_string() && answer.json()["message"].is_string());
        }
    }
    assert_eq!(texts(&world.reads(&token, "").await)[1], "\u{202e}<script>\u{0}</script>' OR 1=1", "kept as it was written");
    let mut slowed = None;
    for n in 0..40 {
        let answer = world.says(&token, n).await;
        if answer.status == 429 {
            slowed = Some(answer);
            break;
        }
    }
    let slowed = slowed.expect("twenty at once, then slower");
    assert_eq!(slowed.json()["error"], "rate_limited");
    assert!(slowed.json()["retry_after"].as_u64() > Some(0) && slowed.header("retry-after").parse::<u32>().is_ok());
    assert_eq!(world.says(&token, 0).await.status, 200, "what is there already is answered all the same");
    world.hub.stop().await;
}

#[tokio::test]
async fn a_restart_loses_nothing_and_doubles_nothing() {
    let world = World::new().await;
    let token = world.visitor().await;
    world.says(&token, 1).await;
    world.shop_says("answer 1").await;
    world.until("SELECT count(*) FROM delivery WHERE status IN ('sent', 'delivered', 'read')", 1).await;
    let first = world.reads(&token, "").await;
    assert_eq!(texts(&first), ["message 1", "answer 1"]);
    let cursor = first.json()["cursor"].as_str().unwrap().to_owned();
    world.until("SELECT count(*) FROM delivery WHERE status = 'delivered'", 1).await;

    let world = world.restarted(Some(crate::world::PASSPHRASE)).await;
    assert_eq!(world.says(&token, 1).await.status, 200, "sent again after the restart: still the same message");
    world.says(&token, 2).await;
    world.shop_says("answer 2").await;
    world.until("SELECT count(*) FROM delivery WHERE status IN ('sent', 'delivered', 'read')", 2).await;
    let rest = world.reads(&token, &format!("?after={cursor}")).await;
    assert_eq!(texts(&rest), ["message 2", "answer 2"], "exactly what is new");
    let end = rest.json()["cursor"].as_str().unwrap().to_owned();
    assert_eq!(texts(&world.reads(&token, &format!("?after={end}")).await), Vec::<String>::new());
    assert_eq!(texts(&world.reads(&token, "").await), ["message 1", "answer 1", "message 2", "answer 2"]);

    let bearer = format!("Bearer {token}");
    let read = json!({ "up_to": end }).to_string();
    assert_eq!(ask(world.public(), "POST", "/widget/v1/read", &[("authorization", &bearer)], read.as_bytes()).await.status, 204);
    assert_eq!(world.count("SELECT count(*) FROM delivery WHERE status = 'read'").await, 2, "the ticks turn");
    world.hub.stop().await;
}

#[tokio::test]
async fn a_long_poll_hears_at_once_and_waits_no_longer_than_asked() {
    let world = World::new().await;
    let token = world.visitor().await;
    world.says(&token, 1).await;
    let cursor = world.reads(&token, "").await.json()["cursor"].as_str().unwrap().to_owned();
    let started = std::time::Instant::now();
    let query = format!("?after={cursor}&wait=20");
    let (answer, ()) = tokio::join!(world.reads(&token, &query), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        world.shop_says("hello").await;
    });
    assert_eq!(texts(&answer), ["hello"]);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let cursor = answer.json()["cursor"].as_str().unwrap().to_owned();
    let empty = world.reads(&token, &format!("?after={cursor}&wait=1")).await;
    assert_eq!((texts(&empty).len(), empty.json()["cursor"].as_str()), (0, Some(cursor.as_str())));
    world.hub.stop().await;
}

#[tokio::test]
async fn a_long_poll_of_a_visitor_who_has_not_written_hears_their_own_first_message_and_no_other() {
    let world = World::new().await;
    let (token, other) = (world.visitor().await, world.visitor().await);
    let started = std::time::Instant::now();
    let (answer, ()) = tokio::join!(world.reads(&token, "?wait=20"), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        world.says(&other, 7).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        // From another window of the same browser.
        world.says(&token, 1).await;
    });
    assert_eq!(texts(&answer), ["message 1"]);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    world.hub.stop().await;
}

/// Reads a stream for as long as `until` is not in it.
async fn streamed(world: &World, token: &str, cursor: Option<&str>, until: &str) -> String {
    let bearer = format!("Bearer {token}");
    let ticket = ask(world.public(), "POST", "/widget/v1/ticket", &[("authorization", &bearer)], b"{}").await.json();
    let ticket = ticket["ticket"].as_str().unwrap();
    let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
    let path = format!("/widget/v1/stream?ticket={ticket}{cursor}");
    let mut socket = tokio::net::TcpStream::connect(world.public()).await.unwrap();
    socket.write_all(format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", world.public()).as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    let mut piece = [0; 4096];
    let reading = async {
        while !String::from_utf8_lossy(&heard).contains(until) {
            let count = socket.read(&mut piece).await.unwrap();
            assert!(count > 0, "the stream ended early: {}", String::from_utf8_lossy(&heard));
            heard.extend_from_slice(&piece[..count]);
        }
    };
    tokio::time::timeout(Duration::from_secs(10), reading).await.unwrap_or_else(|_| panic!("nothing like {until:?} came"));
    let again = ask(world.public(), "GET", &path, &[], b"").await;
    assert_eq!(again.status, 401, "a ticket is for one stream");
    String::from_utf8_lossy(&heard).into_owned()
}

fn ids(stream: &str) -> Vec<String> {
    stream.lines().filter_map(|line| line.strip_prefix("id: ")).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_stream_brings_what_was_missed_then_what_happens_and_goes_on_where_it_was_cut() {
    let world = World::new().await;
    let token = world.visitor().await;
    let (stream, ()) = tokio::join!(streamed(&world, &token, None, "answer 1"), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        world.says(&token, 1).await;
        world.shop_says("answer 1").await;
    });
    assert!(stream.contains("retry: 3000") && stream.contains("event: status") && stream.contains("x-accel-buffering: no"), "{stream}");
    let seen = ids(&stream);
    assert_eq!(seen.len(), 2, "the visitor's own and the answer: {stream}");
    for n in 2..5 {
        world.says(&token, n).await;
    }
    world.shop_says("answer 2").await;
    let stream = streamed(&world, &token, seen.last().map(String::as_str), "answer 2").await;
    assert_eq!(stream.matches("event: message").count(), 4, "exactly what was missed: {stream}");
    assert!(!stream.contains("answer 1"), "{stream}");
    world.hub.stop().await;
}

/// Opens a stream and waits for its first bytes.
async fn open_stream(world: &World, token: &str) -> tokio::net::TcpStream {
    let mut socket = tokio::net::TcpStream::connect(world.public()).await.unwrap();
    let head = format!("GET /widget/v1/stream HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\r\n", world.public());
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut piece = [0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(5), socket.read(&mut piece)).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&piece[..read]).starts_with("HTTP/1.1 200"), "{}", String::from_utf8_lossy(&piece[..read]));
    socket
}

/// Whether the stream ends within a moment.
async fn has_ended(socket: &mut tokio::net::TcpStream) -> bool {
    let mut piece = [0; 4096];
    let ending = async {
        loop {
            let read = socket.read(&mut piece).await.unwrap_or(0);
            if read == 0 || piece[..read].ends_with(b"0\r\n\r\n") {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_millis(700), ending).await.is_ok()
}

#[tokio::test]
async fn a_visitor_holds_six_streams_and_the_oldest_ends_for_the_seventh() {
    let world = World::new().await;
    let (token, other) = (world.visitor().await, world.visitor().await);
    let mut of_other = open_stream(&world, &other).await;
    let mut streams = Vec::new();
    for _ in 0..7 {
        streams.push(open_stream(&world, &token).await);
    }
    assert!(has_ended(&mut streams[0]).await, "the oldest one");
    for stream in &mut streams[1..] {
        assert!(!has_ended(stream).await, "the newest six stay");
    }
    assert!(!has_ended(&mut of_other).await, "another visitor is not concerned");
    world.hub.stop().await;
}

#[tokio::test]
async fn tickets_and_returning_sessions_have_their_pace() {
    let world = World::new().await;
    let (token, other) = (world.visitor().await, world.visitor().await);
    let bearer = format!("Bearer {token}");
    let mut tickets = Vec::new();
    let mut returns = Vec::new();
    for _ in 0..40 {
        tickets.push(ask(world.public(), "POST", "/widget/v1/ticket", &[("authorization", &bearer)], b"{}").await);
        returns.push(world.opens(Some(LOCAL), &json!({ "key": world.website, "session": token })).await);
    }
    for (what, answers) in [("tickets", tickets), ("returns", returns)] {
        let passed = answers.iter().filter(|answer| answer.status == 200).count();
        assert!((20..30).contains(&passed), "{what}: {passed} of 40 passed");
        let slowed = answers.iter().find(|answer| answer.status == 429).unwrap();
        assert_eq!(slowed.json()["error"], "rate_limited");
        assert!(slowed.header("retry-after").parse::<u32>().is_ok());
    }
    assert_eq!(world.says(&token, 1).await.status, 201, "who was slowed may still write");
    assert_eq!(world.opens(Some(LOCAL), &json!({ "key": world.website, "session": other })).await.status, 200, "and others are not slowed");
    world.hub.stop().await;
}

#[tokio::test]
async fn a_chat_with_an_address_of_its_own_answers_there_and_nowhere_else() {
    let world = World::new().await;
    let body = json!({ "key": world.website }).to_string();
    let from = |host: &'static str| {
        let (address, body) = (world.public(), body.clone());
        async move { ask(address, "POST", "/widget/v1/sessions", &[("host", host), ("origin", LOCAL)], body.as_bytes()).await.status }
    };
    assert_eq!(from("chat.shop.example").await, 404, "an address that nobody typed");
    let request = json!({ "id": world.website_id, "config": { "base_url": "https://chat.shop.example/" } });
    assert_eq!(world.command("update_connection", &request.to_string()).await.status, 200);
    assert_eq!(from("chat.shop.example").await, 200);
    assert_eq!(from("chat.shop.example.evil.example").await, 404);
    let snippet = world.command("website_snippet", &json!({ "id": world.website_id }).to_string()).await;
    if snippet.status == 200 {
        let line = snippet.json()["snippet"].as_str().unwrap().to_owned();
        assert!(line.contains("https://chat.shop.example") && !line.contains(&world.public().to_string()), "{line}");
    }
    world.hub.stop().await;
}
