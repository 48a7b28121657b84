//! Do the built-in answers answer? Questions as customers write them, over the documents of three shops, through the whole path:
//! a file read into passages, the search tool, the built-in model.
//!
//! `answers/tuned.json` is what the search was tuned on. Of `answers/held-out.json` only the figures were ever looked at, not which
//! questions failed; keep it so. A question is answered when the fact stands in the answer with a source, and refused when the
//! answer says that it does not know and cites nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use serde_json::{Value, json};
use shopbell_core::agent::knowledge;
use shopbell_core::agent::tools::{self, Run, ToolContext};
use shopbell_core::clock::SystemClock;
use shopbell_core::connector::{Chunk, Prompt, PromptMessage};
use shopbell_core::id::{AgentId, ConversationId};
use shopbell_core::store::Store;

#[path = "link.rs"]
mod link;

const SHOPS: [(&str, &[&str]); 3] = [
    ("padaria", &["padaria-cardapio.txt", "padaria-bolos.csv"]),
    ("bikeshop", &["bikeshop-guide.md"]),
    ("hotel", &["hotel-guia.md", "hotel-tarifas.csv"]),
];

/// What stands in an answer that owns up.
const OWNS_UP: [&str; 3] = ["I don't know that for sure", "não sei dizer com certeza", "no lo sé con seguridad"];

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("answers")
}

/// A hub that knows one shop's documents.
struct Shop {
    store: Arc<Store>,
    desk: link::Desk,
    _directory: tempfile::TempDir,
}

impl Shop {
    async fn open(files: &'static [&'static str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(directory.path(), Arc::new(SystemClock::new())).expect("a store");
        for file in files {
            let bytes = std::fs::read(folder().join(file)).expect("a document");
            store.write(move |tx| knowledge::add(tx, file, &bytes)).await.expect("it can be read");
        }
        let connector =
            shopbell_connectors::all().into_iter().find(|connector| connector.about().kind == "built-in").expect("it is in the list");
        Self { store, desk: link::Desk::new(connector, json!({})), _directory: directory }
    }

    /// One turn: the model and its tools until it answers. Gives its words, what it cites, and the prompt with them.
    async fn turn(&self, messages: &mut Vec<PromptMessage>) -> (String, usize) {
        loop {
            let prompt = Prompt {
                model: String::new(),
                system: String::new(),
                messages: messages.clone(),
                tools: tools::FIRST.iter().filter_map(|name| tools::find(name)).map(tools::NativeTool::spec).collect(),
                may_call_tools: true,
                temperature: 0.7,
                max_tokens: 1000,
                language: None,
                end_user: "x".into(),
            };
            let model = self.desk.connector.model().expect("a model");
            let mut stream = model.respond(self.desk.link(), &prompt).await.expect("it answers");
            let (mut text, mut calls, mut sources, mut buttons) = (String::new(), Vec::new(), 0, Vec::new());
            while let Some(chunk) = stream.next().await {
                match chunk.expect("it does not fail") {
                    Chunk::Text(piece) => text.push_str(&piece),
                    Chunk::ToolCall(call) => calls.push(call),
                    Chunk::Source(_) => sources += 1,
                    Chunk::Choices(choices) => buttons.extend(choices.into_iter().map(|choice| choice.label)),
                    Chunk::Reasoning(_) | Chunk::Usage(_) | Chunk::Done(_) => {}
                }
            }
            if calls.is_empty() {
                let told = if buttons.is_empty() { text.clone() } else { format!("{text}\n[buttons: {}]", buttons.join(" | ")) };
                messages.push(PromptMessage::Assistant { text: told, calls });
                return (text, sources);
            }
            messages.push(PromptMessage::Assistant { text, calls: calls.clone() });
            for call in calls {
                let content = self.run(&call.name, &call.arguments).await;
                messages.push(PromptMessage::Tool { call_id: call.id, name: call.name, content });
            }
        }
    }

    async fn run(&self, name: &str, arguments: &str) -> String {
        let Some(Run::Read(run)) = tools::find(name).map(|tool| tool.run) else { return json!({ "done": true }).to_string() };
        let arguments = tools::arguments(arguments).expect("the model writes JSON");
        let context = ToolContext {
            conversation: ConversationId::from("cnv_x"),
            agent: AgentId::from("agt_x"),
            turn: None,
            connector: "website".into(),
            language: None,
            now: self.store.clock().now(),
            reports: false,
        };
        let result = self.store.read(move |db| Ok(run(db, &context, arguments))).await.expect("the store reads");
        tools::shown(&result.expect("the search takes what the model asks"))
    }
}

/// What came of the questions of one kind.
#[derive(Default)]
struct Tally {
    answerable: (u32, u32),
    unanswerable: (u32, u32),
    wrong: u32,
    failures: Vec<String>,
}

impl Tally {
    fn answered(&self) -> f64 {
        share(self.answerable)
    }
    fn refused(&self) -> f64 {
        share(self.unanswerable)
    }
}

fn share((good, all): (u32, u32)) -> f64 {
    if all == 0 { 1.0 } else { f64::from(good) / f64::from(all) }
}

async fn evaluate(file: &str, shops: &BTreeMap<&str, Shop>) -> Vec<Tally> {
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(folder().join(file)).expect("the questions")).expect("they are JSON");
    let mut by_language: BTreeMap<String, Tally> = BTreeMap::new();
    for case in &cases {
        let shop = &shops[case["shop"].as_str().expect("a shop")];
        let tally = by_language.entry(case["language"].as_str().expect("a language").to_owned()).or_default();
        let mut messages = Vec::new();
        let mut last = (String::new(), 0);
        for asked in case["ask"].as_array().expect("questions") {
            messages.push(PromptMessage::User { text: asked.as_str().expect("words").to_owned() });
            last = shop.turn(&mut messages).await;
        }
        let (text, sources) = last;
        let good = match case["expect"].as_str() {
            Some(fact) => {
                let good = sources > 0 && text.contains(fact);
                tally.answerable.0 += u32::from(good);
                tally.answerable.1 += 1;
                good
            }
            None => {
                let good = sources == 0 && OWNS_UP.iter().any(|words| text.contains(words));
                tally.unanswerable.0 += u32::from(good);
                tally.unanswerable.1 += 1;
                tally.wrong += u32::from(sources > 0);
                good
            }
        };
        if !good {
            tally.failures.push(format!("{} → {}", case["ask"], text.replace('\n', " / ")));
        }
    }
    for (language, tally) in &by_language {
        println!(
            "{file} {language}: answered {}/{}, honestly refused {}/{}, wrong to unanswerable {}",
            tally.answerable.0, tally.answerable.1, tally.unanswerable.0, tally.unanswerable.1, tally.wrong
        );
        for failure in &tally.failures {
            println!("    {failure}");
        }
    }
    by_language.into_values().collect()
}

fn all(tallies: &[Tally]) -> Tally {
    tallies.iter().fold(Tally::default(), |sum, tally| Tally {
        answerable: (sum.answerable.0 + tally.answerable.0, sum.answerable.1 + tally.answerable.1),
        unanswerable: (sum.unanswerable.0 + tally.unanswerable.0, sum.unanswerable.1 + tally.unanswerable.1),
        wrong: sum.wrong + tally.wrong,
        failures: Vec::new(),
    })
}

#[tokio::test]
async fn the_built_in_answers_answer_and_own_up() {
    let mut shops = BTreeMap::new();
    for (name, files) in SHOPS {
        shops.insert(name, Shop::open(files).await);
    }
    let (mut passed, mut failed) = (0, 0);
    for file in ["tuned.json", "held-out.json"] {
        let tally = all(&evaluate(file, &shops).await);
        println!("{file}: answered {:.0} %, honestly refused {:.0} %", tally.answered() * 100.0, tally.refused() * 100.0);
        passed += tally.answerable.0 + tally.unanswerable.0;
        failed += tally.answerable.1 + tally.unanswerable.1 - tally.answerable.0 - tally.unanswerable.0;
        assert!(tally.answerable.1 + tally.unanswerable.1 >= 60, "{file} has enough questions");
        assert!(tally.unanswerable.1 * 3 >= tally.answerable.1 + tally.unanswerable.1, "a third of {file} cannot be answered");
        assert!(tally.answered() >= 0.9, "{file}: only {:.0} % of what can be answered was", tally.answered() * 100.0);
        assert!(tally.refused() >= 0.9, "{file}: only {:.0} % of what cannot be answered was refused", tally.refused() * 100.0);
        assert!(f64::from(tally.wrong) <= 0.1 * f64::from(tally.unanswerable.1), "{file}: {} wrong answers", tally.wrong);
    }
    println!("{passed} passed, {failed} failed");
}
