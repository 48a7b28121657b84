//! A customer that can be played again: what they say, and what is expected of the shop. Run again, it is a test.

use std::sync::Arc;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::bench::{Bench, LabWeather};
use super::of;
use super::tally::{self, LabCounts};
use crate::connector::Said;
use crate::conversations;
use crate::error::{Error, Result, Sentence};
use crate::hub::Hub;
use crate::id::{ConversationId, LabScriptId};
use crate::model::{Content, Owner};
use crate::say;

/// How often is looked whether something has come.
const LOOK: Duration = Duration::from_millis(50);
/// The longest that one step may wait, in seconds.
pub const LONGEST_WAIT: u32 = 60;
/// The longest that a whole script may take.
const LONGEST_RUN: Duration = Duration::from_secs(300);
/// How long is waited for what a message sets in motion before it is judged.
const SETTLING: Duration = Duration::from_secs(5);

/// A customer that can be played again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct LabScript {
    /// Its id; a new script when missing.
    #[serde(default)]
    pub id: Option<LabScriptId>,
    /// What it is called.
    pub name: String,
    /// Over which kind of channel.
    pub connector: String,
    /// What the customer is called.
    pub customer: String,
    /// In which weather; as the channel is when missing.
    #[serde(default)]
    pub weather: Option<LabWeather>,
    /// What happens, in order.
    pub steps: Vec<LabStep>,
}

/// One step of a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum LabStep {
    /// The customer writes.
    Say {
        /// The words.
        text: String,
    },
    /// The customer waits until the shop has answered what was said last.
    WaitForAnswer {
        /// How long, in seconds.
        seconds: u32,
    },
    /// The answer to what was said last has these words, in any case.
    ExpectText {
        /// The words.
        contains: String,
    },
    /// The conversation belongs to that side.
    ExpectOwner {
        /// To whom.
        owner: LabOwner,
    },
    /// Nothing is lost and nothing there twice, on either side.
    ExpectNoDouble,
}

/// To whom a conversation belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum LabOwner {
    /// To an agent.
    Agent,
    /// To a person.
    Person,
}

/// How one step went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct LabStepResult {
    /// As it should.
    pub ok: bool,
    /// What was found, in words.
    pub found: String,
    /// How long it took.
    pub took_ms: u32,
}

/// How a script went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct LabRun {
    /// Every step went as it should.
    pub ok: bool,
    /// Step by step.
    pub steps: Vec<LabStepResult>,
    /// In which thread it was played.
    pub thread: String,
    /// The conversation it made.
    pub conversation: Option<ConversationId>,
}

/// Plays `script` as a customer who has never written before.
///
/// # Errors
/// When its channel is not in the Lab.
pub async fn run(hub: &Arc<Hub>, script: &LabScript) -> Result<LabRun> {
    let bench = of(hub)?.benches().into_iter().find(|bench| bench.kind == script.connector);
    let bench = bench.ok_or_else(|| Error::not_found(say!("The channel of this script is not in the Lab. Add it first.")))?;
    let before = bench.weather();
    if let Some(weather) = script.weather {
        bench.set_weather(weather);
    }
    let mut play = Play { hub, bench: &bench, customer: &script.customer, thread: stranger(hub), heard: 0 };
    let until = Instant::now() + LONGEST_RUN;
    let mut steps = Vec::with_capacity(script.steps.len());
    for step in &script.steps {
        let began = Instant::now();
        let done = if began < until { play.step(step).await } else { Err(say!("The script took too long and was stopped.")) };
        let (ok, found) = match done {
            Ok(found) => (true, found),
            Err(why) => (false, hub.say(&why)),
        };
        steps.push(LabStepResult { ok, found, took_ms: u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX) });
    }
    if script.weather.is_some() {
        bench.set_weather(before);
    }
    let conversation = play.conversation().await?.map(|(id, _)| id);
    Ok(LabRun { ok: steps.iter().all(|step| step.ok), steps, thread: play.thread, conversation })
}

/// A number that nobody has written from.
fn stranger(hub: &Hub) -> String {
    format!("55119{:08}", hub.store.clock().now().millis().rem_euclid(100_000_000))
}

struct Play<'a> {
    hub: &'a Arc<Hub>,
    bench: &'a Arc<Bench>,
    customer: &'a str,
    thread: String,
    /// How much the customer had received when they wrote last.
    heard: usize,
}

type Found = std::result::Result<String, Sentence>;

impl Play<'_> {
    async fn step(&mut self, step: &LabStep) -> Found {
        match step {
            LabStep::Say { text } => self.say(text).await,
            LabStep::WaitForAnswer { seconds } => {
                let until = Instant::now() + Duration::from_secs((*seconds).min(LONGEST_WAIT).into());
                while self.answers().is_empty() && Instant::now() < until {
                    self.pause().await?;
                }
                let answers = self.answers();
                if answers.is_empty() {
                    Err(say!("No answer within {seconds} seconds.", seconds = seconds))
                } else {
                    Ok(answers.join("\n"))
                }
            }
            LabStep::ExpectText { contains } => {
                let answers = self.answers().join("\n");
                if answers.to_lowercase().contains(&contains.to_lowercase()) {
                    Ok(answers)
                } else if answers.is_empty() {
                    Err(say!("There is no answer yet."))
                } else {
                    Err(say!("“{text}” is not in the answer: {answer}", text = contains, answer = answers))
                }
            }
            LabStep::ExpectOwner { owner } => self.owner(*owner).await,
            LabStep::ExpectNoDouble => self.no_double().await,
        }
    }

    async fn say(&mut self, text: &str) -> Found {
        self.heard = self.bench.received_in(&self.thread).len();
        let said = Said::text(self.thread.clone(), self.customer, text);
        let content = vec![Content::Text { text: text.to_owned() }];
        self.bench.say(self.hub, said, content).await.map_err(|error| error.message)?;
        Ok(text.to_owned())
    }

    /// What the customer received since they wrote last.
    fn answers(&self) -> Vec<String> {
        self.bench.received_in(&self.thread).into_iter().skip(self.heard).map(|got| got.text).collect()
    }

    async fn conversation(&self) -> Result<Option<(ConversationId, Owner)>> {
        let written = self.bench.written().into_iter().rev().find(|written| written.thread == self.thread);
        let Some(thread) = written.map(|written| written.hub_thread) else { return Ok(None) };
        find(self.hub, self.bench, thread).await
    }

    async fn owner(&self, wanted: LabOwner) -> Found {
        let is_so =
            |owner: &Owner| matches!((wanted, owner), (LabOwner::Agent, Owner::Agent { .. }) | (LabOwner::Person, Owner::Person { .. }));
        let until = Instant::now() + SETTLING;
        let found = loop {
            let found = self.conversation().await.map_err(sentence)?.map(|(_, owner)| owner);
            if found.as_ref().is_some_and(is_so) || Instant::now() > until {
                break found;
            }
            self.pause().await?;
        };
        let say = |owner: LabOwner| match owner {
            LabOwner::Agent => say!("The conversation belongs to an agent."),
            LabOwner::Person => say!("The conversation belongs to a person."),
        };
        match found {
            None => Err(say!("There is no conversation yet.")),
            Some(owner) if is_so(&owner) => Ok(self.hub.say(&say(wanted))),
            Some(Owner::Agent { .. }) => Err(say(LabOwner::Agent)),
            Some(Owner::Person { .. }) => Err(say(LabOwner::Person)),
        }
    }

    async fn no_double(&self) -> Found {
        // What is still carried may yet arrive, and a copy comes a moment after its original.
        let until = Instant::now() + SETTLING;
        let counts = loop {
            let counts = tally::count(self.hub, self.bench, Some(&self.thread)).await.map_err(sentence)?;
            let LabCounts { customers, shop } = counts;
            let is_quiet = customers.arrived == customers.written && shop.arrived >= shop.written;
            if is_quiet || Instant::now() > until {
                break counts;
            }
            self.pause().await?;
        };
        let all = counts.customers.with(counts.shop);
        if all.lost == 0 && all.doubled == 0 && counts.customers.arrived == counts.customers.written {
            return Ok(self.hub.say(&say!("{arrived} of {written} arrived.", arrived = all.arrived, written = all.written)));
        }
        Err(say!(
            "{arrived} of {written} arrived, {lost} lost, {doubled} there twice.",
            arrived = all.arrived,
            written = all.written,
            lost = all.lost,
            doubled = all.doubled
        ))
    }

    /// A moment in which something may come.
    async fn pause(&self) -> std::result::Result<(), Sentence> {
        let slept = self.hub.stopping().run_until_cancelled(tokio::time::sleep(LOOK)).await;
        slept.ok_or_else(|| say!("Shopbell is closing."))
    }
}

fn sentence(error: Error) -> Sentence {
    error.message
}

/// The conversation of a thread and whose it is.
///
/// # Errors
/// When the store cannot be read.
pub async fn find(hub: &Hub, bench: &Bench, thread: String) -> Result<Option<(ConversationId, Owner)>> {
    use rusqlite::OptionalExtension;
    let connection = bench.connection.clone();
    hub.store
        .read(move |db| {
            let id = db
                .prepare_cached("SELECT id FROM conversation WHERE connection = ?1 AND thread = ?2")?
                .query_row(rusqlite::params![connection, thread], |row| row.get::<_, ConversationId>(0))
                .optional()?;
            id.map(|id| conversations::find(db, &id).map(|row| (row.id, row.owner))).transpose()
        })
        .await
}
