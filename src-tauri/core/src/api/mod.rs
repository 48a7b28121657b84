//! Everything that can be asked of the hub.
//!
//! `commands! {}` is the one list. From it come [`dispatch`] (behind the window's single command and `POST /api/v1/<command>`), the OpenAPI
//! document and the TypeScript `Commands` type. Adding a command = its request and answer types, its function, one line here.
//!
//! A request is refused before its function sees it when a field is unknown, missing or of the wrong kind; each wrong field is answered
//! by its path and a sentence.

use std::sync::Arc;

use anyhow::Context;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ts_rs::TS;

use crate::agent::knowledge::Covered;
use crate::agent::rehearsal::Rehearsed;
use crate::connector::{ModelRow, Template};
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::lab::captured::{CapturedArrival, LabReplayed};
use crate::lab::scripts::{LabRun, LabScript};
use crate::lab::tally::LabCounts;
use crate::say;

pub mod asked;
pub mod conversations;
pub mod messages;
pub mod replies;
pub mod owning;
pub mod labels;
pub mod contacts;
pub mod search;
pub mod files;
pub mod connectors;
pub mod conversions;
pub mod form;
pub mod connections;
pub mod connection_edit;
pub mod connection_use;
pub mod sign_in;
pub mod templates;
pub mod notices;
pub mod agents;
pub mod agent_edit;
pub mod knowledge;
mod masking;
pub mod arrivals;
pub mod lab;
pub mod lab_phone;
pub mod lab_scripts;
pub mod deliveries;
pub mod turns;
pub mod tunnel;
pub mod analytics;
pub mod settings;
pub mod vault;
pub mod backups;
pub mod openapi;
pub mod typescript;

pub use asked::{Empty, Items, Page};

use agent_edit::{CreateAgent, SetDefaultAgent, Tool, TryAgent, UpdateAgent};
use agents::{AgentRow, GetAgent};
use analytics::{Analytics, AskAnalytics};
use arrivals::{ArrivalRow, ArrivalWhole, GetArrival, ListArrivals, ListRefusals, RefusalRow};
use backups::{Backups, ExportBackup, ExportedBackup, FoundBackup, RestoreBackup, RestoredBackup};
use connection_edit::{CreateConnection, CreatedConnection, UpdateConnection};
use connection_use::{ListModels, TestResult, VerifyToken, WebhookRow, WebsiteSnippet};
use connections::{ConnectionRow, GetConnection, ListConnections};
use connectors::ConnectorRow;
use contacts::{ContactRow, ContactWhole, GetContact, ListContacts, MergeContacts, UndoMerge};
use conversations::{ConversationCounts, ConversationRow, GetConversation, ListConversations};
use conversions::{Conversions, ReportConversion};
use deliveries::{DeliveryRow, ListDeliveries, RetryDelivery};
use files::{RetryMedia, UploadMedia, UploadedMedia};
use knowledge::{
    AddKnowledge, DeleteKnowledge, DismissUnanswered, KnowledgeDocument, KnowledgeHit, ListKnowledge, SearchKnowledge, UnansweredRow,
};
use lab::{AddLabChannel, AskLabCounts, CopyAgents, GetLabChannel, LabChannel, LabCopied, LabState, ReplayInLab, SetLabWeather};
use lab_phone::{GetLabThread, LabThread, SayInLab};
use lab_scripts::GetLabScript;
use labels::LabelRow;
use messages::{FileMark, ListMessages, MessageRow};
use notices::{DismissNotice, ListNotices, NoticeRow};
use owning::{Assign, ChangeLabels, HandBack, SetConversationStatus, Snooze, TakeOver};
use replies::{MarkRead, SendReply};
use search::{Search, SearchHit};
use settings::{SettingsRow, UpdateSettings};
use sign_in::{AuthRow, BeginSignIn, BegunSignIn, ChooseAccount, FinishSignIn, GetSignIn, OpenLink, SignInRow};
use tunnel::{SetTunnel, TunnelRow};
use turns::{GetTurn, ListTurns, TurnRow, TurnWhole};
use vault::{ChangePassphrase, CreateVault, Health, LoginLink, UnlockVault};

/// What is known of each command beside its function; see [`openapi`] and [`typescript`].
pub trait Describe {
    /// One command: its name, what it does, what it takes and gives.
    fn command<Q: TS + JsonSchema + 'static, A: TS + JsonSchema + 'static>(&mut self, name: &'static str, doc: &'static str);
}

macro_rules! commands {
    ($($(#[doc = $doc:literal])+ $noun:ident::$name:ident($request:ty) -> $answer:ty;)+) => {
        /// Every command by name.
        pub const COMMANDS: &[&str] = &[$(stringify!($name)),+];

        /// Shows every command to `each`.
        pub fn describe(each: &mut impl Describe) {
            $(each.command::<$request, $answer>(stringify!($name), concat!($($doc),+).trim_ascii());)+
        }

        async fn run(hub: &Arc<Hub>, name: &str, body: Value) -> Result<Value> {
            match name {
                $(stringify!($name) => {
                    if !ALWAYS.contains(&name) {
                        vault::must_be_open(hub)?;
                    }
                    let answer: $answer = Box::pin($noun::$name(hub, read::<$request>(body)?)).await?;
                    Ok(serde_json::to_value(answer).context("write the answer")?)
                })+
                _ => Err(Error::not_found(say!("There is no command called {name}.", name = shortened(name)))),
            }
        }
    };
}

/// What can be asked while the vault is closed; whatever a screen needs before it is open stands in `health`.
const ALWAYS: &[&str] = &["health", "create_vault", "unlock_vault"];

commands! {
    /// How the hub is. Answers always.
    vault::health(Empty) -> Health;
    /// Makes the vault and opens it: under a passphrase, or in the keychain without one.
    vault::create_vault(CreateVault) -> Health;
    /// Opens the vault with its passphrase, or asks the keychain again.
    vault::unlock_vault(UnlockVault) -> Health;
    /// Gives the vault another passphrase.
    vault::change_passphrase(ChangePassphrase) -> Empty;
    /// A link that signs one browser in, once, within ten minutes.
    vault::new_login_link(Empty) -> LoginLink;
    /// The copies of this shop: the last good one, and why the last attempt came to nothing.
    backups::get_backups(Empty) -> Backups;
    /// Makes a copy of the database now.
    backups::back_up_now(Empty) -> Backups;
    /// Seals everything, keys included, into one file that a passphrase opens on another computer.
    backups::export_backup(ExportBackup) -> ExportedBackup;
    /// Puts a sealed file in the place of what is here. The hub is opened again in a moment and then stands still until `confirm_move`.
    backups::restore_backup(RestoreBackup) -> RestoredBackup;
    /// The sealed files that lie where people keep such things, newest first.
    backups::find_backups(Empty) -> Items<FoundBackup>;
    /// Says that the computer this hub came from is off: work begins here.
    backups::confirm_move(Empty) -> Empty;
    /// The shop's own settings.
    settings::get_settings(Empty) -> SettingsRow;
    /// Changes the settings that are given.
    settings::update_settings(UpdateSettings) -> SettingsRow;

    /// Conversations, newest first.
    conversations::list_conversations(ListConversations) -> Page<ConversationRow>;
    /// How many open conversations stand under each tab.
    conversations::count_conversations(Empty) -> ConversationCounts;
    /// One conversation.
    conversations::get_conversation(GetConversation) -> ConversationRow;
    /// What was said in a conversation, newest first.
    messages::list_messages(ListMessages) -> Page<MessageRow>;
    /// Sends a reply (and takes the conversation over from its agent), or keeps a private note. The same `client_key` sends once.
    replies::send_reply(SendReply) -> MessageRow;
    /// Says that everything in a conversation was seen.
    replies::mark_read(MarkRead) -> Empty;
    /// The templates of a connection's account, with the gaps to fill.
    templates::list_templates(GetConnection) -> Items<Template>;
    /// What was and what may be reported of a conversation to the service's advertising.
    conversions::list_conversions(GetConversation) -> Conversions;
    /// Reports to the service's advertising what became of a customer who came through it: each event once for a click.
    conversions::report_conversion(ReportConversion) -> Conversions;
    /// What services told about their accounts, newest first.
    notices::list_notices(ListNotices) -> Items<NoticeRow>;
    /// Says that a notice was seen.
    notices::dismiss_notice(DismissNotice) -> Empty;
    /// A person takes the next word; the agent falls silent at once.
    owning::take_over(TakeOver) -> ConversationRow;
    /// A person gives the next word back to an agent.
    owning::hand_back(HandBack) -> ConversationRow;
    /// Gives a conversation to an agent or to a person.
    owning::assign(Assign) -> ConversationRow;
    /// Opens, snoozes or resolves a conversation.
    owning::set_conversation_status(SetConversationStatus) -> ConversationRow;
    /// Puts a conversation out of sight until a moment, or until the customer writes.
    owning::snooze(Snooze) -> ConversationRow;
    /// Puts labels on a conversation and takes others off.
    owning::label(ChangeLabels) -> ConversationRow;
    /// Every label in use, the most used first.
    labels::list_labels(Empty) -> Items<LabelRow>;
    /// Finds messages, notes and contacts by their words.
    search::search(Search) -> Page<SearchHit>;
    /// Contacts, newest first.
    contacts::list_contacts(ListContacts) -> Page<ContactRow>;
    /// One contact with its addresses and conversations.
    contacts::get_contact(GetContact) -> ContactWhole;
    /// Makes one person of two contacts, until it is undone.
    contacts::merge_contacts(MergeContacts) -> ContactWhole;
    /// Makes two persons of one again.
    contacts::undo_merge(UndoMerge) -> ContactWhole;
    /// Keeps a file, to be sent with a reply.
    files::upload_media(UploadMedia) -> UploadedMedia;
    /// Fetches a file again that a customer sent and that could not be fetched.
    files::retry_media(RetryMedia) -> FileMark;

    /// Every kind of service that can be connected.
    connectors::list_connectors(Empty) -> Items<ConnectorRow>;
    /// Every configured account, oldest first.
    connections::list_connections(ListConnections) -> Page<ConnectionRow>;
    /// One configured account. A secret reads back as `{"set":true}`.
    connections::get_connection(GetConnection) -> ConnectionRow;
    /// Makes a connection and puts it to use.
    connection_edit::create_connection(CreateConnection) -> CreatedConnection;
    /// Changes a connection and puts it to use.
    connection_edit::update_connection(UpdateConnection) -> ConnectionRow;
    /// Deletes a connection and its secrets; its conversations stay readable.
    connection_edit::delete_connection(GetConnection) -> Empty;
    /// Proves that a connection works, without a customer noticing.
    connection_use::test_connection(GetConnection) -> TestResult;
    /// The models that a connection's account may use.
    connection_use::list_models(ListModels) -> Items<ModelRow>;
    /// Tells the service where to call.
    connection_use::register_webhook(GetConnection) -> WebhookRow;
    /// Where the service calls, by its own word.
    connection_use::webhook_state(GetConnection) -> WebhookRow;
    /// The public address: how it is made, how it is, and which ones there were.
    tunnel::tunnel_state(Empty) -> TunnelRow;
    /// Chooses another way to a public address, or tries the present one again.
    tunnel::set_tunnel(SetTunnel) -> TunnelRow;
    /// The line that puts a website chat on a page, and a page on this computer to try it.
    connection_use::website_snippet(GetConnection) -> WebsiteSnippet;
    /// The verify token of a connection, to be pasted at the service.
    connection_use::reveal_verify_token(GetConnection) -> VerifyToken;

    /// Begins to sign a connection in; gives the service's page to open in the system's browser.
    sign_in::begin_sign_in(BeginSignIn) -> BegunSignIn;
    /// Where a sign-in stands.
    sign_in::get_sign_in(GetSignIn) -> SignInRow;
    /// Takes the answer of a sign-in from the address on which the browser ended.
    sign_in::finish_sign_in(FinishSignIn) -> SignInRow;
    /// Chooses among the accounts that a sign-in opens.
    sign_in::choose_sign_in_account(ChooseAccount) -> SignInRow;
    /// Does again what failed after a sign-in, from that step on.
    sign_in::resume_sign_in(GetSignIn) -> SignInRow;
    /// Calls a sign-in off.
    sign_in::cancel_sign_in(GetSignIn) -> SignInRow;
    /// Signs a connection out: gives the grant back at the service and forgets its tokens.
    sign_in::sign_out(GetConnection) -> Empty;
    /// Renews a connection's access token now.
    sign_in::refresh_sign_in(GetConnection) -> AuthRow;
    /// How every connection is signed in to, until when, and when that is renewed.
    sign_in::list_sign_ins(Empty) -> Items<AuthRow>;
    /// Takes a `shopbell://` link: the answer of a sign-in, or the wish to see the window.
    sign_in::open_link(OpenLink) -> Empty;

    /// Every agent, oldest first.
    agents::list_agents(Empty) -> Items<AgentRow>;
    /// One agent.
    agents::get_agent(GetAgent) -> AgentRow;
    /// Makes an agent; the first one answers everywhere.
    agent_edit::create_agent(CreateAgent) -> AgentRow;
    /// Changes an agent.
    agent_edit::update_agent(UpdateAgent) -> AgentRow;
    /// Deletes an agent; its conversations go to the default agent, or wait for a person.
    agent_edit::delete_agent(GetAgent) -> Empty;
    /// Makes an agent the one that answers where no other is named.
    agent_edit::set_default_agent(SetDefaultAgent) -> Empty;
    /// Lets an agent answer in a side chat; nothing is kept.
    agent_edit::try_agent(TryAgent) -> Rehearsed;
    /// Every tool an agent may have.
    agent_edit::list_tools(Empty) -> Items<Tool>;

    /// Every document, newest first.
    knowledge::list_knowledge(ListKnowledge) -> Page<KnowledgeDocument>;
    /// Reads a file and keeps what it says.
    knowledge::add_knowledge(AddKnowledge) -> KnowledgeDocument;
    /// Forgets a document.
    knowledge::delete_knowledge(DeleteKnowledge) -> Empty;
    /// What the documents say to a question.
    knowledge::search_knowledge(SearchKnowledge) -> Items<KnowledgeHit>;
    /// What every shop is asked, and whether the documents speak of it.
    knowledge::knowledge_coverage(Empty) -> Items<Covered>;
    /// Questions that nothing in the documents answers, newest first.
    knowledge::list_unanswered(ListKnowledge) -> Page<UnansweredRow>;
    /// Takes a question off that list.
    knowledge::dismiss_unanswered(DismissUnanswered) -> Empty;

    /// What came in, newest first, each with its verdict.
    arrivals::list_arrivals(ListArrivals) -> Page<ArrivalRow>;
    /// One arrival, raw, with secrets masked.
    arrivals::get_arrival(GetArrival) -> ArrivalWhole;
    /// Reads an arrival again; what it did before is not done twice.
    arrivals::replay_arrival(GetArrival) -> ArrivalRow;
    /// Requests that were refused, newest first; a line each, never their body.
    arrivals::list_refusals(ListRefusals) -> Page<RefusalRow>;
    /// What goes out, newest first.
    deliveries::list_deliveries(ListDeliveries) -> Page<DeliveryRow>;
    /// Sends a failed, parked or unconfirmed message again.
    deliveries::retry_delivery(RetryDelivery) -> DeliveryRow;
    /// The answers of agents, newest first.
    turns::list_turns(ListTurns) -> Page<TurnRow>;
    /// One answer of an agent, step by step.
    turns::get_turn(GetTurn) -> TurnWhole;
    /// An arrival to be taken along into a Lab, without its secrets.
    arrivals::export_arrival(GetArrival) -> CapturedArrival;

    /// The Lab: its channels, and what else can be played.
    lab::lab_state(Empty) -> LabState;
    /// Adds a channel to the Lab, with a stand-in for its service and made-up credentials.
    lab::lab_add_channel(AddLabChannel) -> LabChannel;
    /// Takes a channel out of the Lab; what was said over it stays readable.
    lab::lab_remove_channel(GetLabChannel) -> Empty;
    /// Says what real life does to the messages of a channel.
    lab::lab_set_weather(SetLabWeather) -> LabChannel;
    /// How much was written, arrived, was lost or came twice: everywhere, on one channel, or in one thread of it.
    lab::lab_counts(AskLabCounts) -> LabCounts;
    /// Copies agents and what they may quote from another profile on this computer; never a connection or a secret.
    lab::lab_copy_agents(CopyAgents) -> LabCopied;
    /// Plays an arrival that was taken along from a real shop, as often as asked.
    lab::lab_replay_arrival(ReplayInLab) -> LabReplayed;
    /// A customer says something.
    lab_phone::lab_say(SayInLab) -> Empty;
    /// What a customer's phone shows, and what the hub did.
    lab_phone::lab_thread(GetLabThread) -> LabThread;
    /// Customers that can be played again, by name.
    lab_scripts::lab_list_scripts(Empty) -> Items<LabScript>;
    /// Keeps a customer that can be played again.
    lab_scripts::lab_save_script(LabScript) -> LabScript;
    /// Forgets one.
    lab_scripts::lab_delete_script(GetLabScript) -> Empty;
    /// Plays one and says step by step how it went.
    lab_scripts::lab_run_script(GetLabScript) -> LabRun;

    /// Totals per connection, first response time, cost.
    analytics::analytics(AskAnalytics) -> Analytics;
}

/// Asks the hub `name` with `body` (an object; nothing counts as an empty one).
///
/// # Errors
/// Whatever the command answers; [`Error::in_language`] with [`Hub::language`] makes it readable.
pub async fn dispatch(hub: &Arc<Hub>, name: &str, body: Value) -> Result<Value> {
    let started = std::time::Instant::now();
    let answer = run(hub, name, body).await;
    match &answer {
        Err(error) if error.code == Code::Internal => {
            tracing::error!(command.name = shortened(name), error = ?error.source, "A command failed by our own fault.");
        }
        Err(error) => tracing::debug!(command.name = shortened(name), error.code = ?error.code, "A command was refused."),
        Ok(_) => tracing::debug!(command.name = shortened(name), duration_ms = started.elapsed().as_millis(), "Answered a command."),
    }
    answer
}

/// Reads a request; every wrong field by its path.
fn read<T: DeserializeOwned>(body: Value) -> Result<T> {
    let body = if body.is_null() { Value::Object(serde_json::Map::new()) } else { body };
    serde_path_to_error::deserialize(body).map_err(|error| Error::fields(vec![crate::connector::field_error(&error)]))
}

/// A name that a caller made up, fit for a sentence.
fn shortened(name: &str) -> &str {
    name.char_indices().nth(60).map_or(name, |(end, _)| &name[..end])
}

#[cfg(test)]
mod tests;
