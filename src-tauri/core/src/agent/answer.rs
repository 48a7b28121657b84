//! Making one answer: ask the model, run what it calls, say what it says, close.
//!
//! Every step is saved as it ends, so a crash or a late failure loses at most the step in hand. Losing the word ends it silently.
//! A failure of the model never reaches a customer: the turn is tried again, and at last a person is called.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{FutureExt, StreamExt};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::agent::ending::{self, End, Trouble};
use crate::agent::ledger::{self, Step, Turn};
use crate::agent::tools::{self, NativeTool, Run, ToolContext};
use crate::agent::{prompt, rows, standby, typing};
use crate::connections::Live;
use crate::connector::Reports;
use crate::connector::{Action, ChannelRules, Chunk, Finish, Prompt, PromptMessage, ServiceError, ToolCall, ToolSpec};
use crate::conversations::{self, Conversation};
use crate::error::Sentence;
use crate::hub::Hub;
use crate::model::{Agent, Choice, ConnectionStatus, Content, Source, StreamMode, Usage};
use crate::say;
use crate::text::SentenceCutter;

/// How long to wait before the end of a turn that could not be written is written again.
const WRITE_AGAIN: Duration = Duration::from_secs(2);

/// How a turn ended.
enum Ended {
    /// Said and done.
    Done,
    /// Somebody else has the word.
    Lost,
}

/// Takes a claimed turn to its end. `brief` is what was read already.
pub async fn take(hub: &Arc<Hub>, turn: Turn, brief: Option<Brief>, cancelled: CancellationToken) {
    let mut usage = turn.usage;
    let ended = tokio::select! {
        () = cancelled.cancelled() => Ok(Ended::Lost),
        // A bug in one model's connector must not leave its conversation waiting for an end that nobody writes.
        ended = std::panic::AssertUnwindSafe(answer(hub, &turn, brief, &mut usage)).catch_unwind() => {
            ended.unwrap_or_else(|_| Err(Trouble::Own(anyhow::anyhow!("an answer panicked").into())))
        }
    };
    let end = match ended {
        Ok(Ended::Done) => return,
        Ok(Ended::Lost) => End::Lost,
        Err(trouble) => ending::of(hub, &turn, trouble),
    };
    // Until it is written (the disk may be full) the conversation's next turn waits for this one.
    while let Err(error) = ending::write(hub, &turn, &end, usage).await {
        if hub.stopping().is_cancelled() {
            return;
        }
        tracing::error!(turn.id = %turn.id, error = ?error, "A turn's end could not be written; trying again.");
        tokio::time::sleep(WRITE_AGAIN).await;
    }
}

/// Everything an answer needs, read once.
struct Desk {
    hub: Arc<Hub>,
    turn: Turn,
    agent: Agent,
    conversation: Conversation,
    model: Arc<Live>,
    channel: Arc<Live>,
    rules: ChannelRules,
    system: String,
    deadline: Instant,
}

/// What a question to the model is made of beside the desk: what the turn has done so far, and what was said before it.
struct Material {
    steps: Vec<Step>,
    history: Vec<PromptMessage>,
}

impl Material {
    fn read(db: &rusqlite::Connection, conversation: &Conversation, turn: &Turn, limit: u32) -> crate::error::Result<Self> {
        Ok(Self { steps: ledger::steps(db, turn.seq)?, history: prompt::history(db, conversation, Some(turn), limit)? })
    }
}

/// What the store knows for an answer and its first question to the model.
pub struct Brief {
    /// Who answers, and with what; `None` when the agent was deleted.
    agent: Option<(Agent, Material)>,
    conversation: Conversation,
    customer: String,
    shop: String,
    time_zone: String,
}

impl Brief {
    /// Reads it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn read(db: &rusqlite::Connection, turn: &Turn) -> crate::error::Result<Self> {
        let conversation = conversations::by_seq(db, turn.conversation)?;
        let customer = db.prepare_cached("SELECT name FROM contact WHERE id = ?1")?.query_row([&conversation.contact], |row| row.get(0))?;
        let agent = match rows::get(db, &turn.agent)? {
            Some(agent) => {
                let material = Material::read(db, &conversation, turn, longest_history(&agent))?;
                Some((agent, material))
            }
            None => None,
        };
        Ok(Self { agent, conversation, customer, shop: setting(db, "shop_name")?, time_zone: setting(db, "time_zone")? })
    }
}

async fn answer(hub: &Arc<Hub>, turn: &Turn, brief: Option<Brief>, usage: &mut Usage) -> Result<Ended, Trouble> {
    let brief = match brief {
        Some(brief) => brief,
        None => {
            let asked = turn.clone();
            hub.store.read(move |db| Brief::read(db, &asked)).await?
        }
    };
    let (desk, material) = Desk::open(hub, turn, brief)?;
    let _typing = typing::show(hub, &desk.channel, &desk.conversation);
    let remaining = desk.deadline.saturating_duration_since(Instant::now());
    tokio::time::timeout(remaining, desk.work(usage, material))
        .await
        .unwrap_or_else(|_| Err(Trouble::Service(ServiceError::Temporary(say!("The answer took too long.")))))
}

impl Desk {
    fn open(hub: &Arc<Hub>, turn: &Turn, brief: Brief) -> Result<(Self, Material), Trouble> {
        let Brief { agent, conversation, customer, shop, time_zone } = brief;
        let (agent, material) = agent.ok_or(Trouble::AgentGone)?;
        let model = hub
            .connections
            .get(&agent.connection)
            .ok_or_else(|| Trouble::Hopeless(say!("The model that {agent} uses is not connected any more.", agent = agent.name)))?;
        may_work(hub, &model)?;
        let channel = hub
            .connections
            .get(&conversation.connection)
            .ok_or_else(|| Trouble::Hopeless(say!("The connection is not there any more.")))?;
        let rules = channel.rules.clone().ok_or_else(|| Trouble::Hopeless(say!("This connection does not send messages.")))?;
        let scene = prompt::Scene {
            shop,
            customer,
            channel: channel.connector.about().name.to_owned(),
            language: conversation.language.clone(),
            time_zone,
            now: hub.store.clock().now(),
        };
        let system = prompt::system(&agent, &channel.connection.connector, &scene);
        let deadline = Instant::now() + Duration::from_secs(u64::from(agent.settings.max_seconds.max(1)));
        Ok((Self { hub: hub.clone(), turn: turn.clone(), agent, conversation, model, channel, rules, system, deadline }, material))
    }

    async fn work(&self, usage: &mut Usage, first: Material) -> Result<Ended, Trouble> {
        let mut first = Some(first);
        let mut history_limit = longest_history(&self.agent);
        let mut shortened = false;
        let mut asked_again = false;
        loop {
            let Material { steps, history } = match first.take() {
                Some(material) => material,
                None => {
                    let (conversation, turn) = (self.conversation.clone(), self.turn.clone());
                    self.hub.store.read(move |db| Material::read(db, &conversation, &turn, history_limit)).await?
                }
            };
            let (replayed, open) = prompt::replay(&steps);
            // After a crash between a call and its results: first finish those.
            if !open.is_empty() {
                if !self.run_all(&open, &steps).await? {
                    return Ok(Ended::Lost);
                }
                continue;
            }
            let calls = steps.iter().filter(|step| matches!(step, Step::Result { .. })).count();
            let may_call = calls < self.agent.settings.max_tool_calls as usize;
            let prompt = self.prompt(history, replayed, may_call);
            let round = match self.listen(&prompt, usage).await {
                Err(Trouble::Service(ServiceError::TooLong(_))) if !shortened => {
                    shortened = true;
                    history_limit = (history_limit / 3).max(1);
                    continue;
                }
                Err(trouble) => return Err(self.judged(trouble).await),
                Ok(round) => round,
            };
            if matches!(self.model.connection.status, ConnectionStatus::NeedsSignIn { .. }) {
                self.hub.mended(&self.model.connection.id).await;
            }
            let Some(round) = round else { return Ok(Ended::Lost) };
            if !round.calls.is_empty() && may_call {
                let step = Step::Call { text: round.whole, calls: round.calls.clone() };
                let turn = self.turn.clone();
                if !self.hub.store.write(move |tx| ledger::save(tx, &turn, &step, round.took_ms)).await? {
                    return Ok(Ended::Lost);
                }
                continue;
            }
            let rest = round.rest.trim().to_owned();
            if rest.is_empty() && round.choices.is_empty() && round.whole.trim().is_empty() && !ledger::has_spoken(&steps) {
                if asked_again {
                    return Err(Trouble::Hopeless(say!("The model gave an empty answer.")));
                }
                asked_again = true;
                continue;
            }
            let rest = match (rest.is_empty(), round.choices.is_empty()) {
                (true, true) => Vec::new(),
                (_, true) => vec![Content::Text { text: rest }],
                (_, false) => vec![Content::Choices { text: rest, options: round.choices }],
            };
            let (hub, turn, rules, spent, sources) = (self.hub.clone(), self.turn.clone(), self.rules.clone(), *usage, round.sources);
            let closed = self
                .hub
                .store
                .write(move |tx| {
                    // Its place is free: the same commit may begin the next answer, and lets this one leave.
                    hub.turns.end(&turn.id);
                    ledger::close(tx, &turn, &rest, &sources, &spent, &rules)
                })
                .await?;
            return Ok(if closed { Ended::Done } else { Ended::Lost });
        }
    }

    /// A refusal that only the model's owner can do something about: the connection says so once, and this turn waits.
    async fn judged(&self, trouble: Trouble) -> Trouble {
        let Trouble::Service(error) = trouble else { return trouble };
        let Some(refusal) = refusal(&error) else { return Trouble::Service(error) };
        let (connection, sentence) = (&self.model.connection, error.sentence());
        if !self.hub.connections.get(&connection.id).is_some_and(|now| Arc::ptr_eq(&now, &self.model)) {
            // Refused with what was typed before; meanwhile the connection has changed, and deserves to be asked anew.
            return Trouble::Service(ServiceError::Temporary(sentence));
        }
        self.hub.trials.refused(&connection.id, refusal, self.hub.store.clock().now());
        self.hub.needs_sign_in(&connection.id, &sentence).await;
        let why = waits_for_owner(&connection.name, &self.hub.say(&sentence));
        Trouble::Waits { connection: connection.id.clone(), why, holds: true }
    }

    fn prompt(&self, mut messages: Vec<PromptMessage>, replayed: Vec<PromptMessage>, may_call: bool) -> Prompt {
        messages.extend(replayed);
        prompt::build(
            &self.agent,
            self.system.clone(),
            messages,
            specs(&self.agent),
            may_call,
            self.conversation.language.clone(),
            self.conversation.contact.as_str(),
        )
    }

    /// Hears one answer of the model, saying pieces as the stream mode wants. `None` = the word was lost meanwhile.
    async fn listen(&self, prompt: &Prompt, usage: &mut Usage) -> Result<Option<Round>, Trouble> {
        let started = Instant::now();
        let (model, link) =
            self.model.connector.model().zip(self.model.link(self.hub.media.as_ref(), self.hub.store.clock().as_ref())).ok_or_else(
                || {
                    Trouble::Hopeless(say!(
                        "The model connection “{name}” does not work at present. Look at it under Connections.",
                        name = self.model.connection.name
                    ))
                },
            )?;
        let mut stream = model.respond(link, prompt).await?;
        let mut round = Round::default();
        let mut cutter = match self.agent.stream_mode {
            StreamMode::Full => None,
            StreamMode::Sentence => Some(SentenceCutter::new()),
            StreamMode::Direct => Some(SentenceCutter::paragraphs()),
        };
        let mut finish = None;
        while let Some(chunk) = stream.next().await {
            match chunk? {
                Chunk::Text(text) => {
                    round.whole.push_str(&text);
                    match &mut cutter {
                        None => round.rest.push_str(&text),
                        Some(cutter) => {
                            for piece in cutter.push(&text) {
                                if !self.say(&piece).await? {
                                    return Ok(None);
                                }
                            }
                        }
                    }
                }
                Chunk::Reasoning(_) => {}
                Chunk::ToolCall(call) => round.calls.push(call),
                Chunk::Source(source) => round.sources.push(source),
                Chunk::Choices(choices) => round.choices.extend(choices),
                Chunk::Usage(spent) => *usage += spent,
                Chunk::Done(reason) => finish = Some(reason),
            }
        }
        match finish {
            None => return Err(Trouble::Service(ServiceError::Temporary(say!("The model's answer broke off.")))),
            Some(Finish::Filtered) if round.whole.trim().is_empty() && round.calls.is_empty() => {
                return Err(Trouble::Hopeless(say!("The model's own filter refused to answer this.")));
            }
            Some(_) => {}
        }
        if let Some(rest) = cutter.and_then(|mut cutter| cutter.finish()) {
            round.rest = rest;
        }
        if !round.calls.is_empty() && self.agent.stream_mode != StreamMode::Full && !round.rest.trim().is_empty() {
            let rest = std::mem::take(&mut round.rest);
            if !self.say(rest.trim()).await? {
                return Ok(None);
            }
        }
        round.took_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        Ok(Some(round))
    }

    async fn say(&self, piece: &str) -> Result<bool, Trouble> {
        let (turn, rules, piece) = (self.turn.clone(), self.rules.clone(), piece.to_owned());
        Ok(self.hub.store.write(move |tx| ledger::say(tx, &turn, &piece, &rules)).await?)
    }

    /// Runs calls in order, recording each result. `false` = the word was lost.
    async fn run_all(&self, calls: &[ToolCall], steps: &[Step]) -> Result<bool, Trouble> {
        let before = previous_calls(steps, calls);
        let allowed = self.agent.settings.max_tool_calls as usize;
        let used = steps.iter().filter(|step| matches!(step, Step::Result { .. })).count();
        for (n, call) in calls.iter().enumerate() {
            let repeated =
                before.iter().chain(&calls[..n]).last().is_some_and(|last| last.name == call.name && last.arguments == call.arguments);
            let held = if repeated {
                self.record(None, call, ledger::refusal("You made this call with the same arguments just before. Use its result.")).await?
            } else if used + n >= allowed {
                self.record(None, call, ledger::refusal("No more tool calls are allowed in this answer. Answer with what you know."))
                    .await?
            } else {
                self.run_one(call).await?
            };
            if !held {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn run_one(&self, call: &ToolCall) -> Result<bool, Trouble> {
        let Some(tool) = self.agent.tools.iter().find(|name| **name == call.name).and_then(|name| tools::find(name)) else {
            return self.record(None, call, ledger::refusal("There is no such tool.")).await;
        };
        let arguments = match tools::arguments(&call.arguments) {
            Ok(arguments) => arguments,
            Err(error) => return self.record(None, call, ledger::told(error)?).await,
        };
        let context = self.context();
        match tool.run {
            Run::Read(run) => {
                let started = Instant::now();
                let looked = self
                    .hub
                    .store
                    .read(move |db| match run(db, &context, arguments) {
                        Ok(value) => Ok(Ok(value)),
                        Err(error) => ledger::told(error).map(Err),
                    })
                    .await?;
                self.record_found(Some(tool), call, looked, started).await
            }
            Run::Write(_) => {
                let (turn, call) = (self.turn.clone(), call.clone());
                let result = self.hub.store.write(move |tx| ledger::run_writing(tx, &turn, tool, &context, &call, arguments)).await?;
                Ok(result.is_some())
            }
        }
    }

    fn context(&self) -> ToolContext {
        ToolContext {
            conversation: self.conversation.id.clone(),
            agent: self.agent.id.clone(),
            turn: Some(self.turn.id.clone()),
            connector: self.channel.connection.connector.clone(),
            language: self.conversation.language.clone(),
            now: self.hub.store.clock().now(),
            reports: self.channel.reports() != Reports::Never,
            rules: self.rules.clone(),
        }
    }

    /// Records that a call was refused.
    async fn record(&self, tool: Option<&'static NativeTool>, call: &ToolCall, refusal: String) -> Result<bool, Trouble> {
        self.record_found(tool, call, Err(refusal), Instant::now()).await
    }

    async fn record_found(
        &self,
        tool: Option<&'static NativeTool>,
        call: &ToolCall,
        found: Result<Value, String>,
        started: Instant,
    ) -> Result<bool, Trouble> {
        let took_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        let (turn, call, context) = (self.turn.clone(), call.clone(), self.context());
        Ok(self.hub.store.write(move |tx| ledger::save_result(tx, &turn, tool, &context, &call, &found, took_ms)).await?)
    }
}

/// Whether the model can be asked now.
fn may_work(hub: &Hub, model: &Live) -> Result<(), Trouble> {
    let connection = model.connection.id.clone();
    let name = &model.connection.name;
    let (why, holds) = match (&model.connection.status, &model.settings) {
        (ConnectionStatus::NeedsSignIn { .. }, Ok(_)) if hub.trials.may_try(&connection, hub.store.clock().now()) => return Ok(()),
        (ConnectionStatus::NeedsSignIn { reason }, _) => (waits_for_owner(name, reason), true),
        (ConnectionStatus::Active | ConnectionStatus::Failing { .. }, Ok(_)) => return Ok(()),
        // Switched off by its owner, or not complete: nobody mends that within a few minutes.
        (ConnectionStatus::Draft | ConnectionStatus::Paused, _) | (ConnectionStatus::Active | ConnectionStatus::Failing { .. }, Err(_)) => {
            (say!("The model connection “{name}” does not work at present. Look at it under Connections.", name = name), false)
        }
    };
    Err(Trouble::Waits { connection, why, holds })
}

/// What the model's owner must mend, if it is theirs to mend.
fn refusal(error: &ServiceError) -> Option<standby::Refusal> {
    match error.action()? {
        Action::Reauthorise | Action::GrantPermission | Action::FixAccount => Some(standby::Refusal::Key),
        Action::Pay => Some(standby::Refusal::Credit),
        Action::UseTemplate
        | Action::FixTemplate
        | Action::FixContent
        | Action::SlowDown
        | Action::Unreachable
        | Action::Blocked
        | Action::NotToday => None,
    }
}

fn waits_for_owner(name: &str, reason: &str) -> Sentence {
    say!("The model connection “{name}” waits for you: {reason}", name = name, reason = reason)
}

/// What one question to the model brought.
#[derive(Default)]
struct Round {
    /// All its words.
    whole: String,
    /// The words that were not said yet.
    rest: String,
    calls: Vec<ToolCall>,
    sources: Vec<Source>,
    choices: Vec<Choice>,
    took_ms: i64,
}

/// The calls of earlier rounds, oldest first.
fn previous_calls(steps: &[Step], open: &[ToolCall]) -> Vec<ToolCall> {
    let all = steps.iter().filter_map(|step| if let Step::Call { calls, .. } = step { Some(calls) } else { None }).flatten();
    all.filter(|call| !open.iter().any(|open| open.id == call.id)).cloned().collect()
}

/// How much of what was said an agent is told.
fn longest_history(agent: &Agent) -> u32 {
    agent.settings.history.max(1)
}

/// The agent's tools as a model sees them.
pub fn specs(agent: &Agent) -> Vec<ToolSpec> {
    let known = agent.tools.iter().filter_map(|name| tools::find(name));
    known.map(NativeTool::spec).collect()
}

/// A setting's text; empty when it was never set.
pub fn setting(db: &rusqlite::Connection, key: &str) -> crate::error::Result<String> {
    use rusqlite::OptionalExtension;
    Ok(db.prepare_cached("SELECT value FROM setting WHERE key = ?1")?.query_row([key], |row| row.get(0)).optional()?.unwrap_or_default())
}
