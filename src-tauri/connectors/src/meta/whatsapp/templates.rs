//! Templates: what an account has, with its gaps, and one with its gaps filled.
//!
//! The key of a gap says where it stands: `header.1`, `header.media`, `header.location.latitude`, `body.1` or `body.name`, `button.0` (the
//! end of an address), `button.0.code` (a code to copy), `button.0.payload` (what comes back from a quick reply).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shopbell_core::connector::{Action, GapKind, MediaSource, ServiceError, Template, TemplateGap, TemplateStatus};
use shopbell_core::id::MediaId;
use shopbell_core::model::MediaKind;
use shopbell_core::say;

use super::Door;
use super::files;
use super::parse::text;

/// What a place at the top of a template consists of.
const PLACE: [&str; 4] = ["latitude", "longitude", "name", "address"];

/// One template as the service lists it; `None` where not even a name is there.
pub fn read(value: &Value) -> Option<Template> {
    let name = text(&value["name"])?.to_owned();
    let language = text(&value["language"]).or_else(|| text(&value["language"]["code"])).unwrap_or_default().to_owned();
    let mut template = Template {
        id: text(&value["id"]).map_or_else(|| format!("{name}:{language}"), str::to_owned),
        name,
        language,
        category: text(&value["category"]).unwrap_or_default().to_lowercase(),
        status: status(text(&value["status"]).unwrap_or_default()),
        header: None,
        body: String::new(),
        footer: None,
        buttons: Vec::new(),
        gaps: Vec::new(),
    };
    for component in value["components"].as_array().into_iter().flatten() {
        let kind = text(&component["type"]).unwrap_or_default().to_uppercase();
        match kind.as_str() {
            "HEADER" => header(component, &mut template),
            "BODY" => {
                template.body = component["text"].as_str().unwrap_or_default().to_owned();
                let labels = gaps(&template.body);
                template.gaps.extend(
                    labels.iter().enumerate().map(|(index, label)| gap("body", label, example(component, "body_text", label, index))),
                );
            }
            "FOOTER" => template.footer = text(&component["text"]).map(str::to_owned),
            "BUTTONS" => buttons(component, &mut template),
            _ => {}
        }
    }
    Some(template)
}

fn status(word: &str) -> TemplateStatus {
    match word.to_uppercase().as_str() {
        "APPROVED" | "REINSTATED" | "FLAGGED" => TemplateStatus::Approved,
        "REJECTED" => TemplateStatus::Rejected,
        "PAUSED" | "LOCKED" => TemplateStatus::Paused,
        "DISABLED" | "DELETED" | "PENDING_DELETION" | "ARCHIVED" | "LIMIT_EXCEEDED" => TemplateStatus::Disabled,
        _ => TemplateStatus::Pending,
    }
}

fn gap(place: &str, label: &str, example: Option<String>) -> TemplateGap {
    TemplateGap { key: format!("{place}.{label}"), label: label.to_owned(), example, kind: GapKind::Text }
}

/// What stands in `{{…}}`, each once, in order.
fn gaps(words: &str) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for part in words.split("{{").skip(1) {
        if let Some((label, _)) = part.split_once("}}") {
            let label = label.trim().to_owned();
            let is_name = !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '_');
            if is_name && !labels.contains(&label) {
                labels.push(label);
            }
        }
    }
    labels
}

/// The example that the template's author gave: by name, or by place in a list (of lists).
fn example(component: &Value, field: &str, label: &str, index: usize) -> Option<String> {
    let examples = &component["example"];
    let named = examples[format!("{field}_named_params")].as_array().into_iter().flatten();
    let by_name = named.filter(|one| text(&one["param_name"]) == Some(label)).find_map(|one| text(&one["example"]));
    let listed = &examples[field];
    let by_place = if listed[0].is_array() { &listed[0][index] } else { &listed[index] };
    by_name.or_else(|| text(by_place)).map(str::to_owned)
}

fn header(component: &Value, template: &mut Template) {
    let media = |kind| TemplateGap { key: "header.media".into(), label: "media".into(), example: None, kind };
    match text(&component["format"]).unwrap_or("TEXT").to_uppercase().as_str() {
        "IMAGE" => template.gaps.push(media(GapKind::Image)),
        "VIDEO" => template.gaps.push(media(GapKind::Video)),
        "DOCUMENT" => template.gaps.push(media(GapKind::Document)),
        "LOCATION" => template.gaps.extend(PLACE.map(|part| gap("header.location", part, None))),
        "TEXT" => {
            let words = component["text"].as_str().unwrap_or_default();
            template.header = text(&component["text"]).map(str::to_owned);
            let labels = gaps(words);
            template.gaps.extend(
                labels.iter().enumerate().map(|(index, label)| gap("header", label, example(component, "header_text", label, index))),
            );
        }
        _ => {}
    }
}

fn buttons(component: &Value, template: &mut Template) {
    for (index, button) in component["buttons"].as_array().into_iter().flatten().enumerate() {
        let label = text(&button["text"]).unwrap_or_default().to_owned();
        let first = || text(&button["example"][0]).or_else(|| text(&button["example"]));
        let key = match text(&button["type"]).unwrap_or_default().to_uppercase().as_str() {
            "URL" if text(&button["url"]).is_some_and(|url| url.contains("{{")) => Some(format!("button.{index}")),
            "OTP" => Some(format!("button.{index}")),
            "COPY_CODE" => Some(format!("button.{index}.code")),
            _ => None,
        };
        if let Some(key) = key {
            let url = text(&button["url"]).unwrap_or_default();
            let example = first().map(|example| end_of(example, url).to_owned());
            template.gaps.push(TemplateGap { key, label: label.clone(), example, kind: GapKind::Text });
        }
        template.buttons.push(label);
    }
}

/// The example of an address is the whole address; what is filled in is what stands in its gap.
fn end_of<'a>(example: &'a str, url: &str) -> &'a str {
    let Some((before, rest)) = url.split_once("{{") else { return example };
    let after = rest.split_once("}}").map_or("", |(_, after)| after);
    let filled = example.strip_prefix(before).map(|end| end.strip_suffix(after).unwrap_or(end));
    filled.filter(|filled| !filled.is_empty()).unwrap_or(example)
}

/// The values of one place, in the order that the service wants: by number where they are numbers.
fn values_of<'a>(values: &'a BTreeMap<String, String>, place: &str) -> Vec<(&'a str, &'a str)> {
    let mut found: Vec<(&str, &str)> =
        values.iter().filter_map(|(key, value)| Some((key.strip_prefix(place)?.strip_prefix('.')?, value.as_str()))).collect();
    found.sort_by_key(|(label, _)| label.parse::<u32>().unwrap_or(u32::MAX));
    found
}

/// A message from a template.
pub async fn compose(
    door: &Door<'_>,
    media: &dyn MediaSource,
    name: &str,
    language: &str,
    values: &BTreeMap<String, String>,
) -> Result<Value, ServiceError> {
    let mut components = Vec::new();
    if let Some(file) = values.get("header.media") {
        components.push(json!({ "type": "header", "parameters": [header_file(door, media, file).await?] }));
    } else if values.keys().any(|key| key.starts_with("header.location.")) {
        components.push(json!({ "type": "header", "parameters": [place(values)?] }));
    } else {
        worded(values, "header", &mut components);
    }
    worded(values, "body", &mut components);
    for (key, value) in values_of(values, "button") {
        let (index, what) = key.split_once('.').unwrap_or((key, "url"));
        let (sub_type, parameter) = match what {
            "code" => ("copy_code", json!({ "type": "coupon_code", "coupon_code": value })),
            "payload" => ("quick_reply", json!({ "type": "payload", "payload": value })),
            _ => ("url", json!({ "type": "text", "text": value })),
        };
        components.push(json!({ "type": "button", "sub_type": sub_type, "index": index, "parameters": [parameter] }));
    }
    let mut language = json!({ "code": language });
    if let Some(policy) = door.language_policy {
        language["policy"] = policy.into();
    }
    let mut template = json!({ "name": name, "language": language });
    if !components.is_empty() {
        template["components"] = components.into();
    }
    Ok(template)
}

fn worded(values: &BTreeMap<String, String>, place: &str, components: &mut Vec<Value>) {
    let parameters: Vec<Value> = values_of(values, place)
        .into_iter()
        .map(|(label, value)| match label.parse::<u32>() {
            Ok(_) => json!({ "type": "text", "text": value }),
            Err(_) => json!({ "type": "text", "text": value, "parameter_name": label }),
        })
        .collect();
    if !parameters.is_empty() {
        components.push(json!({ "type": place, "parameters": parameters }));
    }
}

/// The place at the top of a template.
fn place(values: &BTreeMap<String, String>) -> Result<Value, ServiceError> {
    let mut place = json!({});
    for part in PLACE {
        let Some(value) = values.get(&format!("header.location.{part}")).map(|value| value.trim()) else { continue };
        place[part] = match part {
            "latitude" | "longitude" => {
                let degrees = value.replace(',', ".").parse::<f64>().ok().filter(|degrees| degrees.is_finite());
                let degrees = degrees.ok_or_else(|| ServiceError::Refused {
                    action: Action::FixTemplate,
                    sentence: say!("The place at the top of the template needs degrees such as -23.55, not {words}.", words = value),
                })?;
                degrees.into()
            }
            _ => value.into(),
        };
    }
    Ok(json!({ "type": "location", "location": place }))
}

async fn header_file(door: &Door<'_>, media: &dyn MediaSource, id: &str) -> Result<Value, ServiceError> {
    let file = files::stored(media, &MediaId::from(id), "", None).await?;
    let kind = match file.mime.split('/').next() {
        Some("image") => MediaKind::Image,
        Some("video") => MediaKind::Video,
        _ => MediaKind::Document,
    };
    let slot = files::slot(kind, &file.mime, &file.bytes)?;
    if kind != MediaKind::Document && slot.kind == "document" {
        let sentence =
            say!("The file at the top of the template is too large, or WhatsApp does not show its type. Choose a JPEG, PNG or MP4.");
        return Err(ServiceError::Refused { action: Action::FixContent, sentence });
    }
    let uploaded = files::upload(door, file, slot).await?;
    let mut shown = json!({ "id": uploaded.id });
    if uploaded.kind == "document" {
        shown["filename"] = uploaded.filename.into();
    }
    Ok(json!({ "type": uploaded.kind, uploaded.kind: shown }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_read_with_its_gaps_and_examples() {
        let template = read(&json!({
            "id": "594425479261596", "name": "order_ready", "language": "pt_BR", "status": "APPROVED", "category": "UTILITY",
            "components": [
                { "type": "HEADER", "format": "IMAGE" },
                { "type": "BODY", "text": "Olá {{1}}, o pedido {{2}} está pronto, {{1}}!", "example": { "body_text": [["Ana", "42"]] } },
                { "type": "FOOTER", "text": "Pão Dourado" },
                { "type": "BUTTONS", "buttons": [
                    { "type": "QUICK_REPLY", "text": "Obrigada" },
                    { "type": "URL", "text": "Acompanhar", "url": "https://shop.example/{{1}}", "example": ["https://shop.example/42"] },
                    { "type": "COPY_CODE", "text": "Copiar", "example": "PAO10" },
                ] },
            ],
        }))
        .unwrap();
        insta::assert_json_snapshot!(template);
        let named = read(&json!({ "name": "a", "language": "en", "status": "PAUSED", "components": [
            { "type": "HEADER", "format": "TEXT", "text": "Hi {{name}}", "example": { "header_text_named_params": [{ "param_name": "name", "example": "Bo" }] } },
            { "type": "BODY", "text": "Your {{item}}" },
        ] }))
        .unwrap();
        let keys: Vec<(&str, Option<&str>)> = named.gaps.iter().map(|gap| (gap.key.as_str(), gap.example.as_deref())).collect();
        assert_eq!(keys, [("header.name", Some("Bo")), ("body.item", None)]);
        assert_eq!((named.status, named.id.as_str()), (TemplateStatus::Paused, "a:en"));
        assert_eq!(read(&json!({ "language": "en" })), None);
    }

    #[test]
    fn the_example_of_an_address_is_what_is_filled_in() {
        assert_eq!(end_of("https://shop.example/42", "https://shop.example/{{1}}"), "42");
        assert_eq!(end_of("https://shop.example/o/42/map", "https://shop.example/o/{{1}}/map"), "42");
        assert_eq!(end_of("42", "https://shop.example/{{1}}"), "42", "some write only the end");
        assert_eq!(end_of("PAO10", ""), "PAO10");
    }

    #[test]
    fn a_place_at_the_top_is_a_gap_of_four() {
        let template = read(&json!({ "name": "a", "language": "en", "components": [{ "type": "HEADER", "format": "LOCATION" }] })).unwrap();
        let keys: Vec<&str> = template.gaps.iter().map(|gap| gap.key.as_str()).collect();
        assert_eq!(keys, PLACE.map(|part| format!("header.location.{part}")));
        let fill = |latitude: &str| {
            let values = keys.iter().zip([latitude, "-46,6", "Padaria", "Rua A, 1"]);
            place(&values.map(|(key, value)| ((*key).to_owned(), value.to_owned())).collect())
        };
        let location = json!({ "latitude": -23.5, "longitude": -46.6, "name": "Padaria", "address": "Rua A, 1" });
        assert_eq!(fill("-23.5").unwrap(), json!({ "type": "location", "location": location }));
        assert_eq!(fill("south").unwrap_err().action(), Some(Action::FixTemplate));
    }

    #[test]
    fn gaps_are_filled_in_their_order() {
        let values: BTreeMap<String, String> =
            (1..=11).map(|number| (format!("body.{number}"), format!("v{number}"))).chain([("button.0".into(), "42".into())]).collect();
        let order: Vec<&str> = values_of(&values, "body").into_iter().map(|(_, value)| value).collect();
        assert_eq!(order, ["v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11"]);
    }
}
