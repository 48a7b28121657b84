//! How one signs in: the account itself at Instagram, or the Facebook account that keeps its Page.

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Map, Value};
use shopbell_core::connector::{
    AccountToken, Action, At, CallBy, Exchange, OAuthClient, Opened, Part, Plan, Renewal, ServiceError, ShownBy, SignIn, Unready, Wanted, Way,
};
use shopbell_core::error::Sentence;
use shopbell_core::http::Call;
use shopbell_core::say;
use shopbell_core::secret::Secret;

use super::{Flavour, GRAPH_VERSION, api};
use crate::meta::graph;
use crate::meta::sign_in::{call, facebook, fixed};
use crate::settings;

/// What is asked for at Instagram.
const SCOPES: [&str; 2] = ["instagram_business_basic", "instagram_business_manage_messages"];
/// What is asked for at Facebook.
const PAGE_SCOPES: [&str; 6] =
    ["instagram_basic", "instagram_manage_messages", "pages_manage_metadata", "pages_messaging", "pages_show_list", "business_management"];

/// The role.
pub struct InstagramSignIn;

fn flavour(at: At<'_>) -> Flavour {
    match at.text("flavour") {
        Some("facebook_page") => Flavour::FacebookPage,
        Some(_) | None => Flavour::InstagramLogin,
    }
}

/// An address of the service, or the same place at the one that the owner typed.
fn typed(at: At<'_>, usual: &str) -> String {
    settings::base(at.text("base_url"), usual).to_owned()
}

fn version(at: At<'_>) -> &str {
    at.text("graph_version").unwrap_or(GRAPH_VERSION)
}

/// Instagram Login: <https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login>.
fn instagram(at: At<'_>) -> Plan {
    let graph = typed(at, "https://graph.instagram.com");
    let token = format!("{}/oauth/access_token", typed(at, "https://api.instagram.com"));
    let client = OAuthClient::Known {
        id: at.text("app_id").unwrap_or_default().to_owned(),
        secret_field: Some("app_secret".into()),
        shown: ShownBy::Body,
    };
    Plan {
        scopes: SCOPES.map(Wanted::needed).to_vec(),
        separator: ',',
        pkce: false,
        exchange: Exchange::Call(call(
            CallBy::Post,
            token.clone(),
            &[
                ("client_id", Part::ClientId),
                ("client_secret", Part::ClientSecret),
                ("grant_type", fixed("authorization_code")),
                ("redirect_uri", Part::RedirectUri),
                ("code", Part::Code),
            ],
        )),
        lengthen: Some(call(
            CallBy::Get,
            format!("{graph}/access_token"),
            &[("grant_type", fixed("ig_exchange_token")), ("client_secret", Part::ClientSecret), ("access_token", Part::AccessToken)],
        )),
        renewal: Renewal::Call(call(
            CallBy::Get,
            format!("{graph}/refresh_access_token"),
            &[("grant_type", fixed("ig_refresh_token")), ("access_token", Part::AccessToken)],
        )),
        field: Some("access_token".into()),
        ..Plan::standard(format!("{}/oauth/authorize", typed(at, "https://www.instagram.com")), token, client, &[Way::Public])
    }
}

async fn get(at: At<'_>, usual: &str, access: &Secret, path: &str) -> Result<Value, ServiceError> {
    let url = format!("{}/{}/{path}", typed(at, usual), version(at));
    let request = at.http.request(Method::GET, &url)?.bearer_auth(access.reveal());
    graph::exchange(request, Call::Reads).await.map_err(api::meaning)
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

#[async_trait]
impl SignIn for InstagramSignIn {
    fn provider(&self) -> &'static str {
        "Instagram"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["app_id", "app_secret"]
    }

    async fn plan(&self, at: At<'_>) -> Result<Plan, Unready> {
        if let Some(wrong) = settings::check_base_url(at.text("base_url")) {
            return Err(Unready::Fields(vec![wrong]));
        }
        Ok(match flavour(at) {
            Flavour::InstagramLogin => instagram(at),
            Flavour::FacebookPage => {
                let dialog = format!("{}/{}/dialog/oauth", typed(at, "https://www.facebook.com"), version(at));
                facebook(at, dialog, &format!("{}/{}", typed(at, graph::ADDRESS), version(at)), &PAGE_SCOPES)
            }
        })
    }

    async fn accounts(&self, at: At<'_>, access: &Secret) -> Result<Vec<Opened>, ServiceError> {
        match flavour(at) {
            Flavour::InstagramLogin => {
                let me = get(at, "https://graph.instagram.com", access, "me?fields=user_id,username,account_type").await?;
                // `id` is only the app's own name of it; webhooks and sending use `user_id`.
                let id = me["user_id"].as_str().map_or_else(|| me["user_id"].to_string(), str::to_owned);
                if !id.bytes().all(|byte| byte.is_ascii_digit()) || id.is_empty() {
                    return Err(ServiceError::Permanent(say!("The service names no account for this sign-in. Sign in again with another account.")));
                }
                if matches!(text(&me, "account_type"), "PERSONAL") {
                    let sentence = say!("This is a private Instagram account. Make it a professional one in the app under Settings > Account type, then sign in again.");
                    return Err(ServiceError::Refused { action: Action::FixAccount, sentence });
                }
                Ok(vec![Opened { fill: fill(&id), name: format!("@{}", text(&me, "username")), id, token: None }])
            }
            Flavour::FacebookPage => {
                let fields = "id,name,access_token,instagram_business_account{id,username}";
                let pages = get(at, graph::ADDRESS, access, &format!("me/accounts?limit=100&fields={fields}")).await?;
                let pages: Vec<&Value> = pages["data"].as_array().into_iter().flatten().collect();
                if pages.is_empty() {
                    let sentence = say!("This Facebook account keeps no Page, or you ticked none. Sign in again, choose the Page, and tick everything.");
                    return Err(ServiceError::Refused { action: Action::GrantPermission, sentence });
                }
                let opened: Vec<Opened> = pages.into_iter().filter_map(of_page).collect();
                if opened.is_empty() {
                    let sentence = say!("None of your Pages has an Instagram account. Link it in the Page's settings under Linked accounts, then sign in again.");
                    return Err(ServiceError::Refused { action: Action::FixAccount, sentence });
                }
                Ok(opened)
            }
        }
    }

    fn meaning(&self, scope: &str) -> Sentence {
        match scope {
            "instagram_business_manage_messages" | "instagram_manage_messages" => say!("to read and answer your messages"),
            "instagram_business_basic" | "instagram_basic" => say!("to see which account it is"),
            "pages_show_list" | "business_management" => say!("to see the list of your Pages"),
            "pages_manage_metadata" | "pages_messaging" => say!("to be told of new messages of your Page"),
            other => Sentence::verbatim(other),
        }
    }
}

fn fill(id: &str) -> Map<String, Value> {
    Map::from_iter([("account_id".to_owned(), Value::from(id))])
}

/// The account that is linked to a Page. The Page's own token does not end.
fn of_page(page: &Value) -> Option<Opened> {
    let account = &page["instagram_business_account"];
    let id = account["id"].as_str().filter(|id| !id.is_empty())?;
    let access = page["access_token"].as_str().filter(|token| !token.is_empty())?;
    Some(Opened {
        id: id.to_owned(),
        name: format!("@{} ({})", text(account, "username"), text(page, "name")),
        fill: fill(id),
        token: Some(AccountToken { access: Secret::new(access), lifetime: None }),
    })
}
