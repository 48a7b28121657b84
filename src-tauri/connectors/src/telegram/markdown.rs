//! Markdown to Telegram's text and entities.
//!
//! Entities need no escaping, so there is nothing that Telegram could fail to parse. Offsets count UTF-16 code units.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::wire::Entity;

/// Entities beyond this many are not applied by Telegram.
const MOST_ENTITIES: usize = 100;

/// The text without its marks, and the marks.
pub fn render(markdown: &str) -> (String, Vec<Entity>) {
    let mut writer = Writer::default();
    for event in Parser::new_ext(markdown, Options::ENABLE_STRIKETHROUGH) {
        writer.event(event);
    }
    writer.finish(markdown)
}

#[derive(Default)]
struct Writer {
    text: String,
    /// The length of `text` in UTF-16 code units.
    units: usize,
    entities: Vec<Entity>,
    /// Marks that are open: kind, where it began, its link or language.
    open: Vec<(&'static str, usize, Option<String>)>,
    /// The lists we are in: the next number, or `None` for bullets.
    lists: Vec<Option<u64>>,
    /// Line breaks to be written before the next words.
    breaks: usize,
    quotes: usize,
}

impl Writer {
    fn push(&mut self, words: &str) {
        if words.is_empty() {
            return;
        }
        if !self.text.is_empty() && self.breaks > 0 {
            for _ in 0..self.breaks {
                self.text.push('\n');
            }
            self.units += self.breaks;
            // A mark that was opened before the break begins after it.
            let (units, breaks) = (self.units, self.breaks);
            for (_, start, _) in self.open.iter_mut().filter(|(_, start, _)| *start + breaks == units) {
                *start = units;
            }
        }
        self.breaks = 0;
        self.text.push_str(words);
        self.units += words.encode_utf16().count();
    }

    fn break_by(&mut self, lines: usize) {
        self.breaks = self.breaks.max(lines);
    }

    fn open(&mut self, kind: &'static str, extra: Option<String>) {
        self.open.push((kind, self.units, extra));
    }

    fn close(&mut self) {
        let Some((kind, offset, extra)) = self.open.pop() else { return };
        if kind.is_empty() || self.units <= offset {
            return;
        }
        let (url, language) = if kind == "text_link" { (extra, None) } else { (None, extra) };
        self.entities.push(Entity { kind: kind.into(), offset, length: self.units - offset, url, language });
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(words) | Event::Html(words) | Event::InlineHtml(words) => self.push(&words),
            Event::Code(words) => {
                self.open("code", None);
                self.push(&words);
                self.close();
            }
            Event::SoftBreak | Event::HardBreak => self.push("\n"),
            Event::Rule => {
                self.break_by(2);
                self.push("———");
                self.break_by(2);
            }
            Event::FootnoteReference(words) | Event::InlineMath(words) | Event::DisplayMath(words) => self.push(&words),
            Event::TaskListMarker(done) => self.push(if done { "☑ " } else { "☐ " }),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph if self.lists.is_empty() => self.break_by(2),
            Tag::Heading { .. } => {
                self.break_by(2);
                self.open("bold", None);
            }
            Tag::BlockQuote(_) => {
                self.break_by(2);
                self.quotes += 1;
                // Quotes do not nest.
                self.open(if self.quotes == 1 { "blockquote" } else { "" }, None);
            }
            Tag::CodeBlock(kind) => {
                self.break_by(2);
                let language = match kind {
                    CodeBlockKind::Fenced(info) => info.split_whitespace().next().map(str::to_owned),
                    CodeBlockKind::Indented => None,
                };
                self.open("pre", language);
            }
            Tag::List(first) => {
                self.break_by(if self.lists.is_empty() { 2 } else { 1 });
                self.lists.push(first);
            }
            Tag::Item => {
                self.break_by(1);
                let indent = "   ".repeat(self.lists.len().saturating_sub(1));
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "• ".to_owned(),
                };
                self.push(&format!("{indent}{mark}"));
            }
            Tag::Emphasis => self.open("italic", None),
            Tag::Strong => self.open("bold", None),
            Tag::Strikethrough => self.open("strikethrough", None),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                let opens = ["https://", "http://", "tg://"].iter().any(|scheme| dest_url.starts_with(scheme));
                self.open(if opens { "text_link" } else { "" }, Some(dest_url.into_string()));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.break_by(if self.lists.is_empty() { 2 } else { 1 }),
            TagEnd::Heading(_) => {
                self.close();
                self.break_by(1);
            }
            TagEnd::BlockQuote(_) => {
                self.close();
                self.quotes -= 1;
                self.break_by(2);
            }
            TagEnd::CodeBlock => {
                // The last line's break belongs to the fence.
                if self.text.ends_with('\n') {
                    self.text.pop();
                    self.units -= 1;
                }
                self.close();
                self.break_by(2);
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.break_by(if self.lists.is_empty() { 2 } else { 1 });
            }
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => self.close(),
            TagEnd::Link | TagEnd::Image => {
                // A link that only repeats its address needs no mark: Telegram finds it.
                if let Some((kind, start, Some(url))) = self.open.last_mut() {
                    let shown = tail(&self.text, self.units - *start);
                    if shown == url.as_str() || shown.is_empty() && self.units == *start {
                        *kind = "";
                    }
                }
                self.close();
            }
            _ => {}
        }
    }

    fn finish(mut self, markdown: &str) -> (String, Vec<Entity>) {
        let text = self.text.trim();
        if text.is_empty() {
            return (markdown.trim().to_owned(), Vec::new());
        }
        let units = |text: &str| text.encode_utf16().count();
        let lead = units(&self.text[..self.text.len() - self.text.trim_start().len()]);
        let all = units(text);
        for entity in &mut self.entities {
            let end = (entity.offset + entity.length).saturating_sub(lead).min(all);
            entity.offset = entity.offset.saturating_sub(lead).min(all);
            entity.length = end - entity.offset.min(end);
        }
        self.entities.retain(|entity| entity.length > 0);
        self.entities.sort_by_key(|entity| (entity.offset, std::cmp::Reverse(entity.length)));
        self.entities.truncate(MOST_ENTITIES);
        (text.to_owned(), self.entities)
    }
}

/// The end of `text` that is `units` UTF-16 code units long.
fn tail(text: &str, units: usize) -> &str {
    let mut left = units;
    for (index, c) in text.char_indices().rev() {
        if left == 0 {
            return &text[index + c.len_utf8()..];
        }
        left = left.saturating_sub(c.len_utf16());
    }
    text
}

/// The customer's words with the links that stand behind them written out: "here (https://…)".
pub fn with_links(text: &str, entities: &[Entity]) -> String {
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut links: Vec<(usize, &str)> = entities
        .iter()
        .filter(|entity| entity.kind == "text_link")
        .filter_map(|entity| Some((entity.offset.checked_add(entity.length)?, entity.url.as_deref()?)))
        .filter(|(end, _)| *end <= units.len())
        .collect();
    if links.is_empty() {
        return text.to_owned();
    }
    links.sort_by_key(|(end, _)| *end);
    let mut out = Vec::with_capacity(units.len());
    let mut from = 0;
    for (end, url) in links {
        out.extend_from_slice(&units[from..end]);
        out.extend(format!(" ({url})").encode_utf16());
        from = end;
    }
    out.extend_from_slice(&units[from..]);
    String::from_utf16_lossy(&out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marks(markdown: &str) -> (String, Vec<(String, String)>) {
        let (text, entities) = render(markdown);
        let units: Vec<u16> = text.encode_utf16().collect();
        let marks = entities
            .into_iter()
            .map(|entity| {
                let shown = String::from_utf16(&units[entity.offset..entity.offset + entity.length]).expect("a mark cuts no character");
                let extra = entity.url.or(entity.language).map(|extra| format!("→{extra}")).unwrap_or_default();
                (format!("{}{extra}", entity.kind), shown)
            })
            .collect();
        (text, marks)
    }

    #[test]
    fn an_answer_of_a_model_keeps_its_look() {
        let markdown = "# Opening hours 🕘\n\nWe are **open _every_ day**:\n\n- Mon–Fri `9–18`\n- Sat\n  1. morning\n  2. ~~evening~~\n\n> Closed on\n> holidays\n\nSee [our page](https://example.com) or <https://example.org>.\n\n```rust\nfn main() {}\n```\nBye";
        let (text, marks) = marks(markdown);
        assert_eq!(
            text,
            "Opening hours 🕘\n\nWe are open every day:\n\n• Mon–Fri 9–18\n• Sat\n   1. morning\n   2. evening\n\nClosed on\nholidays\n\nSee our page or https://example.org.\n\nfn main() {}\n\nBye"
        );
        let marks: Vec<_> = marks.iter().map(|(kind, shown)| (kind.as_str(), shown.as_str())).collect();
        assert_eq!(
            marks,
            [
                ("bold", "Opening hours 🕘"),
                ("bold", "open every day"),
                ("italic", "every"),
                ("code", "9–18"),
                ("strikethrough", "evening"),
                ("blockquote", "Closed on\nholidays"),
                ("text_link→https://example.com", "our page"),
                ("pre→rust", "fn main() {}"),
            ]
        );
    }

    #[test]
    fn plain_words_stay_plain_words() {
        for plain in ["2 * 3 * 4 = 24", "R$ 5,00 < R$ 10,00", "snake_case_name", "Tudo certo!\nAté amanhã", "<b>not html</b>"] {
            assert_eq!(render(plain), (plain.to_owned(), Vec::new()), "{plain}");
        }
    }

    #[test]
    fn dangerous_links_are_only_words() {
        assert_eq!(marks("[x](javascript:alert(1))"), ("x".into(), vec![]));
    }

    #[test]
    fn links_of_a_customer_are_written_out() {
        let entity = Entity { kind: "text_link".into(), offset: 3, length: 4, url: Some("https://x.example".into()), language: None };
        assert_eq!(with_links("👍 aqui!", std::slice::from_ref(&entity)), "👍 aqui (https://x.example)!");
        assert_eq!(with_links("short", &[Entity { offset: 3, length: 400, ..entity }]), "short");
    }

    proptest! {
        #[test]
        fn marks_stay_inside_the_text(markdown in "([*_~`#>\\[\\]()!-]|[a-z ]|\n|\n\n|👍🏽|é|https://e\\.com|1\\. |```){0,80}") {
            let (text, _) = marks(&markdown);
            prop_assert!(!text.is_empty() || markdown.trim().is_empty());
            prop_assert_eq!(text.trim(), text.as_str());
        }
    }
}
