//! Markdown as plain words, for channels that show marks as they are written.
//!
//! Only what is surely a mark is taken away; everything else, a lone asterisk or a price list with dashes, stays as it is.

/// `text` without marks.
pub fn plain(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            continue;
        }
        let hashes = trimmed.bytes().take_while(|byte| *byte == b'#').count();
        let heading = (1..=6).contains(&hashes).then(|| trimmed[hashes..].strip_prefix(' ')).flatten();
        lines.push(without_marks(&links(heading.unwrap_or(line))));
    }
    lines.join("\n")
}

/// Pairs of marks around words.
fn without_marks(line: &str) -> String {
    let mut text = line.to_owned();
    for mark in ["**", "__", "~~", "`"] {
        text = without(&text, mark);
    }
    text
}

fn without(text: &str, mark: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(mark) {
        let inner = after.split_once(mark).filter(|(inner, _)| !inner.is_empty() && inner.trim() == *inner);
        match inner {
            Some((inner, after)) => {
                out.push_str(before);
                out.push_str(inner);
                rest = after;
            }
            None => {
                out.push_str(before);
                out.push_str(mark);
                rest = after;
            }
        }
    }
    out + rest
}

/// `[words](https://…)` as "words: https://…".
fn links(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(open) = rest.find('[') {
        let (before, inside) = rest.split_at(open);
        let link = inside[1..].split_once("](").and_then(|(words, after)| {
            let (address, after) = after.split_once(')')?;
            let is_link = address.starts_with("https://") || address.starts_with("http://");
            (is_link && !words.contains('[') && !address.contains(char::is_whitespace)).then_some((words, address, after))
        });
        match link {
            Some((words, address, after)) => {
                // An exclamation mark before it makes a picture of it.
                out.push_str(before.strip_suffix('!').unwrap_or(before));
                if words.is_empty() || words == address {
                    out.push_str(address);
                } else {
                    out.push_str(&format!("{words}: {address}"));
                }
                rest = after;
            }
            None => {
                out.push_str(before);
                out.push('[');
                rest = &inside[1..];
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn marks_go_and_words_stay() {
        assert_eq!(plain("**Pão** de `queijo` ~~10~~ 8"), "Pão de queijo 10 8");
        assert_eq!(plain("# Hoje\n## Doces\n#promo"), "Hoje\nDoces\n#promo");
        assert_eq!(plain("veja [o cardápio](https://x.example/c)!"), "veja o cardápio: https://x.example/c!");
        assert_eq!(plain("![](https://x.example/a.png)"), "https://x.example/a.png");
        assert_eq!(plain("```py\na = 1\n```\nfim"), "a = 1\nfim");
    }

    #[test]
    fn what_is_no_mark_stays() {
        for text in
            ["2 * 3 ** 4", "a ** b ** c", "snake_case __init", "[1] e [2](nada)", "5`", "- item\n* item\n1) item", "", "\n\n", "[[", "**"]
        {
            assert_eq!(plain(text), text);
        }
    }
}
