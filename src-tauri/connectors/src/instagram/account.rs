//! The test of a connection: whose token it is, whether the number in the form is the one that webhooks use, what is switched on.

use serde_json::{Map, Value};
use shopbell_core::connector::{Account, Check, Link, Profile, ServiceError};
use shopbell_core::error::Sentence;
use shopbell_core::model::Address;
use shopbell_core::say;

use super::parse::id;
use super::webhook::{self, Which};
use super::{Config, Flavour, Mode, api};

/// What the API tells of the account.
pub struct Own {
    /// The number that webhooks and messages use.
    pub user_id: Option<String>,
    /// The number that only this app sees. It looks the same and never matches.
    pub scoped_id: Option<String>,
    /// Its name without the @.
    pub username: Option<String>,
    kind: Option<String>,
}

/// Asks whose token this is.
pub async fn own(link: Link<'_, Config>) -> Result<Own, ServiceError> {
    match link.config.flavour {
        Flavour::InstagramLogin => {
            let me = api::get(link, &["me"], &[("fields", "user_id,username,name,account_type")]).await.map_err(|failure| explained(link, failure))?;
            let text = |name: &str| me[name].as_str().map(str::to_owned);
            Ok(Own { user_id: id(&me["user_id"]), scoped_id: id(&me["id"]), username: text("username"), kind: text("account_type") })
        }
        Flavour::FacebookPage => {
            let fields = [("fields", "id,name,instagram_business_account{id,username}")];
            let page = api::get(link, &["me"], &fields).await.map_err(|failure| explained(link, failure))?;
            let account = &page["instagram_business_account"];
            Ok(Own {
                user_id: id(&account["id"]),
                scoped_id: None,
                username: account["username"].as_str().map(str::to_owned),
                kind: None,
            })
        }
    }
}

/// Who a customer is. Instagram tells of those only who have written to the shop.
pub async fn profile(link: Link<'_, Config>, address: &Address) -> Result<Option<Profile>, ServiceError> {
    if !is_number(&address.value) {
        return Ok(None);
    }
    let customer = api::get(link, &[&address.value], &[("fields", "name,username")]).await.map_err(api::meaning)?;
    let text = |name: &str| customer[name].as_str().map(str::to_owned);
    Ok(Some(Profile { name: text("name"), username: text("username") }))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A token of the other way in is refused in words that lead nowhere. How it begins tells.
fn explained(link: Link<'_, Config>, failure: crate::meta::graph::Failure) -> ServiceError {
    let token = link.config.access_token.reveal().trim();
    match (api::meaning(failure), link.config.flavour) {
        (ServiceError::Unauthorized(_), Flavour::InstagramLogin) if token.starts_with("EAA") => ServiceError::Unauthorized(say!(
            "Instagram does not accept this access token: it is one of Facebook's. Choose Facebook Page above, or generate a token at API setup with Instagram login."
        )),
        (ServiceError::Unauthorized(_), Flavour::FacebookPage) if token.starts_with("IG") => {
            ServiceError::Unauthorized(say!("Facebook does not accept this access token: it is one of Instagram's. Choose Instagram Login above."))
        }
        (error, _) => error,
    }
}

/// Proves what can be proven without a customer noticing.
pub async fn test(link: Link<'_, Config>) -> Result<Account, ServiceError> {
    let own = own(link).await?;
    let yes = |text: Sentence| Check { ok: true, text: text.to_string() };
    let not_yet = |text: Sentence| Check { ok: false, text: text.to_string() };
    let mut checks = vec![yes(say!("Instagram accepts the access token."))];
    checks.push(match whose(link.config.account(), &own) {
        Whose::Right => yes(say!("The account ID is the one that messages come under.")),
        Whose::Scoped(right) => not_yet(say!(
            "This account ID is the one that only your app sees, and no message comes under it. Put {id} into Account ID.",
            id = right
        )),
        Whose::Another(right) => not_yet(say!("The access token belongs to another account. Its ID is {id}.", id = right)),
        Whose::Unknown if link.config.flavour == Flavour::FacebookPage => {
            not_yet(say!("No Instagram account is linked to this Facebook Page. Link it in the Page's settings, under Linked accounts."))
        }
        Whose::Unknown => not_yet(say!("Instagram did not tell the account's ID. Generate a token that has instagram_business_basic.")),
    });
    if own.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("personal")) {
        checks.push(not_yet(say!("This is a personal account. Switch it to a professional one in the Instagram app.")));
    }
    let mut details = Map::new();
    details.insert("account_id".into(), own.user_id.clone().into());
    details.insert("username".into(), own.username.clone().into());
    details.insert("account_type".into(), own.kind.clone().into());
    match link.config.mode {
        Mode::Polling => checks.push(yes(say!("Shopbell fetches the messages every 20 seconds."))),
        Mode::Webhook => {
            // The token is good already; that this cannot be asked just now proves nothing against it.
            let fields = webhook::subscribed(link).await.unwrap_or_default();
            let missing = webhook::missing(&fields);
            checks.push(if fields.is_empty() {
                not_yet(say!("Instagram sends nothing for this account yet. Press Tell Instagram this address."))
            } else if missing.is_empty() {
                yes(say!("Instagram sends this account's messages to your app."))
            } else {
                not_yet(say!("Instagram does not send everything for this account. Missing: {fields}.", fields = missing.join(", ")))
            });
            details.insert("subscribed_fields".into(), fields.into());
            checks.extend(match link.config.signed_by.last() {
                Some(Which::First) => Some(yes(say!("The last message was signed with the app secret."))),
                Some(Which::Second) => Some(yes(say!("The last message was signed with the second app secret."))),
                None => None,
            });
        }
    }
    details.insert("signed_by".into(), link.config.signed_by.last().map_or(Value::Null, |which| match which {
        Which::First => "app_secret".into(),
        Which::Second => "second_secret".into(),
    }));
    let name = own.username.map_or_else(|| link.config.account().to_owned(), |name| format!("@{name}"));
    Ok(Account { name, checks, details })
}

/// Whose number stands in the form.
enum Whose {
    Right,
    Scoped(String),
    Another(String),
    Unknown,
}

fn whose(typed: &str, own: &Own) -> Whose {
    match &own.user_id {
        None => Whose::Unknown,
        Some(right) if right == typed => Whose::Right,
        Some(right) if own.scoped_id.as_deref() == Some(typed) => Whose::Scoped(right.clone()),
        Some(right) => Whose::Another(right.clone()),
    }
}
