//! Twilio's calls and lists in Shopbell's words. Pure: no network, no clock.
//!
//! One call tells of one thing: a message of a customer, or how far a message of ours came. What Twilio's list of messages brings (see
//! [`super::listen`]) goes the same way under the same names, so that nothing is there twice.

use serde_json::{Map, Value};
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::{Event, Evidence, IncomingContent, IncomingMessage, Malformed, Referral, RemoteMedia, Request};
use shopbell_core::id::DeliveryId;
use shopbell_core::model::{Address, Content, MediaKind};

use super::wire::{Listed, count};
use super::{Config, Line, api, codes, form, number};
use crate::unread::{of_another_account, of_another_number, unsupported};

/// Twilio takes ten files in one message; more are not looked for.
const MOST_FILES: u64 = 10;
/// The name of our own delivery in the address of a status callback.
pub const DELIVERY: &str = "delivery";

/// What happened, in one call or in one element of a list.
pub fn events(line: &Line, config: &Config, request: &Request) -> Result<Vec<Event>, Malformed> {
    let delivery = delivery(&request.query);
    if !request.body.trim_ascii_start().starts_with(b"{") {
        let fields = form::decode(&request.body).into_iter().map(|(name, value)| (lossy(name), lossy(value))).collect();
        return Fields(fields).events(line, config, delivery);
    }
    let value: Value = serde_json::from_slice(&request.body).map_err(|error| Malformed(format!("This is not JSON: {error}.")))?;
    if value.get("direction").is_some() {
        let listed: Listed =
            serde_path_to_error::deserialize(value).map_err(|error| Malformed(format!("{}: {}", error.path(), error.inner())))?;
        return Ok(from_list(line, config, listed));
    }
    let Value::Object(fields) = value else { return Err(Malformed("This is no object.".into())) };
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Fields(fields.into_iter().map(|(name, value)| (name, text(value))).collect()).events(line, config, delivery)
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Our own name of the message, which we put into the address of its status callback.
fn delivery(query: &str) -> Option<DeliveryId> {
    let pairs = form::decode(query.as_bytes());
    let (_, value) = pairs.into_iter().find(|(name, _)| name == DELIVERY.as_bytes())?;
    let text = String::from_utf8(value).ok().filter(|text| text.starts_with(DeliveryId::PREFIX))?;
    Some(DeliveryId::from(text))
}

/// The fields of one call.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A field with something in it.
    fn text(&self, name: &str) -> Option<&str> {
        self.raw(name).map(str::trim).filter(|value| !value.is_empty())
    }

    fn is_true(&self, name: &str) -> bool {
        self.raw(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    fn events(&self, line: &Line, config: &Config, delivery: Option<DeliveryId>) -> Result<Vec<Event>, Malformed> {
        let Some(sid) = self.text("MessageSid").or_else(|| self.text("SmsMessageSid")).or_else(|| self.text("SmsSid")) else {
            return Err(Malformed("There is no MessageSid in it.".into()));
        };
        if let Some(other) = self.text("AccountSid").filter(|account| *account != config.account()) {
            return Ok(vec![of_another_account(other)]);
        }
        // A call about a message of ours has a status; a customer's message is "received", if anything.
        let status =
            self.text("MessageStatus").or_else(|| self.text("SmsStatus")).filter(|status| !matches!(*status, "received" | "receiving"));
        if let Some(status) = status {
            let code = self.text("ErrorCode").and_then(|code| code.parse().ok());
            let words = self.text("ErrorMessage").or_else(|| self.text("ChannelStatusMessage"));
            let status = if self.text("EventType") == Some("READ") { "read" } else { status };
            return Ok(vec![told(sid, delivery, status, code, words, Timestamp::default())]);
        }
        let (Some(from), Some(to)) = (self.text("From"), self.text("To")) else {
            return Ok(vec![Event::NotUnderstood { why: "It does not say from whom to whom.".into() }]);
        };
        let (from, service) = match addressed(line, config, from, to, self.text("MessagingServiceSid")) {
            Ok(addressed) => addressed,
            Err(others) => return Ok(vec![*others]),
        };
        let mut message = IncomingMessage::new(sid, from, address(line, from), Timestamp::default());
        self.who(line, from, &mut message);
        if let Some(service) = service {
            message.metadata.insert("messaging_service_sid".into(), service.into());
        }
        if let Some(segments) = self.text("NumSegments").and_then(|count| count.parse::<u64>().ok()) {
            message.metadata.insert("segments".into(), segments.into());
        }
        message.reply_to = self.text("OriginalRepliedMessageSid").map(str::to_owned);
        message.forwarded = self.is_true("Forwarded") || self.is_true("FrequentlyForwarded");
        message.referral = self.referral();
        message.content = self.content();
        Ok(with_consent(line, message, self.text("OptOutType"), self.text("Body")))
    }

    /// The names under which Twilio knows the customer besides the one that the message came from.
    fn who(&self, line: &Line, from: &str, message: &mut IncomingMessage) {
        message.name = self.text("ProfileName").map(str::to_owned);
        let phone = self.text("WaId").filter(|id| id.bytes().all(|byte| byte.is_ascii_digit())).map(|id| format!("+{id}"));
        let user = self.text("ExternalUserId").map(|id| line.bare(id).unwrap_or(id).to_owned());
        for other in [phone, user].into_iter().flatten().filter(|other| other != from) {
            message.also.push(address(line, &other));
            message.also_threads.push(other);
        }
        if let Some(name) = self.text("ProfileUsername").or_else(|| self.text("Username")) {
            message.metadata.insert("username".into(), name.trim_start_matches('@').into());
        }
        if let Some(country) = self.text("FromCountry") {
            message.metadata.insert("country".into(), country.into());
        }
    }

    fn referral(&self) -> Option<Referral> {
        let given = |name: &str| self.text(name).map(str::to_owned);
        let referral = Referral {
            kind: given("ReferralSourceType").unwrap_or_else(|| "ad".into()),
            source_id: given("ReferralSourceId"),
            url: given("ReferralSourceUrl"),
            headline: given("ReferralHeadline"),
            body: given("ReferralBody"),
            click_id: given("ReferralCtwaClid"),
            at: None,
        };
        let found = referral.source_id.is_some() || referral.click_id.is_some() || referral.url.is_some() || referral.headline.is_some();
        found.then_some(referral)
    }

    fn content(&self) -> Vec<IncomingContent> {
        if let Some(place) = self.place() {
            return vec![IncomingContent::Content(place)];
        }
        if let Some(id) = self.text("ListId") {
            return vec![chosen(id, self.text("ListTitle").or_else(|| self.text("Body")).unwrap_or(id))];
        }
        if let Some(label) = self.text("ButtonText").or_else(|| self.text("ButtonPayload")) {
            return vec![chosen(self.text("ButtonPayload").unwrap_or(label), label)];
        }
        let kind = self.text("MessageType").unwrap_or_default();
        let files = self.text("NumMedia").and_then(|count| count.parse().ok()).unwrap_or(0u64).min(MOST_FILES);
        let files = (0..files).filter_map(|index| {
            let reference = self.text(&format!("MediaUrl{index}"))?;
            Some((reference.to_owned(), self.text(&format!("MediaContentType{index}")).unwrap_or_default().to_owned()))
        });
        said(kind, self.raw("Body").unwrap_or_default(), files)
    }

    fn place(&self) -> Option<Content> {
        let degrees = |name: &str| self.text(name)?.parse::<f64>().ok().filter(|degrees| degrees.is_finite());
        Some(Content::Location {
            latitude: degrees("Latitude")?,
            longitude: degrees("Longitude")?,
            name: self.text("Label").map(str::to_owned),
            address: self.text("Address").map(str::to_owned),
        })
    }
}

fn chosen(id: &str, label: &str) -> IncomingContent {
    IncomingContent::Content(Content::Chosen { id: id.to_owned(), label: label.to_owned() })
}

/// The customer's bare address and the service between, if the message is for this connection; else why it is not.
fn addressed<'a>(
    line: &Line,
    config: &Config,
    from: &'a str,
    to: &str,
    service: Option<&'a str>,
) -> Result<(&'a str, Option<&'a str>), Box<Event>> {
    let Some(bare) = line.bare(from) else {
        // What stands before a number is the channel's name; a number alone is a text message's.
        let channel = from.split_once(':').map_or("SMS", |(channel, _)| channel);
        let channel: String = channel.chars().take(20).collect();
        let why = format!(
            "It came over {channel}, another channel than this connection's. Check in the Twilio Console where that channel's messages go."
        );
        return Err(Box::new(Event::NotUnderstood { why }));
    };
    let ours = line.bare(to).is_some_and(|to| to == number(&config.phone_number));
    let served = config.service().is_some() && service == config.service();
    if ours || served { Ok((bare, service)) } else { Err(Box::new(of_another_number(line.bare(to).unwrap_or(to)))) }
}

/// An address: a number, the id that WhatsApp has for somebody who hides theirs, or what a program is called that sends texts.
fn address(line: &Line, bare: &str) -> Address {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let scheme = match bare.strip_prefix('+') {
        Some(number) if is_digits(number) => "phone",
        // Business-scoped user id, as it is called wherever WhatsApp is bought.
        _ if !line.prefix.is_empty() => "bsuid",
        _ if is_digits(bare) => "short_code",
        _ => "sender",
    };
    Address { connector: line.connector.into(), scheme: scheme.into(), value: bare.into() }
}

/// Words and files of a message.
fn said(kind: &str, body: &str, files: impl Iterator<Item = (String, String)>) -> Vec<IncomingContent> {
    let body = body.trim_end_matches(['\r', '\n']);
    let mut words = Some(body).filter(|body| !body.trim().is_empty());
    let mut content: Vec<IncomingContent> = Vec::new();
    for (reference, mime) in files {
        let kind = media_kind(kind, &mime);
        // A document's name stands where the words are.
        let filename = if kind == MediaKind::Document { words.take_if(|words| is_file_name(words)) } else { None };
        let caption = words.take();
        content.push(IncomingContent::Media(RemoteMedia {
            kind,
            reference,
            filename: filename
                .map(str::to_owned)
                .or_else(|| (kind == MediaKind::Document && mime == "text/vcard").then(|| "contact.vcf".to_owned())),
            mime,
            caption: caption.map(str::to_owned),
            ..RemoteMedia::default()
        }));
    }
    match words {
        Some(words) => content.push(IncomingContent::Content(Content::Text { text: words.to_owned() })),
        None if content.is_empty() => {
            // "unsupported" is no kind either, but it is all that Twilio says.
            content.push(IncomingContent::Content(unsupported(kind)));
        }
        None => {}
    }
    content
}

fn media_kind(kind: &str, mime: &str) -> MediaKind {
    match (kind, mime.split(['/', ';']).next().unwrap_or_default()) {
        ("sticker", _) => MediaKind::Sticker,
        ("document" | "contacts", _) => MediaKind::Document,
        // There is no mark for a voice note; WhatsApp records them as ogg, and nothing else is.
        ("audio" | "voice" | "", "audio") if mime.starts_with("audio/ogg") => MediaKind::Voice,
        (_, "audio") => MediaKind::Audio,
        (_, "image") => MediaKind::Image,
        (_, "video") => MediaKind::Video,
        ("image", _) => MediaKind::Image,
        ("video", _) => MediaKind::Video,
        ("audio" | "voice", _) => MediaKind::Audio,
        _ => MediaKind::Document,
    }
}

fn is_file_name(words: &str) -> bool {
    let ending = words.rsplit_once('.').map_or("", |(name, ending)| if name.trim().is_empty() { "" } else { ending });
    words.len() <= 200
        && !words.contains('\n')
        && (1..=5).contains(&ending.len())
        && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A message, and whether it says that its sender wants no more of ours (or wants them again). The message comes first: it may be the
/// first word of all.
fn with_consent(line: &Line, mut message: IncomingMessage, opt_out: Option<&str>, body: Option<&str>) -> Vec<Event> {
    // Where Twilio names one of its own words (STOP, START, HELP), it has sent the answer to it already.
    message.answered = opt_out.is_some();
    let keyword = body.filter(|_| line.keywords && message.content.len() == 1).map(|body| body.trim().to_ascii_uppercase());
    let blocked = match (opt_out, keyword.as_deref()) {
        (Some("STOP"), _) => Some(true),
        (Some("START"), _) => Some(false),
        (Some(_), _) => None,
        (None, Some("STOP" | "STOPALL" | "UNSUBSCRIBE" | "CANCEL" | "END" | "QUIT" | "REVOKE" | "OPTOUT")) => Some(true),
        (None, Some("START" | "UNSTOP" | "YES")) => Some(false),
        (None, _) => None,
    };
    let thread = message.thread.clone();
    let mut events = vec![Event::Message(message)];
    events.extend(blocked.map(|blocked| Event::Blocked { thread, blocked }));
    events
}

/// How far a message of ours came.
fn told(sid: &str, delivery: Option<DeliveryId>, status: &str, code: Option<i64>, words: Option<&str>, at: Timestamp) -> Event {
    let status = match status {
        "sent" => Evidence::Sent,
        "delivered" | "partially_delivered" => Evidence::Delivered,
        "read" => Evidence::Read,
        "failed" | "undelivered" | "canceled" => codes::failure(code, words),
        other => return Event::Nothing { what: format!("status {other}") },
    };
    Event::Status { external_id: sid.to_owned(), delivery, status, at }
}

/// A message out of Twilio's list.
fn from_list(line: &Line, config: &Config, listed: Listed) -> Vec<Event> {
    if listed.sid.is_empty() {
        return vec![Event::NotUnderstood { why: "A message without a sid.".into() }];
    }
    if let Some(other) = listed.account_sid.as_deref().filter(|account| *account != config.account()) {
        return vec![of_another_account(other)];
    }
    let at = listed.date_sent.as_deref().or(listed.date_created.as_deref()).and_then(api::moment).unwrap_or_default();
    if listed.direction.as_deref() != Some("inbound") {
        // Its own time is when it was sent, not when it was seen: that is when it was changed last.
        let at = listed.date_updated.as_deref().and_then(api::moment).unwrap_or_default();
        let status = listed.status.as_deref().unwrap_or_default();
        return vec![told(&listed.sid, None, status, listed.error_code, listed.error_message.as_deref(), at)];
    }
    let (Some(from), Some(to)) = (listed.from.as_deref(), listed.to.as_deref()) else {
        return vec![Event::NotUnderstood { why: "It does not say from whom to whom.".into() }];
    };
    let (from, service) = match addressed(line, config, from, to, listed.messaging_service_sid.as_deref()) {
        Ok(addressed) => addressed,
        Err(others) => return vec![*others],
    };
    let mut message = IncomingMessage::new(listed.sid.clone(), from, address(line, from), at);
    let mut metadata = Map::new();
    if let Some(service) = service {
        metadata.insert("messaging_service_sid".into(), service.into());
    }
    let segments = count(listed.num_segments.as_ref());
    if segments > 0 {
        metadata.insert("segments".into(), segments.into());
    }
    message.metadata = metadata;
    let files = listed.media.iter().filter_map(|media| {
        let path = media.uri.as_deref()?;
        Some((path.strip_suffix(".json").unwrap_or(path).to_owned(), media.content_type.clone().unwrap_or_default()))
    });
    message.content = said("", listed.body.as_deref().unwrap_or_default(), files);
    with_consent(line, message, None, listed.body.as_deref())
}
