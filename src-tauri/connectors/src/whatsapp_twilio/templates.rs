//! The account's templates ("content"), and what WhatsApp says of them.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value};
use shopbell_core::connector::{GapKind, Link, ServiceError, Template, TemplateGap, TemplateStatus};
use shopbell_core::http::Call;
use url::Url;

use crate::twilio::Config;
use crate::twilio::api::{self, Product};

const PATH: &str = "/v1/ContentAndApprovals";
/// Pages of templates that are read.
const PAGES: usize = 20;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Page {
    contents: Vec<Value>,
    meta: crate::twilio::wire::PageMeta,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    sid: String,
    friendly_name: Option<String>,
    language: Option<String>,
    variables: Option<Map<String, Value>>,
    types: Map<String, Value>,
    approval_requests: Option<Approval>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Approval {
    name: Option<String>,
    category: Option<String>,
    status: Option<String>,
}

/// All templates that were handed in to WhatsApp. One that never was cannot be sent outside of a conversation, and inside of one plain
/// words do as well.
pub async fn list(link: Link<'_, Config>) -> Result<Vec<Template>, ServiceError> {
    let mut query = "PageSize=100".to_owned();
    let mut templates = Vec::new();
    for _ in 0..PAGES {
        let page: Page = api::send(api::request(link, Method::GET, Product::Content, &format!("{PATH}?{query}"))?, Call::Reads).await?;
        templates.extend(page.contents.into_iter().filter_map(|row| template(serde_json::from_value(row).ok()?)));
        // Of the next page's address only its query is believed.
        let next = page.meta.next_page_url.and_then(|url| Url::parse(&url).ok()?.query().map(str::to_owned));
        let Some(next) = next.filter(|next| *next != query) else { break };
        query = next;
    }
    Ok(templates)
}

fn template(row: Row) -> Option<Template> {
    let approval = row.approval_requests.unwrap_or_default();
    let status = match approval.status.as_deref()?.to_ascii_lowercase().as_str() {
        "approved" => TemplateStatus::Approved,
        "pending" | "received" | "in_review" => TemplateStatus::Pending,
        "paused" => TemplateStatus::Paused,
        "disabled" => TemplateStatus::Disabled,
        "rejected" => TemplateStatus::Rejected,
        // "unsubmitted", and whatever Twilio thinks of next: not to be sent.
        _ => return None,
    };
    let shape = Shape::of(&row.types);
    let gaps = gaps(&shape, row.variables.unwrap_or_default());
    Some(Template {
        id: row.sid,
        name: approval.name.or(row.friendly_name).unwrap_or_default(),
        language: row.language.unwrap_or_default(),
        category: approval.category.unwrap_or_default().to_ascii_lowercase(),
        status,
        header: shape.header,
        body: shape.body,
        footer: shape.footer,
        buttons: shape.buttons,
        gaps,
    })
}

/// What a template looks like, whichever of its types it is written in.
#[derive(Default)]
struct Shape {
    header: Option<String>,
    body: String,
    footer: Option<String>,
    buttons: Vec<String>,
    /// Everything that may hold a gap, words or not.
    whole: String,
}

impl Shape {
    /// The richest type is the one that WhatsApp shows; plain text is what other channels get.
    fn of(types: &Map<String, Value>) -> Self {
        let Some((kind, fields)) = types.iter().max_by_key(|(kind, _)| u8::from(kind.as_str() != "twilio/text")) else {
            return Self::default();
        };
        let text = |name: &str| fields[name].as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
        let body = text("body").or_else(|| text("title")).or_else(|| text("label"));
        let actions = fields["actions"].as_array().or_else(|| fields["items"].as_array());
        let labels = actions.into_iter().flatten().filter_map(|action| action["title"].as_str().or_else(|| action["item"].as_str()));
        Self {
            header: text("header_text").or_else(|| text("title").filter(|_| kind.ends_with("/card") && text("body").is_some())),
            body: body.unwrap_or_default(),
            footer: text("footer").or_else(|| text("subtitle")),
            buttons: labels.map(str::to_owned).collect(),
            whole: fields.to_string(),
        }
    }
}

/// The gaps in the order of their numbers; a gap that the author gave no example for counts too.
fn gaps(shape: &Shape, examples: Map<String, Value>) -> Vec<TemplateGap> {
    let written = shape.whole.split("{{").skip(1).filter_map(|part| part.split_once("}}")).map(|(name, _)| name.trim());
    let mut names: Vec<String> = Vec::new();
    for name in written.filter(|name| !name.is_empty() && name.len() <= 64) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names.sort_by_key(|name| name.parse::<u32>().unwrap_or(u32::MAX));
    let example = |name: &str| examples.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    names.into_iter().map(|name| TemplateGap { example: example(&name), label: name.clone(), key: name, kind: GapKind::Text }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(row: Value) -> Option<Template> {
        template(serde_json::from_value(row).unwrap())
    }

    #[test]
    fn a_template_is_shown_as_whatsapp_shows_it() {
        let template = read(json!({
            "sid": "HX1", "friendly_name": "order_ready", "language": "pt_BR", "variables": { "2": "18:00", "1": "Ana" },
            "types": {
                "twilio/text": { "body": "Oi {{1}}" },
                "twilio/quick-reply": { "body": "Oi {{1}}, pronto às {{2}}. {{ 10 }}", "actions": [{ "title": "Vou buscar", "id": "pick" }] },
            },
            "approval_requests": { "name": "order_ready_v2", "category": "UTILITY", "status": "approved" },
        }))
        .unwrap();
        assert_eq!(template.name, "order_ready_v2");
        assert_eq!((template.status, template.category.as_str()), (TemplateStatus::Approved, "utility"));
        assert_eq!(template.body, "Oi {{1}}, pronto às {{2}}. {{ 10 }}");
        assert_eq!(template.buttons, ["Vou buscar"]);
        let gaps: Vec<_> = template.gaps.iter().map(|gap| (gap.key.as_str(), gap.example.as_deref())).collect();
        assert_eq!(gaps, [("1", Some("Ana")), ("2", Some("18:00")), ("10", None)], "in the order of their numbers");
    }

    #[test]
    fn only_what_was_handed_in_is_listed() {
        let row = |status: Value| read(json!({ "sid": "HX1", "types": {}, "approval_requests": { "status": status } }));
        assert!(row(json!("unsubmitted")).is_none() && row(Value::Null).is_none());
        for (status, expected) in [("pending", TemplateStatus::Pending), ("REJECTED", TemplateStatus::Rejected), ("paused", TemplateStatus::Paused)] {
            assert_eq!(row(json!(status)).unwrap().status, expected);
        }
        let card = read(json!({
            "sid": "HX2", "types": { "whatsapp/card": { "header_text": "Oferta", "body": "Só hoje", "footer": "Padaria", "actions": [
                { "type": "URL", "title": "Ver", "url": "https://x.example/{{1}}" } ] } },
            "approval_requests": { "status": "approved" },
        }))
        .unwrap();
        assert_eq!((card.header.as_deref(), card.footer.as_deref()), (Some("Oferta"), Some("Padaria")));
        assert_eq!(card.gaps.len(), 1, "a gap in a link counts");
    }
}
