//! Facebook Login for Business with the owner's own app: the business account and the number are chosen from what the owner allowed, the
//! account is subscribed, and the number registered.
//!
//! See <https://developers.facebook.com/docs/facebook-login/facebook-login-for-business>.

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Map, Value, json};
use shopbell_core::connector::{Action, At, Opened, Plan, ServiceError, SetupStepName, SignIn, Unready};
use shopbell_core::error::Sentence;
use shopbell_core::http::Call;
use shopbell_core::say;
use shopbell_core::secret::Secret;

use super::{api, version};
use crate::meta::graph::{self, Failure};
use crate::meta::sign_in::facebook;
use crate::meta::whatsapp;
use crate::settings;

/// What is asked for.
const SCOPES: [&str; 2] = [MANAGE, "whatsapp_business_messaging"];
const MANAGE: &str = "whatsapp_business_management";
/// At most so many business accounts are looked through for numbers.
const MOST_ACCOUNTS: usize = 50;

/// The role.
pub struct MetaSignIn;

/// The Graph API for one sign-in.
#[derive(Clone, Copy)]
struct Graph<'a> {
    at: At<'a>,
    access: &'a Secret,
}

impl Graph<'_> {
    async fn ask(self, method: Method, path: &str, query: &[(&str, &str)], body: Option<&Value>) -> Result<Value, ServiceError> {
        let proof = api::proof_of(self.at.text("app_secret").unwrap_or_default(), self.access.reveal());
        let pairs = query.iter().copied().chain([("appsecret_proof", proof.as_str())]);
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let mut request = self.at.http.request(method.clone(), &format!("{}/{path}?{query}", graph_of(self.at)))?.bearer_auth(self.access.reveal());
        if let Some(body) = body {
            request = request.json(body);
        }
        // Subscribing and registering a second time changes nothing: each of these calls may be made again.
        graph::exchange(request, Call::Reads).await.map_err(|failure| match failure {
            Failure::Error(error) => error,
            Failure::Refused(refusal) => refused(&refusal),
        })
    }

    async fn get(self, path: &str, query: &[(&str, &str)]) -> Result<Value, ServiceError> {
        self.ask(Method::GET, path, query, None).await
    }

    /// The business accounts that the owner allowed, by the token's own word.
    async fn accounts(self) -> Result<Vec<String>, ServiceError> {
        let (id, secret) = (self.at.text("app_id").unwrap_or_default(), self.at.text("app_secret").unwrap_or_default());
        let url = format!("{}/debug_token?input_token={}", graph_of(self.at), escaped(self.access.reveal()));
        let request = self.at.http.request(Method::GET, &url)?.bearer_auth(format!("{id}|{secret}"));
        let told = graph::exchange(request, Call::Reads).await.map_err(ServiceError::from)?;
        let scopes = told["data"]["granular_scopes"].as_array().into_iter().flatten();
        let named = scopes.filter(|scope| scope["scope"] == MANAGE).flat_map(|scope| scope["target_ids"].as_array().into_iter().flatten());
        let named: Vec<String> = named.filter_map(Value::as_str).map(str::to_owned).collect();
        if !named.is_empty() {
            return Ok(named);
        }
        // A token for everything names nothing: then it is what the owner's businesses have.
        let fields = "owned_whatsapp_business_accounts.limit(100){id}";
        let businesses = self.get("me/businesses", &[("fields", fields), ("limit", "100")]).await?;
        let accounts = businesses["data"].as_array().into_iter().flatten();
        let accounts = accounts.flat_map(|business| business["owned_whatsapp_business_accounts"]["data"].as_array().into_iter().flatten());
        Ok(accounts.filter_map(|account| account["id"].as_str()).map(str::to_owned).collect())
    }
}

fn graph_of(at: At<'_>) -> String {
    let typed = at.text("graph_version").map(str::to_owned).unwrap_or_else(version::default);
    format!("{}/{}", settings::base(at.text("base_url"), graph::ADDRESS), version::of(&typed))
}

fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn refused(refusal: &graph::Refusal) -> ServiceError {
    let refuse = |action, sentence| ServiceError::Refused { action, sentence };
    match refusal.code {
        133_005 => refuse(Action::FixAccount, say!("This is not the number's PIN. Type the one that was set in WhatsApp Manager, or change it there.")),
        133_016 => refuse(Action::SlowDown, say!("The number was registered too often. Meta takes it again after three days.")),
        133_006 => refuse(Action::FixAccount, say!("The number is not verified yet. Do it in WhatsApp Manager under Phone numbers.")),
        _ => api::refused(refusal),
    }
}

/// One number of an account, with the settings that follow from it.
fn opened(account: &str, number: &Value) -> Option<Opened> {
    let id = number["id"].as_str().filter(|id| whatsapp::is_plain_id(id))?;
    let shown = number["display_phone_number"].as_str().unwrap_or(id);
    let name = number["verified_name"].as_str().unwrap_or_default();
    let fill = [
        ("phone_number", format!("+{}", whatsapp::digits(shown))),
        ("display_name", if name.is_empty() { shown.to_owned() } else { name.to_owned() }),
        ("phone_number_id", id.to_owned()),
        ("business_account_id", account.to_owned()),
    ];
    let named = if name.is_empty() { shown.to_owned() } else { format!("{name} ({shown})") };
    Some(Opened { id: id.to_owned(), name: named, fill: fill.map(|(field, text)| (field.to_owned(), Value::from(text))).into_iter().collect::<Map<_, _>>(), token: None })
}

#[async_trait]
impl SignIn for MetaSignIn {
    fn provider(&self) -> &'static str {
        "Facebook"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["app_id", "app_secret"]
    }

    async fn plan(&self, at: At<'_>) -> Result<Plan, Unready> {
        if let Some(wrong) = settings::check_base_url(at.text("base_url")) {
            return Err(Unready::Fields(vec![wrong]));
        }
        let graph = graph_of(at);
        let version = graph.rsplit('/').next().unwrap_or_default();
        let dialog = format!("{}/{version}/dialog/oauth", settings::base(at.text("base_url"), "https://www.facebook.com"));
        let plan = facebook(at, dialog, &graph, &SCOPES);
        Ok(match at.text("login_config_id") {
            None => plan,
            // The configuration says what is asked for, and for how long; its token is a system user's and long from the start.
            Some(id) => Plan {
                scopes: Vec::new(),
                lengthen: None,
                more: [("config_id", id), ("override_default_response_type", "true")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .to_vec(),
                ..plan
            },
        })
    }

    async fn accounts(&self, at: At<'_>, access: &Secret) -> Result<Vec<Opened>, ServiceError> {
        let graph = Graph { at, access };
        let accounts = graph.accounts().await?;
        if accounts.is_empty() {
            let sentence = say!(
                "This Facebook account has no WhatsApp Business account, or you ticked none. Make one at business.facebook.com, then sign in again and tick it."
            );
            return Err(ServiceError::Refused { action: Action::FixAccount, sentence });
        }
        let mut all = Vec::new();
        for account in accounts.iter().filter(|id| whatsapp::is_plain_id(id)).take(MOST_ACCOUNTS) {
            let query = [("fields", "id,display_phone_number,verified_name"), ("limit", "200")];
            let numbers = graph.get(&format!("{account}/phone_numbers"), &query).await?;
            all.extend(numbers["data"].as_array().into_iter().flatten().filter_map(|number| opened(account, number)));
        }
        if all.is_empty() {
            let sentence = say!("Your WhatsApp Business account has no number yet. Add one in WhatsApp Manager under Phone numbers, then sign in again.");
            return Err(ServiceError::Refused { action: Action::FixAccount, sentence });
        }
        Ok(all)
    }

    fn steps(&self) -> &'static [SetupStepName] {
        &[
            SetupStepName { name: "subscribe", words: "The business account sends its messages to your app" },
            SetupStepName { name: "register", words: "The number is registered for sending" },
        ]
    }

    async fn step(&self, name: &str, at: At<'_>, access: &Secret) -> Result<(), ServiceError> {
        let graph = Graph { at, access };
        match name {
            "subscribe" => {
                let path = format!("{}/subscribed_apps", at.text("business_account_id").unwrap_or_default());
                let there = graph.get(&path, &[]).await?;
                let app = at.text("app_id");
                let mut apps = there["data"].as_array().into_iter().flatten();
                // Subscribing again without an address would clear the one that is registered.
                if !apps.any(|one| one["whatsapp_business_api_data"]["id"].as_str() == app) {
                    graph.ask(Method::POST, &path, &[], None).await?;
                }
                Ok(())
            }
            "register" => {
                let number = at.text("phone_number_id").unwrap_or_default();
                let state = graph.get(number, &[("fields", "platform_type,status")]).await?;
                // A number that is in use here already, or in the app on a phone at the same time, is left as it is.
                if state["platform_type"] == "CLOUD_API" && state["status"] == "CONNECTED" {
                    return Ok(());
                }
                let Some(pin) = at.text("pin") else {
                    let sentence = say!("Registering the number takes its PIN of six digits. Type it in the form under Advanced, save, then try again.");
                    return Err(ServiceError::Refused { action: Action::FixAccount, sentence });
                };
                let body = json!({ "messaging_product": "whatsapp", "pin": pin });
                graph.ask(Method::POST, &format!("{number}/register"), &[], Some(&body)).await.map(|_| ())
            }
            other => Err(ServiceError::Permanent(Sentence::verbatim(other))),
        }
    }

    fn meaning(&self, scope: &str) -> Sentence {
        match scope {
            "whatsapp_business_messaging" => say!("to read and answer your messages"),
            MANAGE => say!("to see your WhatsApp numbers"),
            other => Sentence::verbatim(other),
        }
    }
}
