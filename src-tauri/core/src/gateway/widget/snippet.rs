//! The line that a shop pastes into its pages.

use super::pages::Files;
use crate::connector::PageLook;

/// The whole line, with its tags.
pub fn line(base: &str, key: &str, look: &PageLook) -> Option<String> {
    Some(format!("<script>{}</script>", script(base, key, look)?))
}

/// What stands between the tags; `None` where the chat was not built.
pub fn script(base: &str, key: &str, look: &PageLook) -> Option<String> {
    let text = |path: &str| Files::get(path).and_then(|file| String::from_utf8(file.data.into_owned()).ok());
    let template = text("snippet.template.js")?;
    // The words are JSON that the build has made safe for a page already.
    let words = text("snippet.words.json")?;
    let values = [
        ("{{base}}", safe(base.trim_end_matches('/'))),
        ("{{key}}", safe(key)),
        ("{{color}}", safe(&look.primary_color)),
        ("{{position}}", safe(&look.position)),
        ("{{greeting}}", safe(&look.greeting_message)),
        ("{{words}}", words),
    ];
    Some(fill(&template, &values))
}

/// Fills each gap once, in one pass: what an owner typed may look like a gap itself.
fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut out = String::with_capacity(template.len() + 512);
    let mut rest = template;
    while let Some((at, name, value)) =
        values.iter().filter_map(|(name, value)| rest.find(name).map(|at| (at, *name, value))).min_by_key(|(at, _, _)| *at)
    {
        out.push_str(&rest[..at]);
        out.push_str(value);
        rest = &rest[at + name.len()..];
    }
    out.push_str(rest);
    out
}

/// A text as a JavaScript value that cannot end the script it stands in. It is plain ASCII: the page that it is pasted into
/// may say that it is written in anything.
fn safe(text: &str) -> String {
    let json = serde_json::Value::String(text.to_owned()).to_string();
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() && !matches!(letter, '<' | '>' | '&') {
            out.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_owner_types_reads_right_on_a_page_in_any_encoding() {
        let made = safe("Olá, pão & café 🥐");
        assert_eq!(made, r#""Ol\u00e1, p\u00e3o \u0026 caf\u00e9 \ud83e\udd50""#);
        assert_eq!(serde_json::from_str::<String>(&made).unwrap(), "Olá, pão & café 🥐");
    }

    #[test]
    fn the_words_of_the_line_are_plain_ascii() {
        // Not there where the chat was not built.
        for path in ["snippet.template.js", "snippet.words.json"] {
            if let Some(file) = Files::get(path) {
                assert!(file.data.is_ascii(), "{path}");
            }
        }
    }

    #[test]
    fn nothing_that_an_owner_types_ends_the_script_or_fills_another_gap() {
        let values = [("{{a}}", safe("</script><b>{{b}}\u{2028}\"'\\")), ("{{b}}", safe("two"))];
        let made = fill("f({{a}},{{b}})", &values);
        assert_eq!(made, r#"f("\u003c/script\u003e\u003cb\u003e{{b}}\u2028\"'\\","two")"#);
    }
}
