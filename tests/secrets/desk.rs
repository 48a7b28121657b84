//! The doors of a hub, asked over HTTP; every answer, head and body, is looked through.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::{Value, json};
use shopbell_core::connector::Request;

use crate::hunt::Hunt;

/// One hub, whether in this process or in its own.
#[derive(Clone)]
pub struct Desk {
    pub admin: String,
    pub public: String,
    pub token: String,
    pub client: reqwest::Client,
    pub hunt: Arc<Hunt>,
}

impl Desk {
    /// Asks a command; status and answer.
    pub async fn try_ask(&self, command: &str, request: Value) -> (u16, Value) {
        self.post(command, request.to_string()).await
    }

    /// Asks a command with a body that may be no JSON.
    pub async fn post(&self, command: &str, body: String) -> (u16, Value) {
        let asked = self.client.post(format!("{}/api/v1/{command}", self.admin)).header("content-type", "application/json").body(body);
        let place = format!("the answer of {command}");
        // The one secret that is shown, to be pasted elsewhere: itself and nothing beside it.
        let shown = (command == "reveal_verify_token").then_some("verify_token");
        let (status, text) = self.looked_at(&place, asked, shown).await;
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// Asks a command, and expects an answer.
    pub async fn ask(&self, command: &str, request: Value) -> Value {
        let (status, answer) = self.try_ask(command, request).await;
        assert_eq!(status, 200, "{command}: {answer}");
        answer
    }

    /// Reads something of the admin side.
    pub async fn get(&self, path: &str) -> (u16, String) {
        self.looked_at(path, self.client.get(format!("{}{path}", self.admin)), None).await
    }

    /// Calls a hook as a service does.
    pub async fn call(&self, hook: &str, request: &Request) -> u16 {
        let mut call = self.client.request(request.method.parse().unwrap(), hook).body(request.body.clone());
        for (name, value) in &request.headers {
            call = call.header(name, value);
        }
        self.looked_at("the answer of a hook", call, None).await.0
    }

    async fn looked_at(&self, place: &str, request: reqwest::RequestBuilder, shown: Option<&str>) -> (u16, String) {
        let answer = request.bearer_auth(&self.token).send().await.unwrap();
        let status = answer.status().as_u16();
        self.hunt.look(&format!("the head of {place}"), format!("{:?}", answer.headers()).as_bytes());
        let body = answer.bytes().await.unwrap();
        let mut rest: Value = serde_json::from_slice(&body).unwrap_or_default();
        match shown.and_then(|field| Some((field, rest.as_object_mut()?.remove(field)?))) {
            Some((field, value)) if value.as_str().is_some_and(|value| self.hunt.is_a(field, value)) => {
                self.hunt.look(place, rest.to_string().as_bytes());
            }
            _ => self.hunt.look(place, &body),
        }
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    /// Follows the changes from the first one until `stop` is dropped, and looks through all of it.
    pub fn follow(&self) -> tokio::task::JoinHandle<()> {
        let (desk, request) = (self.clone(), self.client.get(format!("{}/api/v1/changes", self.admin)).bearer_auth(&self.token));
        tokio::spawn(async move {
            let mut stream = request.timeout(Duration::from_secs(300)).send().await.unwrap().bytes_stream();
            let mut seen = Vec::new();
            while let Some(Ok(bytes)) = stream.next().await {
                seen.extend_from_slice(&bytes);
                desk.hunt.look("the stream of changes", &seen);
                // The end stays: a value may be cut in two.
                seen.drain(..seen.len().saturating_sub(4096));
            }
        })
    }

    /// Waits until a list has an item that is right.
    pub async fn until(&self, what: &str, command: &str, request: Value, right: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let list = self.ask(command, request.clone()).await;
            if let Some(item) = list["items"].as_array().unwrap().iter().find(|item| right(item)) {
                return item.clone();
            }
            assert!(started.elapsed() < Duration::from_secs(30), "waited too long until {what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks for everything that can be asked for.
    pub async fn read_everything(&self) {
        for list in [
            "list_connectors",
            "list_connections",
            "list_conversations",
            "list_contacts",
            "list_arrivals",
            "list_refusals",
            "list_deliveries",
            "list_turns",
            "list_agents",
            "list_tools",
            "list_knowledge",
            "list_unanswered",
        ] {
            let page = self.ask(list, json!({})).await;
            let one = match list {
                "list_connections" => "get_connection",
                "list_arrivals" => "get_arrival",
                "list_turns" => "get_turn",
                "list_agents" => "get_agent",
                "list_contacts" => "get_contact",
                "list_conversations" => "get_conversation",
                _ => continue,
            };
            for item in page["items"].as_array().unwrap() {
                let field = if one == "get_conversation" { "conversation" } else { "id" };
                let (status, _) = self.try_ask(one, json!({ field: item["id"] })).await;
                assert!(status == 200 || one == "get_conversation" || one == "get_contact", "{one} answers {status}");
                if one == "get_conversation" {
                    let messages = self.ask("list_messages", json!({ "conversation": item["id"], "limit": 200 })).await;
                    self.read_media(&messages).await;
                }
                if one == "get_connection" {
                    for more in ["webhook_state", "website_snippet", "reveal_verify_token"] {
                        self.try_ask(more, json!({ "id": item["id"] })).await;
                    }
                    self.try_ask("list_models", json!({ "connection": item["id"] })).await;
                }
            }
        }
        for command in ["health", "get_settings", "analytics", "count_conversations", "new_login_link", "no_such_command"] {
            self.try_ask(command, json!({})).await;
        }
        self.try_ask("search", json!({ "query": "canary" })).await;
        assert_eq!(self.get("/api/v1/openapi.json").await.0, 200);
        self.get("/api/v1/no/such/thing").await;
    }

    async fn read_media(&self, messages: &Value) {
        for part in messages["items"].as_array().unwrap().iter().filter_map(|message| message["content"].as_array()).flatten() {
            if let Some(id) = part["media"].as_str() {
                self.get(&format!("/api/v1/media/{id}")).await;
            }
        }
    }
}
