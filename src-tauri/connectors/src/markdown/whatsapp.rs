//! Markdown to WhatsApp's own marks: `*bold*`, `_italic_`, `~struck~`, and code and quotes as they are.
//!
//! Only the marks are touched; everything between them stays as it was written, to the last space.

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

/// The text with WhatsApp's marks.
pub fn render(markdown: &str) -> String {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut end_of_last = 0;
    let mut in_code = false;
    for (event, range) in Parser::new_ext(markdown, Options::ENABLE_STRIKETHROUGH).into_offset_iter() {
        match event {
            Event::Start(Tag::Strong) => wrap(&mut edits, &range, 2, "*"),
            Event::Start(Tag::Emphasis) => wrap(&mut edits, &range, 1, "_"),
            Event::Start(Tag::Strikethrough) => {
                let marks = markdown[range.clone()].bytes().take_while(|byte| *byte == b'~').count();
                wrap(&mut edits, &range, marks.min(2), "~");
            }
            Event::Start(Tag::Heading { .. }) => heading(markdown, &range, &mut edits),
            Event::Start(Tag::Link { link_type: LinkType::Inline, dest_url, .. }) => link(markdown, &range, &dest_url, &mut edits),
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Text(_) if !in_code => {
                // A backslash that only protects the sign after it: WhatsApp would show it.
                let before = range.start.checked_sub(1).filter(|before| *before >= end_of_last);
                if let Some(before) = before.filter(|before| markdown.as_bytes()[*before] == b'\\') {
                    edits.push((before..range.start, String::new()));
                }
                end_of_last = range.end;
            }
            _ => {}
        }
    }
    apply(markdown, edits)
}

/// Other marks around what stands between them.
fn wrap(edits: &mut Vec<(Range<usize>, String)>, range: &Range<usize>, marks: usize, sign: &str) {
    edits.push((range.start..range.start + marks, sign.to_owned()));
    edits.push((range.end - marks..range.end, sign.to_owned()));
}

/// "## Title" as a bold line. A heading that is bold already, or underlined, stays as it is.
fn heading(markdown: &str, range: &Range<usize>, edits: &mut Vec<(Range<usize>, String)>) {
    let line = markdown[range.clone()].trim_end();
    let words = line.trim_start_matches('#').trim_start();
    let is_atx = line.starts_with('#') && !words.is_empty() && !line.contains('\n');
    if !is_atx {
        return;
    }
    let start = range.start + line.len() - words.len();
    let words = words.trim_end_matches('#').trim_end();
    let sign = if words.contains('*') { "" } else { "*" };
    edits.push((range.start..start, sign.to_owned()));
    edits.push((start + words.len()..range.start + line.len(), sign.to_owned()));
}

/// "[menu](https://…)" as "menu (https://…)": WhatsApp makes addresses pressable by itself, and hides none.
fn link(markdown: &str, range: &Range<usize>, url: &str, edits: &mut Vec<(Range<usize>, String)>) {
    let source = &markdown[range.clone()];
    let Some(middle) = source.rfind("](") else { return };
    let words = &source[1..middle];
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    edits.push((range.start..range.start + 1, String::new()));
    let rest = match () {
        () if !is_web || words == url => String::new(),
        () => format!(" ({url})"),
    };
    edits.push((range.start + middle..range.end, rest));
}

/// Applies the edits in order; one that touches another is left out, so that nothing is written twice.
fn apply(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut rendered = String::with_capacity(text.len());
    let mut at = 0;
    for (range, words) in edits {
        if range.start < at || range.end > text.len() || !text.is_char_boundary(range.start) || !text.is_char_boundary(range.end) {
            continue;
        }
        rendered.push_str(&text[at..range.start]);
        rendered.push_str(&words);
        at = range.end;
    }
    rendered.push_str(&text[at..]);
    rendered
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn marks_become_whatsapps_marks() {
        for (markdown, whatsapp) in [
            ("**bold** and *italic* and ~~gone~~", "*bold* and _italic_ and ~gone~"),
            ("# Menu\n\n- **Pão** R$ 2\n- Bolo", "*Menu*\n\n- *Pão* R$ 2\n- Bolo"),
            ("## **Menu**", "*Menu*"),
            ("See [our menu](https://shop.example/menu).", "See our menu (https://shop.example/menu)."),
            ("[https://shop.example](https://shop.example)", "https://shop.example"),
            ("***both***", "_*both*_"),
            ("2 \\* 3 = 6 and \\_x\\_", "2 * 3 = 6 and _x_"),
            ("`a * b` and\n```\n**x** \\*\n```", "`a * b` and\n```\n**x** \\*\n```"),
            ("> quoted\n\n1. one\n2. two", "> quoted\n\n1. one\n2. two"),
        ] {
            assert_eq!(render(markdown), whatsapp, "{markdown}");
        }
    }

    #[test]
    fn plain_words_stay_as_they_are() {
        for text in ["Pão de queijo 🧀 quentinho. ", "  two  spaces \n\n\nand lines ", "R$ 10 * 2 = 20", "snake_case_name", "a < b & c"]
        {
            assert_eq!(render(text), text);
        }
    }

    proptest! {
        #[test]
        fn nothing_breaks_it(text in "(\\PC|[ \n*_~`#>\\[\\]()\\\\-]|\\*\\*|~~|```\n|https://x.example){0,80}") {
            let rendered = render(&text);
            let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count();
            prop_assert!(letters(&rendered) <= letters(&text) * 2 + 40);
        }
    }
}
