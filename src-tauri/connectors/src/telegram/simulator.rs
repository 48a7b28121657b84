//! Telegram's stand-in on loopback, built from the protocol and not from our client.
//!
//! It knows chats only after somebody wrote from them, counts messages per chat, keeps updates until they are confirmed, sends webhooks of
//! one chat one after the other with growing pauses, and refuses what Telegram refuses. One liberty: a webhook on loopback may be plain http.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::response::Response;
use bytes::Bytes;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use shopbell_core::connector::{Fault, Request, Said, SaidWhat, Simulator, Weather};
use shopbell_core::model::MediaKind;
use tokio::sync::Notify;

use self::courier::Courier;
use super::webhook::HEADER;
use crate::loopback::{Loopback, Manners, lock};

mod answers;
mod courier;

/// What stands in the token and must be seen nowhere else.
const CANARY: &str = "AAH0canaryTelegram7hLr2vQp9sXw4nZk1b";
/// The number and name of the bot.
const BOT: i64 = 123_456_789;
const BOT_NAME: &str = "paodourado_bot";
/// The secret of the webhook in [`TelegramSimulator::config`].
const SECRET: &str = "whs-canary-telegram-5t8y2";

/// Starts the simulator.
pub fn start() -> BoxFuture<'static, anyhow::Result<Box<dyn Simulator>>> {
    Box::pin(async { Ok(Box::new(TelegramSimulator::start().await?) as Box<dyn Simulator>) })
}

/// A running simulator.
pub struct TelegramSimulator {
    server: Loopback,
    world: Arc<World>,
    courier: Arc<Courier>,
}

/// What Telegram knows.
#[derive(Default)]
struct World {
    state: Mutex<State>,
    /// Something changed that a waiting poll may want to know.
    news: Notify,
}

#[derive(Default)]
struct State {
    last_update: i64,
    last_message: HashMap<i64, i64>,
    chats: HashMap<i64, String>,
    blocked: HashSet<i64>,
    moved: HashMap<i64, i64>,
    waiting: VecDeque<(i64, Value)>,
    hook: Option<Hook>,
    /// Every message in every chat, as Telegram shows it: both sides.
    messages: Vec<Value>,
    received: Vec<(String, String)>,
    files: HashMap<String, StoredFile>,
    open_presses: HashSet<String>,
    answered_presses: Vec<String>,
    poll: u64,
    poll_refusals: VecDeque<(u16, String, Option<u64>)>,
}

#[derive(Clone)]
struct StoredFile {
    path: String,
    bytes: Bytes,
}

#[derive(Clone)]
struct Hook {
    url: String,
    secret: Option<String>,
    max_connections: u64,
    allowed_updates: Option<Value>,
    last_error: Option<String>,
}

/// How a storm of webhooks went.
#[derive(Debug, Default)]
pub struct Storm {
    /// What was said, in order per thread: (thread, text).
    pub said: Vec<(String, String)>,
    /// How many requests it took.
    pub attempts: usize,
}

impl TelegramSimulator {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start() -> anyhow::Result<Self> {
        let world = Arc::new(World::default());
        lock(&world.state).last_update = 870_000;
        let router = Router::new().fallback(answers::answer).with_state(world.clone());
        let manners = Manners {
            shown: |path| path.replace(&token(), "•••"),
            may_fail: |path| !path.to_lowercase().ends_with("/getupdates"),
            fetches: |path| path.starts_with("/file/bot"),
            refusal,
        };
        Ok(Self { server: Loopback::start(router, manners).await?, courier: Courier::new(world.clone()), world })
    }

    /// The pause before the first repetition of a webhook that failed (a second at Telegram); each further one is twice as long.
    pub fn set_first_pause(&self, pause: Duration) {
        self.courier.set_first_pause(pause);
    }

    /// Refuses the next poll with this code and these words.
    pub fn refuse_poll(&self, code: u16, words: &str, retry_after: Option<u64>) {
        lock(&self.world.state).poll_refusals.push_back((code, words.to_owned(), retry_after));
        self.world.news.notify_waiters();
    }

    /// Sends all of `said` to `hook` as Telegram would: chats side by side, each chat in order, repeated until there is a 2xx, and every
    /// `twice`-th of them once more although it was taken (0 = none). Returns when all are taken.
    ///
    /// # Errors
    /// When the simulator is stopped before that.
    pub async fn deliver(&self, hook: &str, said: &[Said], twice: usize) -> anyhow::Result<Storm> {
        let before = self.courier.attempts();
        let mut taken = Vec::with_capacity(said.len());
        for (index, said) in said.iter().enumerate() {
            let (chat, update) = self.compose(said);
            taken.push(self.courier.enqueue(hook, Some(SECRET), chat, update.clone()));
            if twice > 0 && index % twice == twice - 1 {
                taken.push(self.courier.enqueue(hook, Some(SECRET), chat, update));
            }
        }
        for taken in taken {
            taken.await?;
        }
        let said = said.iter().map(|said| (chat_of(said).to_string(), said.text.clone())).collect();
        Ok(Storm { said, attempts: self.courier.attempts() - before })
    }

    /// The customer presses the button `label` on the newest message that has it.
    ///
    /// # Errors
    /// When no message in the chat has such a button, or the hook cannot be reached.
    pub async fn press(&self, thread: &str, label: &str) -> anyhow::Result<()> {
        let chat: i64 = thread.parse()?;
        let update = lock(&self.world.state).press(chat, label)?;
        self.put(chat, update, None).await
    }

    /// The customer sends a file: `kind` is the field of the message ("photo", "voice", "document", …).
    ///
    /// # Errors
    /// When the hook cannot be reached.
    pub async fn send_file(&self, said: &Said, kind: &str, name: &str, mime: &str, bytes: Bytes) -> anyhow::Result<()> {
        let chat = chat_of(said);
        let update = lock(&self.world.state).file(chat, said, kind, (name, mime), bytes);
        self.put(chat, update, None).await
    }

    /// The customer changes message number `message`.
    ///
    /// # Errors
    /// When the hook cannot be reached.
    pub async fn edit(&self, thread: &str, message: i64, text: &str) -> anyhow::Result<()> {
        let chat: i64 = thread.parse()?;
        let update = lock(&self.world.state).edit(chat, message, text);
        self.put(chat, update, None).await
    }

    /// The customer blocks the bot (or lets it in again).
    ///
    /// # Errors
    /// When the hook cannot be reached.
    pub async fn block(&self, thread: &str, blocked: bool) -> anyhow::Result<()> {
        let chat: i64 = thread.parse()?;
        let update = lock(&self.world.state).block(chat, blocked);
        self.put(chat, update, None).await
    }

    /// The group gets a new number; sends to the old one are refused with it.
    pub fn migrate(&self, from: &str, to: i64) {
        let mut state = lock(&self.world.state);
        if let Ok(from) = from.parse() {
            state.moved.insert(from, to);
        }
        state.chats.insert(to, "group".into());
    }

    /// The presses of buttons that were answered, in order.
    pub fn answered_presses(&self) -> Vec<String> {
        lock(&self.world.state).answered_presses.clone()
    }

    /// Every message of every chat, as Telegram keeps it.
    pub fn messages(&self) -> Vec<Value> {
        lock(&self.world.state).messages.clone()
    }

    /// What was said as an update, with its chat. What Telegram has no update for in this play is said in words.
    fn compose(&self, said: &Said) -> (i64, Value) {
        let chat = chat_of(said);
        let mut state = lock(&self.world.state);
        let update = match &said.what {
            SaidWhat::File { kind, bytes, mime, filename } => {
                let field = match kind {
                    MediaKind::Image => "photo",
                    MediaKind::Audio => "audio",
                    MediaKind::Voice => "voice",
                    MediaKind::Video => "video",
                    MediaKind::Document | MediaKind::Sticker => "document",
                };
                state.file(chat, said, field, (filename.as_deref().unwrap_or("file"), mime), bytes.clone())
            }
            SaidWhat::Location { latitude, longitude } => {
                let mut update = state.message(chat, said);
                let message = update["message"].as_object_mut().expect("it was made as an object");
                message.remove("text");
                message.insert("location".into(), json!({ "latitude": latitude, "longitude": longitude }));
                update
            }
            SaidWhat::Edit { target } => {
                let message = target.rsplit(':').next().and_then(|number| number.parse().ok()).unwrap_or_default();
                state.edit(chat, message, &said.text)
            }
            SaidWhat::Text
            | SaidWhat::Card { .. }
            | SaidWhat::Reaction { .. }
            | SaidWhat::Reply { .. }
            | SaidWhat::Press { .. }
            | SaidWhat::Delete { .. }
            | SaidWhat::Forwarded
            | SaidWhat::FromAd { .. }
            | SaidWhat::Unsupported
            | SaidWhat::Echo => state.message(chat, said),
        };
        (chat, update)
    }

    /// Hands an update to whoever receives them: `hook`, the registered webhook, or the next poll.
    async fn put(&self, chat: i64, update: Value, hook: Option<&str>) -> anyhow::Result<()> {
        let registered = lock(&self.world.state).hook.clone();
        match (hook, registered) {
            (Some(hook), registered) => {
                let secret = registered.and_then(|hook| hook.secret).unwrap_or_else(|| SECRET.to_owned());
                let taken = self.courier.enqueue(hook, Some(&secret), chat, update);
                tokio::time::timeout(Duration::from_secs(60), taken).await??;
            }
            (None, Some(hook)) => {
                drop(self.courier.enqueue(&hook.url, hook.secret.as_deref(), chat, update));
            }
            (None, None) => {
                let id = update["update_id"].as_i64().unwrap_or_default();
                lock(&self.world.state).waiting.push_back((id, update));
                self.world.news.notify_waiters();
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Simulator for TelegramSimulator {
    fn config(&self) -> Value {
        json!({ "bot_token": token(), "webhook_secret": SECRET, "base_url": self.server.base_url() })
    }

    fn canary(&self) -> String {
        CANARY.to_owned()
    }

    fn journal(&self) -> Vec<Value> {
        self.server.journal()
    }

    fn fault(&self, fault: Fault, times: u32) {
        self.server.fault(&fault, times);
    }

    fn set_weather(&self, weather: &Weather) {
        self.server.set_weather(weather);
    }

    fn signed(&self, said: &Said) -> Vec<Request> {
        let (_, update) = self.compose(said);
        vec![Request {
            method: "POST".into(),
            path: String::new(),
            query: String::new(),
            headers: vec![("content-type".into(), "application/json".into()), (HEADER.into(), SECRET.into())],
            body: update.to_string().into(),
            url: "https://shop.example/hooks/key".into(),
        }]
    }

    async fn say(&self, said: &Said, hook: Option<&str>) -> anyhow::Result<()> {
        let (chat, update) = self.compose(said);
        self.put(chat, update, hook).await
    }

    fn received(&self) -> Vec<(String, String)> {
        lock(&self.world.state).received.clone()
    }
}

fn token() -> String {
    format!("{BOT}:{CANARY}")
}

/// A chat's number; a word becomes one.
fn chat_of(said: &Said) -> i64 {
    said.thread.parse().unwrap_or_else(|_| {
        let sum = said.thread.bytes().fold(5381_i64, |sum, byte| (sum * 33 + i64::from(byte)) % 1_000_000_007);
        5_000_000_000 + sum
    })
}

fn refusal(fault: &Fault) -> Response {
    match fault {
        Fault::RateLimit(pause) => {
            let seconds = pause.as_secs().max(1);
            answers::refuse(429, &format!("Too Many Requests: retry after {seconds}"), json!({ "retry_after": seconds }))
        }
        Fault::Unauthorized => answers::refuse(401, "Unauthorized", Value::Null),
        Fault::Refuse(words) => answers::refuse(400, &format!("Bad Request: {words}"), Value::Null),
        Fault::Code(code) => answers::refuse(u16::try_from(*code).unwrap_or(400), "Bad Request: refused", Value::Null),
        Fault::MediaGone => answers::refuse(400, "Bad Request: wrong file_id or the file is temporarily unavailable", Value::Null),
        Fault::ServerError | Fault::CutAfter | Fault::CutBefore | Fault::Slow(_) => answers::refuse(500, "Internal Server Error", Value::Null),
    }
}

impl State {
    fn next_update(&mut self) -> i64 {
        self.last_update += 1;
        self.last_update
    }

    fn next_message(&mut self, chat: i64) -> i64 {
        let last = self.last_message.entry(chat).or_insert(0);
        *last += 1;
        *last
    }

    /// Whole seconds, as Telegram counts; the simulator's own calendar begins at a fixed day, so that snapshots stay.
    fn date(&self) -> i64 {
        1_763_650_000 + (self.last_update - 870_000)
    }

    fn person(chat: i64, name: &str) -> Value {
        json!({ "id": chat.abs(), "is_bot": false, "first_name": name, "username": name.to_lowercase(), "language_code": "pt-br" })
    }

    fn chat(&self, chat: i64) -> Value {
        let name = self.chats.get(&chat).cloned().unwrap_or_default();
        if chat < 0 { json!({ "id": chat, "type": "group", "title": name }) } else { json!({ "id": chat, "type": "private", "first_name": name }) }
    }

    fn base(&mut self, chat: i64, name: &str) -> Value {
        self.chats.insert(chat, name.to_owned());
        let id = self.next_message(chat);
        json!({ "message_id": id, "from": Self::person(chat, name), "chat": self.chat(chat), "date": self.date() })
    }

    fn message(&mut self, chat: i64, said: &Said) -> Value {
        let id = self.next_update();
        let mut message = self.base(chat, &said.name);
        message["text"] = said.text.clone().into();
        self.messages.push(message.clone());
        json!({ "update_id": id, "message": message })
    }

    fn file(&mut self, chat: i64, said: &Said, kind: &str, (name, mime): (&str, &str), bytes: Bytes) -> Value {
        let id = self.next_update();
        let mut message = self.base(chat, &said.name);
        let file_id = format!("file-{id}");
        let path = format!("{kind}s/file_{id}");
        let mut file = json!({ "file_id": file_id, "file_unique_id": format!("u{id}"), "file_size": bytes.len() });
        if kind == "photo" {
            file["width"] = 1280.into();
            file["height"] = 960.into();
            let small = json!({ "file_id": "small", "file_unique_id": "s", "width": 90, "height": 67, "file_size": 1253 });
            message["photo"] = json!([small, file]);
        } else {
            file["file_name"] = name.into();
            file["mime_type"] = mime.into();
            message[kind] = file;
        }
        if !said.text.is_empty() {
            message["caption"] = said.text.clone().into();
        }
        self.files.insert(file_id, StoredFile { path, bytes });
        self.messages.push(message.clone());
        json!({ "update_id": id, "message": message })
    }

    fn edit(&mut self, chat: i64, message: i64, text: &str) -> Value {
        let id = self.next_update();
        let name = self.chats.get(&chat).cloned().unwrap_or_default();
        json!({ "update_id": id, "edited_message": {
            "message_id": message, "from": Self::person(chat, &name), "chat": self.chat(chat), "date": self.date() - 60, "edit_date": self.date(),
            "text": text,
        }})
    }

    fn block(&mut self, chat: i64, blocked: bool) -> Value {
        let id = self.next_update();
        if blocked {
            self.blocked.insert(chat);
        } else {
            self.blocked.remove(&chat);
        }
        let status = |status| json!({ "status": status, "user": { "id": BOT, "is_bot": true } });
        let (old, new) = if blocked { ("member", "kicked") } else { ("kicked", "member") };
        json!({ "update_id": id, "my_chat_member": {
            "chat": self.chat(chat), "from": Self::person(chat, ""), "date": self.date(), "old_chat_member": status(old), "new_chat_member": status(new),
        }})
    }

    fn press(&mut self, chat: i64, label: &str) -> anyhow::Result<Value> {
        let found = self.messages.iter().rev().filter(|message| message["chat"]["id"] == chat).find_map(|message| {
            let rows = message["reply_markup"]["inline_keyboard"].as_array()?;
            let button = rows.iter().filter_map(Value::as_array).flatten().find(|button| button["text"] == label)?;
            Some((message.clone(), button["callback_data"].clone()))
        });
        let Some((message, data)) = found else { anyhow::bail!("no message in chat {chat} has a button {label}") };
        let id = self.next_update();
        let press = format!("438{id}");
        self.open_presses.insert(press.clone());
        let name = self.chats.get(&chat).cloned().unwrap_or_default();
        Ok(json!({ "update_id": id, "callback_query": {
            "id": press, "from": Self::person(chat, &name), "message": message, "chat_instance": "-1", "data": data,
        }}))
    }
}
