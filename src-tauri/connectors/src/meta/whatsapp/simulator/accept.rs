//! What the shop sends: looked at as strictly as the service does, then put before the customer.

use serde_json::{Value, json};

use super::{NUMBER, Refused, Sent, World};

fn missing(name: &str) -> Refused {
    Refused::new(131_008, format!("Required parameter is missing: {name}"))
}

fn wrong(what: &str) -> Refused {
    Refused::new(131_009, format!("Parameter value is not valid: {what}"))
}

/// A text of so many characters.
fn sized<'a>(value: &'a Value, name: &str, most: usize) -> Result<&'a str, Refused> {
    let text = value.as_str().ok_or_else(|| missing(name))?;
    if text.trim().is_empty() || text.chars().count() > most {
        return Err(wrong(&format!("{name} must have 1 to {most} characters")));
    }
    Ok(text)
}

impl World {
    /// A call of `messages`.
    pub fn accept(&self, body: &Value) -> Result<Value, Refused> {
        if body["messaging_product"] != "whatsapp" {
            return Err(Refused::new(100, "The parameter messaging_product is required."));
        }
        if !body["status"].is_null() {
            return self.read(body);
        }
        if body["recipient_type"] != "individual" {
            return Err(wrong("recipient_type"));
        }
        let thread = recipient(body)?;
        let kind = body["type"].as_str().ok_or_else(|| missing("type"))?;
        let part = &body[kind];
        if part.is_null() {
            return Err(missing(kind));
        }
        if body["biz_opaque_callback_data"].as_str().is_some_and(|ours| ours.len() > 512) {
            return Err(wrong("biz_opaque_callback_data"));
        }
        let context = &body["context"];
        if !context.is_null() && context["message_id"].as_str().is_none() {
            return Err(wrong("context"));
        }
        let words = self.words(kind, part)?;
        let mut state = self.lock();
        if kind != "template" && state.closed.contains(&thread) {
            return Err(Refused::new(
                131_047,
                "Message failed to send because more than 24 hours have passed since the customer last replied",
            ));
        }
        if !state.may_send(&thread) {
            return Err(Refused::new(131_056, "(Business Account, Consumer Account) pair rate limit hit"));
        }
        let id = format!("wamid.{}", state.next("OUT"));
        state.sent.push(Sent { id: id.clone(), thread: thread.clone(), body: body.clone() });
        state.received.push((thread.clone(), words));
        let contact = if body["to"].is_string() {
            json!({ "input": thread, "wa_id": thread })
        } else {
            json!({ "input": thread, "user_id": thread })
        };
        let mut message = json!({ "id": id });
        if kind == "template" {
            message["message_status"] = "accepted".into();
        }
        Ok(json!({ "messaging_product": "whatsapp", "contacts": [contact], "messages": [message] }))
    }

    fn read(&self, body: &Value) -> Result<Value, Refused> {
        let mut state = self.lock();
        let id = body["message_id"].as_str().ok_or_else(|| missing("message_id"))?.to_owned();
        if body["status"] != "read" || !state.inbound.contains_key(&id) {
            return Err(Refused::new(131_009, "Parameter value is not valid: message_id"));
        }
        let typing = &body["typing_indicator"];
        if !typing.is_null() {
            if typing["type"] != "text" {
                return Err(wrong("typing_indicator"));
            }
            state.typing.push(id.clone());
        }
        state.read.push(id);
        Ok(json!({ "success": true }))
    }

    /// Looks at the content; gives what the customer reads.
    fn words(&self, kind: &str, part: &Value) -> Result<String, Refused> {
        match kind {
            "text" => sized(&part["body"], "text.body", 4096).map(str::to_owned),
            "image" | "video" | "audio" | "document" | "sticker" => self.file_words(kind, part),
            "location" => match (part["latitude"].as_f64(), part["longitude"].as_f64()) {
                (Some(_), Some(_)) => Ok(part["name"].as_str().unwrap_or("location").to_owned()),
                _ => Err(missing("location")),
            },
            "contacts" => {
                let names = part.as_array().into_iter().flatten().map(|card| sized(&card["name"]["formatted_name"], "formatted_name", 512));
                let names = names.collect::<Result<Vec<_>, _>>()?;
                if names.is_empty() { Err(missing("contacts")) } else { Ok(names.join(", ")) }
            }
            "reaction" => {
                part["message_id"].as_str().ok_or_else(|| missing("reaction.message_id"))?;
                Ok(part["emoji"].as_str().ok_or_else(|| missing("reaction.emoji"))?.to_owned())
            }
            "interactive" => interactive(part),
            "template" => self.template(part),
            _ => Err(Refused::new(100, format!("Param type must be one of the known types, got {kind}"))),
        }
    }

    fn file_words(&self, kind: &str, part: &Value) -> Result<String, Refused> {
        let id = part["id"].as_str().ok_or_else(|| missing("id"))?;
        let state = self.lock();
        let file = state.files.get(id).ok_or_else(|| Refused::new(131_053, "Media upload error: no file of this id"))?;
        let mime = file.mime.as_str();
        let (types, most): (&[&str], usize) = match kind {
            "image" => (&["image/jpeg", "image/png"], 5 << 20),
            "video" => (&["video/mp4", "video/3gpp"], 16 << 20),
            "audio" => (&["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"], 16 << 20),
            "sticker" => (&["image/webp"], 500 << 10),
            _ => (&[], 100 << 20),
        };
        if !types.is_empty() && !types.contains(&mime) || file.bytes.len() > most {
            return Err(Refused::new(131_053, format!("Media upload error: {mime} of {} bytes as {kind}", file.bytes.len())));
        }
        if part["voice"] == true && mime != "audio/ogg" {
            return Err(wrong("voice"));
        }
        if part["caption"].is_null() {
            return Ok(part["filename"].as_str().unwrap_or_default().to_owned());
        }
        if matches!(kind, "audio" | "sticker") {
            return Err(Refused::new(100, format!("Unexpected key \"caption\" on param \"{kind}\"")));
        }
        sized(&part["caption"], "caption", 1024).map(str::to_owned)
    }

    fn template(&self, part: &Value) -> Result<String, Refused> {
        let (name, language) = (sized(&part["name"], "name", 512)?, part["language"]["code"].as_str().ok_or_else(|| missing("language"))?);
        let state = self.lock();
        let known = state.templates.iter().find(|template| template["name"] == name && template["language"] == language);
        let known = known.ok_or_else(|| Refused::new(132_001, "Template name does not exist in the translation"))?;
        match known["status"].as_str() {
            Some("APPROVED") => {}
            Some("PAUSED") => return Err(Refused::new(132_015, "Template is paused due to low quality")),
            _ => return Err(Refused::new(132_001, "Template is not approved")),
        }
        let given = |kind: &str| -> Vec<&Value> {
            let components = part["components"].as_array().into_iter().flatten().filter(|one| one["type"] == kind);
            components.filter_map(|one| one["parameters"].as_array()).flatten().collect()
        };
        let mut words = String::new();
        for component in known["components"].as_array().into_iter().flatten() {
            match component["type"].as_str() {
                Some("HEADER") if component["format"] == "IMAGE" => {
                    let parameters = given("header");
                    let id = parameters.first().and_then(|one| one["image"]["id"].as_str());
                    id.filter(|id| state.files.contains_key(*id))
                        .ok_or_else(|| Refused::new(132_012, "Format mismatch, expected IMAGE"))?;
                }
                Some("BODY") => words = filled(component["text"].as_str().unwrap_or_default(), &given("body"))?,
                Some("BUTTONS") => {
                    let wanted = component["buttons"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter(|button| button["url"].as_str().is_some_and(|url| url.contains("{{")));
                    if wanted.count() != given("button").len() {
                        return Err(Refused::new(132_000, "Number of button parameters does not match"));
                    }
                }
                _ => {}
            }
        }
        Ok(words)
    }
}

/// Fills the gaps of a text: by place, or by name.
fn filled(text: &str, parameters: &[&Value]) -> Result<String, Refused> {
    let gaps: Vec<&str> = text.split("{{").skip(1).filter_map(|part| part.split_once("}}")).map(|(gap, _)| gap).collect();
    if gaps.len() != parameters.len() {
        let details =
            format!("number of localizable_params ({}) does not match the expected number of params ({})", parameters.len(), gaps.len());
        return Err(Refused::new(132_000, details));
    }
    let mut words = text.to_owned();
    for (gap, parameter) in gaps.into_iter().zip(parameters) {
        let is_number = gap.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number && parameter["parameter_name"] != gap {
            return Err(Refused::new(132_012, "Parameter name is missing or empty"));
        }
        words = words.replace(&format!("{{{{{gap}}}}}"), sized(&parameter["text"], "text", 1024)?);
    }
    Ok(words)
}

fn recipient(body: &Value) -> Result<String, Refused> {
    match (body["to"].as_str(), body["recipient"].as_str()) {
        (Some(to), _) if to.is_empty() || to.len() > 15 || !to.bytes().all(|byte| byte.is_ascii_digit()) => Err(wrong("to")),
        (Some(NUMBER), _) => Err(Refused::new(131_021, "Recipient cannot be sender")),
        (Some(to), _) => Ok(to.to_owned()),
        (None, Some(id)) if body["type"] == "template" && id.is_empty() => {
            Err(Refused::new(131_062, "Business-scoped user id not allowed"))
        }
        (None, Some(id)) if id.contains('.') && id.len() <= 131 => Ok(id.to_owned()),
        _ => Err(missing("to")),
    }
}

fn interactive(part: &Value) -> Result<String, Refused> {
    let words = sized(&part["body"]["text"], "body.text", 1024)?;
    let action = &part["action"];
    match part["type"].as_str() {
        Some("button") => {
            let buttons: Vec<&Value> = action["buttons"].as_array().into_iter().flatten().map(|button| &button["reply"]).collect();
            listed(&buttons, 3, 20, 256)?;
        }
        Some("list") => {
            sized(&action["button"], "action.button", 20)?;
            let sections = action["sections"].as_array().into_iter().flatten();
            let rows: Vec<&Value> = sections.filter_map(|section| section["rows"].as_array()).flatten().collect();
            listed(&rows, 10, 24, 200)?;
            if rows.iter().any(|row| row["description"].as_str().is_some_and(|text| text.chars().count() > 72)) {
                return Err(wrong("description is too long"));
            }
        }
        Some("cta_url") => {
            sized(&action["parameters"]["display_text"], "display_text", 20)?;
            sized(&action["parameters"]["url"], "url", 2000)?;
        }
        _ => return Err(wrong("interactive.type")),
    }
    Ok(words.to_owned())
}

/// Buttons or rows: not too many, none too long, none twice.
fn listed(options: &[&Value], most: usize, title: usize, id: usize) -> Result<(), Refused> {
    if options.is_empty() || options.len() > most {
        return Err(wrong(&format!("between 1 and {most} choices are allowed")));
    }
    for (index, option) in options.iter().enumerate() {
        sized(&option["title"], "title", title)?;
        sized(&option["id"], "id", id)?;
        if options[..index].iter().any(|other| other["id"] == option["id"] || other["title"] == option["title"]) {
            return Err(wrong("a choice is there twice"));
        }
    }
    Ok(())
}
