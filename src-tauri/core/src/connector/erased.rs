//! From typed connectors to the registry: authors write `Connector<Config = MyConfig>`, the hub holds `dyn AnyConnector`.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde_json::Value;

use super::{
    About, Account, AnyConnector, AnyLink, Channel, ChannelRules, Chunk, Connector, Conversion, Event, Fetched, Forged, Link, Malformed,
    Model, ModelRow, Outgoing, Page, PageLook, Profile, Prompt, Receipt, Request, Roles, ServiceError, Settings, SharedCallback, SignIn,
    Sink, StartSimulator, Template, WebhookState,
};
use crate::connector::Reports;
use crate::error::Sentence;
use crate::model::Address;
use crate::say;

/// Makes a connector fit for the registry.
pub fn erase<K: Connector>(connector: K) -> Arc<dyn AnyConnector> {
    let Roles { channel, model, page, sign_in } = connector.roles();
    Arc::new(Erased { connector, channel: channel.map(ErasedChannel), model: model.map(ErasedModel), page: page.map(ErasedPage), sign_in })
}

struct Erased<K: Connector> {
    connector: K,
    channel: Option<ErasedChannel<K::Config>>,
    model: Option<ErasedModel<K::Config>>,
    page: Option<ErasedPage<K::Config>>,
    sign_in: Option<Box<dyn SignIn>>,
}

struct ErasedChannel<C: Send + Sync>(Box<dyn Channel<C>>);
struct ErasedModel<C: Send + Sync>(Box<dyn Model<C>>);
struct ErasedPage<C: Send + Sync>(Box<dyn Page<C>>);

fn typed<C: 'static>(settings: &Settings) -> &C {
    settings.downcast_ref().expect("settings are read by the connector that uses them")
}

fn typed_link<C: 'static>(link: AnyLink<'_>) -> Link<'_, C> {
    Link {
        connection: link.connection,
        config: typed(link.config),
        http: link.http,
        media: link.media,
        clock: link.clock,
        access: link.access,
    }
}

#[async_trait]
impl<K: Connector> AnyConnector for Erased<K> {
    fn about(&self) -> About {
        self.connector.about()
    }

    fn schema(&self) -> Value {
        let mut generator =
            schemars::generate::SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true).into_generator();
        generator.root_schema_for::<K::Config>().to_value()
    }

    fn settings(&self, config: Value) -> Result<Settings, Vec<(String, Sentence)>> {
        let config: K::Config = serde_path_to_error::deserialize(config).map_err(|error| vec![field_error(&error)])?;
        let wrong = self.connector.check(&config);
        if wrong.is_empty() { Ok(Arc::new(config)) } else { Err(wrong) }
    }

    async fn test(&self, link: AnyLink<'_>) -> Result<Account, ServiceError> {
        self.connector.test(typed_link(link)).await
    }

    fn simulator(&self) -> Option<StartSimulator> {
        self.connector.simulator()
    }

    fn channel(&self) -> Option<&dyn Channel<Settings>> {
        self.channel.as_ref().map(|channel| channel as _)
    }

    fn model(&self) -> Option<&dyn Model<Settings>> {
        self.model.as_ref().map(|model| model as _)
    }

    fn page(&self) -> Option<&dyn Page<Settings>> {
        self.page.as_ref().map(|page| page as _)
    }

    fn sign_in(&self) -> Option<&dyn SignIn> {
        self.sign_in.as_deref()
    }
}

/// A wrong field, by path, in words a person can use. Serde's own text is for programmers.
pub fn field_error(error: &serde_path_to_error::Error<serde_json::Error>) -> (String, Sentence) {
    let path = error.path().to_string();
    let text = error.inner().to_string();
    let quoted = |text: &str| text.split('`').nth(1).unwrap_or_default().to_owned();
    if text.starts_with("missing field") {
        let name = quoted(&text);
        let path = if path == "." { name } else { format!("{path}.{name}") };
        return (path, say!("This is needed."));
    }
    if text.starts_with("unknown field") {
        let name = quoted(&text);
        let path = if path == "." { name.clone() } else { path };
        return (path, say!("There is no field called {name}.", name = name));
    }
    if text.starts_with("unknown variant") {
        let allowed = text.split("expected ").nth(1).unwrap_or_default().replace('`', "").replace("one of ", "");
        return (path, say!("Choose one of: {allowed}.", allowed = allowed.split(" at line").next().unwrap_or_default()));
    }
    let sentence = if text.contains("expected a string") {
        say!("This must be text.")
    } else if text.contains("expected a boolean") {
        say!("This must be yes or no.")
    } else if text.contains("expected a sequence") {
        say!("This must be a list.")
    } else if text.contains("expected struct") || text.contains("expected a map") {
        say!("This must be a group of fields.")
    } else if text.contains("expected u") || text.contains("expected i") || text.contains("expected f") {
        say!("This must be a number in the right range.")
    } else {
        say!("This cannot be read. Check it and try again.")
    };
    (path, sentence)
}

#[async_trait]
impl<C: Send + Sync + 'static> Channel<Settings> for ErasedChannel<C> {
    fn rules(&self) -> ChannelRules {
        self.0.rules()
    }
    fn verify(&self, config: &Settings, request: &Request) -> Result<(), Forged> {
        self.0.verify(typed(config), request)
    }
    fn parse(&self, config: &Settings, request: &Request) -> Result<Vec<Event>, Malformed> {
        self.0.parse(typed(config), request)
    }
    async fn send(&self, link: AnyLink<'_>, message: &Outgoing) -> Result<Receipt, ServiceError> {
        self.0.send(typed_link(link), message).await
    }
    fn challenge(&self, config: &Settings, request: &Request) -> Option<Result<String, Forged>> {
        self.0.challenge(typed(config), request)
    }
    fn listens(&self, config: &Settings) -> bool {
        self.0.listens(typed(config))
    }
    async fn listen(&self, link: AnyLink<'_>, cursor: Option<String>, sink: &dyn Sink) -> Result<(), ServiceError> {
        self.0.listen(typed_link(link), cursor, sink).await
    }
    async fn subscribe(&self, link: AnyLink<'_>, url: &str) -> Result<WebhookState, ServiceError> {
        self.0.subscribe(typed_link(link), url).await
    }
    async fn webhook_state(&self, link: AnyLink<'_>) -> Result<WebhookState, ServiceError> {
        self.0.webhook_state(typed_link(link)).await
    }
    async fn reconcile(&self, link: AnyLink<'_>, message: &Outgoing) -> Result<Option<Receipt>, ServiceError> {
        self.0.reconcile(typed_link(link), message).await
    }
    async fn fetch_media(&self, link: AnyLink<'_>, reference: &str) -> Result<Fetched, ServiceError> {
        self.0.fetch_media(typed_link(link), reference).await
    }
    async fn typing(&self, link: AnyLink<'_>, thread: &str, answering: Option<&str>) -> Result<(), ServiceError> {
        self.0.typing(typed_link(link), thread, answering).await
    }
    fn shared_callback(&self, config: &Settings) -> Option<SharedCallback> {
        self.0.shared_callback(typed(config))
    }
    fn concerns(&self, config: &Settings, request: &Request) -> bool {
        self.0.concerns(typed(config), request)
    }
    async fn mark_read(&self, link: AnyLink<'_>, thread: &str, external_id: &str) -> Result<(), ServiceError> {
        self.0.mark_read(typed_link(link), thread, external_id).await
    }
    async fn profile(&self, link: AnyLink<'_>, address: &Address) -> Result<Option<Profile>, ServiceError> {
        self.0.profile(typed_link(link), address).await
    }
    async fn templates(&self, link: AnyLink<'_>) -> Result<Vec<Template>, ServiceError> {
        self.0.templates(typed_link(link)).await
    }
    fn reports(&self, config: &Settings) -> Reports {
        self.0.reports(typed(config))
    }
    async fn report(&self, link: AnyLink<'_>, conversion: &Conversion) -> Result<(), ServiceError> {
        self.0.report(typed_link(link), conversion).await
    }
    async fn acknowledge(&self, link: AnyLink<'_>, what: &str) -> Result<(), ServiceError> {
        self.0.acknowledge(typed_link(link), what).await
    }
}

#[async_trait]
impl<C: Send + Sync + 'static> Model<Settings> for ErasedModel<C> {
    async fn models(&self, link: AnyLink<'_>) -> Result<Vec<ModelRow>, ServiceError> {
        self.0.models(typed_link(link)).await
    }
    fn default_model(&self, config: &Settings) -> String {
        self.0.default_model(typed(config))
    }
    async fn respond(&self, link: AnyLink<'_>, prompt: &Prompt) -> Result<BoxStream<'static, Result<Chunk, ServiceError>>, ServiceError> {
        self.0.respond(typed_link(link), prompt).await
    }
}

impl<C: Send + Sync + 'static> Page<Settings> for ErasedPage<C> {
    fn look(&self, config: &Settings) -> PageLook {
        self.0.look(typed(config))
    }
}
