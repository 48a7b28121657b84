//! What the clerk does with what lies on the desk: look up, quote, own up to not knowing, call a person, be kind.

use serde_json::{Value, json};
use shopbell_core::connector::{Chunk, Finish, Prompt, ToolCall};
use shopbell_core::model::{Choice, Source};

use super::desk::{Desk, Looked};
use super::ear::{self, Question, SmallTalk};
use super::phrases::{Language, OFFER, PERSON};
use super::quotes;

const SEARCH: &str = "knowledge_search";
const TRANSFER: &str = "transfer_to_human";
/// How often the clerk looks before giving up, in rounds.
const ROUNDS: usize = 2;

/// One answer, or the calls that it takes.
pub fn respond(prompt: &Prompt) -> Vec<Chunk> {
    let desk = Desk::read(prompt);
    let clerk = Clerk { prompt, language: language(prompt, &desk), desk };
    let answer = clerk.work();
    let mut chunks = Vec::new();
    match answer {
        Answer::Calls(calls) => chunks.extend(calls.into_iter().map(Chunk::ToolCall)),
        Answer::Words { text, sources, offers } => {
            let text = clerk.not_said_yet(&text);
            // Word by word, as a model streams.
            chunks.extend(text.split_inclusive([' ', '\n']).map(|piece| Chunk::Text(piece.to_owned())));
            chunks.extend(sources.into_iter().map(Chunk::Source));
            if offers {
                let label = clerk.language.offer_label().to_owned();
                chunks.push(Chunk::Choices(vec![Choice { id: PERSON.into(), label, url: None, description: None }]));
            }
        }
    }
    chunks.push(Chunk::Done(Finish::Stop));
    chunks
}

/// The language to answer in: of what was just said, of what was said before, of the conversation.
fn language(prompt: &Prompt, desk: &Desk<'_>) -> Language {
    ear::language(&desk.said.join(" "))
        .or_else(|| ear::language(&desk.customer.iter().take(6).copied().collect::<Vec<_>>().join(" ")))
        .or_else(|| prompt.language.as_deref().and_then(Language::of_tag))
        .unwrap_or(Language::English)
}

enum Answer {
    Calls(Vec<ToolCall>),
    Words { text: String, sources: Vec<Source>, offers: bool },
}

struct Clerk<'a> {
    prompt: &'a Prompt,
    desk: Desk<'a>,
    language: Language,
}

impl Clerk<'_> {
    fn work(&self) -> Answer {
        if let Some(result) = self.desk.result_of(TRANSFER) {
            let called = result["done"] == Value::Bool(true) || result["ok"] == Value::Bool(true);
            return words(if called { self.language.called() } else { self.language.cannot_call() });
        }
        if self.desk.looked.iter().any(|looked| looked.call.name == SEARCH) {
            return self.answer();
        }
        let said = self.desk.said.join("\n");
        if self.desk.said.iter().any(|text| ear::wants_person(text)) {
            return self.call_person();
        }
        let talk = ear::small_talk(&said);
        let offered = self.desk.heard.is_some_and(|heard| OFFER.iter().any(|label| heard.contains(label)));
        if offered && talk == Some(SmallTalk::Agreement) {
            return self.call_person();
        }
        if ear::is_asking_what_we_are(&said) {
            return self.offer(self.language.automatic());
        }
        let questions = ear::questions(&self.desk.said);
        if questions.is_empty() {
            return self.chat(talk, &said);
        }
        if !self.may_call(SEARCH) {
            return self.offer(self.language.cannot_look());
        }
        let queries = questions.iter().enumerate().map(|(at, question)| if ear::goes_on(&question.text) { self.with_before(&questions, at) } else { question.text.clone() });
        self.search(queries)
    }

    /// The question together with what was asked before it.
    fn with_before(&self, questions: &[Question], at: usize) -> String {
        let before = match at.checked_sub(1).and_then(|before| questions.get(before)) {
            Some(before) => Some(before.text.clone()),
            None => ear::questions(&self.desk.before).pop().map(|question| question.text),
        };
        let question = &questions[at].text;
        before.map_or_else(|| question.clone(), |before| format!("{before} {question}"))
    }

    fn may_call(&self, tool: &str) -> bool {
        self.prompt.may_call_tools && self.prompt.tools.iter().any(|known| known.name == tool)
    }

    fn search(&self, queries: impl Iterator<Item = String>) -> Answer {
        let taken = self.desk.looked.len();
        let mut asked: Vec<String> = self.desk.looked.iter().filter(|looked| looked.call.name == SEARCH).map(query).collect();
        let mut calls = Vec::new();
        for query in queries {
            if asked.contains(&query) {
                continue;
            }
            let arguments = json!({ "query": query, "top_k": 6 }).to_string();
            calls.push(ToolCall { id: format!("look_{}", taken + calls.len() + 1), name: SEARCH.into(), arguments });
            asked.push(query);
        }
        if calls.is_empty() { self.offer(self.language.unknown()) } else { Answer::Calls(calls) }
    }

    /// From what was looked up: quotations, or once more with other words, or the truth that it is not known.
    fn answer(&self) -> Answer {
        let questions = ear::questions(&self.desk.said);
        let mut parts: Vec<String> = Vec::new();
        let mut sources: Vec<Source> = Vec::new();
        let mut missing: Vec<&Question> = Vec::new();
        let mut again: Vec<String> = Vec::new();
        let failed = self.desk.looked.iter().all(|looked| looked.result.as_ref().is_none_or(|result| result["results"].is_null()));
        let in_pieces = questions.len() > 1 && questions.iter().skip(1).all(|question| !question.marked);
        for (at, question) in questions.iter().enumerate() {
            let together = self.with_before(&questions, at);
            let tried = |wanted: &str| self.desk.looked.iter().find(|looked| query(looked) == wanted);
            let clause = ear::last_clause(&question.text);
            let whole = ear::whole(&self.desk.said).filter(|whole| questions.len() == 1 && *whole != question.text);
            let variants = [
                (Some(question.text.as_str()), false),
                (Some(together.as_str()), true),
                (clause.as_deref(), false),
                (whole.as_deref(), false),
            ];
            let hits = variants
                .into_iter()
                .filter_map(|(wanted, follows)| {
                    let result = tried(wanted?)?.result.as_ref()?;
                    Some(quotes::good(result, &question.text, follows && together != question.text))
                })
                .find(|hits| !hits.is_empty());
            match hits {
                Some(hits) => {
                    let quotation = quotes::written(&hits, self.language);
                    if !parts.contains(&quotation) {
                        parts.push(quotation);
                        sources.extend(hits.iter().map(|hit| quotes::source(hit, self.language)));
                    }
                    if at == 0 && in_pieces {
                        break;
                    }
                }
                None => {
                    // A short question may lean on the one before; one that was asked together may stand alone.
                    let short = ear::words(&question.text).len() <= 5;
                    again.extend(clause.into_iter().chain(whole).filter(|other| tried(other).is_none()));
                    if short && tried(&together).is_none() {
                        again.push(together);
                    } else if tried(&question.text).is_none() {
                        again.push(question.text.clone());
                    }
                    if question.marked || questions.len() == 1 {
                        missing.push(question);
                    }
                }
            }
        }
        if !again.is_empty()
            && self.rounds() < ROUNDS
            && self.may_call(SEARCH)
            && let Answer::Calls(calls) = self.search(again.into_iter())
        {
            return Answer::Calls(calls);
        }
        if parts.is_empty() {
            return self.offer(if failed { self.language.cannot_look() } else { self.language.unknown() });
        }
        let mut text = format!("{}\n\n{}", self.opening(), parts.join("\n\n"));
        if in_pieces || missing.is_empty() {
            return Answer::Words { text, sources, offers: false };
        }
        for question in missing {
            text.push_str("\n\n");
            text.push_str(&self.language.unknown_about().replace("{}", &question.text));
        }
        match self.offer("") {
            Answer::Words { text: offer, offers, .. } => {
                text.push(' ');
                text.push_str(offer.trim());
                Answer::Words { text, sources, offers }
            }
            calls => calls,
        }
    }

    fn rounds(&self) -> usize {
        use shopbell_core::connector::PromptMessage;
        let turn = self.prompt.messages.iter().rposition(|message| matches!(message, PromptMessage::User { .. })).unwrap_or(0);
        self.prompt.messages[turn..].iter().filter(|message| matches!(message, PromptMessage::Assistant { calls, .. } if !calls.is_empty())).count()
    }

    /// The first words of an answer: a greeting is answered with one, once.
    fn opening(&self) -> String {
        let greeted = self.desk.said.iter().any(|text| {
            let first: Vec<String> = ear::words(text).into_iter().take(2).collect();
            ["oi", "oie", "ola", "opa", "hi", "hello", "hey", "hola", "buenas", "buenos", "bom dia", "boa tarde", "boa noite", "good morning", "good afternoon", "good evening"]
                .iter()
                .any(|greeting| first.first().is_some_and(|word| word == greeting) || first.join(" ") == **greeting)
        });
        if greeted { format!("{} {}", self.language.hello_short(), self.language.found()) } else { self.language.found().to_owned() }
    }

    fn chat(&self, talk: Option<SmallTalk>, said: &str) -> Answer {
        match talk {
            Some(SmallTalk::Greeting) => words(self.language.hello()),
            Some(SmallTalk::Thanks) => words(self.language.welcome()),
            Some(SmallTalk::Farewell) => words(self.language.bye()),
            Some(SmallTalk::Agreement) => words(self.language.fine()),
            Some(SmallTalk::Refusal) => words(self.language.no_problem()),
            None if said.trim().starts_with('[') => self.offer(self.language.only_text()),
            // Several small things at once, or nothing but signs.
            None => words(self.language.hello()),
        }
    }

    fn call_person(&self) -> Answer {
        if !self.may_call(TRANSFER) {
            return words(self.language.cannot_call());
        }
        let asked: Vec<Question> = ear::questions(&self.desk.before);
        let open: String = asked.iter().map(|question| question.text.as_str()).collect::<Vec<_>>().join("; ").chars().take(500).collect();
        let mut arguments = json!({ "reason": self.language.reason() });
        if !open.is_empty() {
            arguments["summary"] = json!(format!("{} {open}", self.language.last_asked()));
        }
        let id = format!("call_{}", self.desk.looked.len() + 1);
        Answer::Calls(vec![ToolCall { id, name: TRANSFER.into(), arguments: arguments.to_string() }])
    }

    /// `text`, and the offer of a person where one can be called.
    fn offer(&self, text: &str) -> Answer {
        let can = self.prompt.tools.iter().any(|tool| tool.name == TRANSFER);
        let offer = if can { self.language.offer() } else { "" };
        Answer::Words { text: format!("{text} {offer}").trim().to_owned(), sources: Vec::new(), offers: can }
    }

    /// What is left of `text` when the customer has read the beginning before an interruption.
    fn not_said_yet(&self, text: &str) -> String {
        let Some(spoken) = self.desk.spoken else { return text.to_owned() };
        let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<Vec<_>>();
        let spoken = bare(spoken);
        if !bare(text).starts_with(&spoken) {
            return text.to_owned();
        }
        let mut left = spoken.len();
        let rest: String = text
            .chars()
            .skip_while(|c| {
                let skip = left > 0 || c.is_whitespace();
                left = left.saturating_sub(usize::from(!c.is_whitespace()));
                skip
            })
            .collect();
        if rest.is_empty() { self.language.anything_else().to_owned() } else { rest }
    }
}

fn words(text: &str) -> Answer {
    Answer::Words { text: text.to_owned(), sources: Vec::new(), offers: false }
}

/// What a call asked for.
fn query(looked: &Looked<'_>) -> String {
    let arguments: Value = serde_json::from_str(&looked.call.arguments).unwrap_or(Value::Null);
    arguments["query"].as_str().unwrap_or_default().to_owned()
}
