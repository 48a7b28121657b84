//! Cutting words into messages: a finished text to a channel's limit ([`split`]), a text in the making into sentences
//! ([`SentenceCutter`]).
//!
//! Both cut where a reader would pause: between paragraphs, then lines, sentences, words; inside a word only when a single
//! word is longer than a message may be. A code block that must be cut is closed in one message and opened again in the next.

mod sentences;

use unicode_segmentation::UnicodeSegmentation;

use crate::connector::{TextLimit, TextUnit};

pub use sentences::SentenceCutter;

/// How long `text` is in `unit`.
pub fn length(text: &str, unit: TextUnit) -> usize {
    match unit {
        TextUnit::Bytes => text.len(),
        TextUnit::Chars => text.chars().count(),
        TextUnit::Utf16 => text.chars().map(char::len_utf16).sum(),
    }
}

/// Below this many units a code block is not closed and reopened: the fences would be most of the message.
const SMALLEST_WITH_FENCES: usize = 64;

/// Cuts `text` into parts that each keep within `limit`, in order. Nothing but the white space at a cut is lost; a blank text gives no part.
///
/// Limits under 4 cannot be kept for every character and are treated as 4.
pub fn split(text: &str, limit: TextLimit) -> Vec<String> {
    let max = (limit.max as usize).max(4);
    let mut parts = Vec::new();
    let mut rest = text.trim_end();
    let mut open: Option<Fence> = None;
    loop {
        if let Some(fence) = &open {
            // The cut came right before the end of the block, which we have written already.
            let first = rest.lines().next().unwrap_or_default();
            if fence.closed_by(first) {
                rest = rest[first.len()..].trim_start_matches(['\r', '\n']);
                open = None;
            }
        }
        let reopened = open.as_ref().map(|fence| format!("{}\n", fence.opening)).unwrap_or_default();
        let room = max.saturating_sub(length(&reopened, limit.unit));
        if fits(rest, room, limit.unit) {
            if !rest.trim().is_empty() {
                parts.push(reopened + rest);
            }
            return parts;
        }
        let with_fences = max >= SMALLEST_WITH_FENCES && (open.is_some() || rest.contains("```") || rest.contains("~~~"));
        let reserve = if with_fences { longest_marker(rest, open.as_ref()) + 1 } else { 0 };
        let window = window(rest, room.saturating_sub(reserve), limit.unit);
        let cut = best_cut(rest, window, if with_fences { open.clone() } else { None }, with_fences);
        let (piece, after) = rest.split_at(cut);
        let still_open = if with_fences { fence_after(piece, open.clone(), max) } else { None };
        let piece = if still_open.is_some() { piece } else { piece.trim_end() };
        if !piece.trim().is_empty() {
            let closing = still_open.as_ref().map(|fence| format!("\n{}", fence.marker)).unwrap_or_default();
            parts.push(format!("{reopened}{piece}{closing}"));
        }
        rest = after_cut(after, still_open.is_some());
        open = still_open;
    }
}

/// A code block that is open: its first line, to be said again, and the marker that closes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fence {
    opening: String,
    marker: String,
}

impl Fence {
    /// Reads the line that opens a block.
    fn opened_by(line: &str) -> Option<Self> {
        let line = line.trim_end();
        let trimmed = line.trim_start();
        let sign = trimmed.chars().next().filter(|sign| matches!(sign, '`' | '~'))?;
        let length = trimmed.chars().take_while(|c| *c == sign).count();
        let info = &trimmed[length..];
        if length < 3 || sign == '`' && info.contains('`') {
            return None;
        }
        Some(Self { opening: line.to_owned(), marker: trimmed[..length].to_owned() })
    }

    fn closed_by(&self, line: &str) -> bool {
        let line = line.trim();
        line.len() >= self.marker.len() && self.marker.chars().next().is_some_and(|sign| line.chars().all(|c| c == sign))
    }
}

/// The code block that is open after `text`, which began inside `open`.
fn fence_after(text: &str, mut open: Option<Fence>, max: usize) -> Option<Fence> {
    for line in text.lines() {
        open = match open {
            Some(fence) if fence.closed_by(line) => None,
            Some(fence) => Some(fence),
            None => Fence::opened_by(line),
        };
    }
    open.map(|mut fence| {
        if fence.opening.len() > max / 4 || fence.marker.len() > max / 8 {
            fence.marker.truncate(3);
            fence.opening = fence.marker.clone();
        }
        fence
    })
}

fn longest_marker(rest: &str, open: Option<&Fence>) -> usize {
    let inside = rest.lines().filter_map(Fence::opened_by).map(|fence| fence.marker.len()).max().unwrap_or(3);
    inside.max(open.map_or(3, |fence| fence.marker.len())).min(16)
}

fn fits(text: &str, room: usize, unit: TextUnit) -> bool {
    // No unit is larger than a byte count, so short texts need no counting.
    text.len() <= room || window_chars(text, room, unit) == text.len()
}

fn size(c: char, unit: TextUnit) -> usize {
    match unit {
        TextUnit::Bytes => c.len_utf8(),
        TextUnit::Chars => 1,
        TextUnit::Utf16 => c.len_utf16(),
    }
}

/// The end of the longest beginning that fits, between two characters.
fn window_chars(text: &str, room: usize, unit: TextUnit) -> usize {
    let mut used = 0;
    for (index, c) in text.char_indices() {
        used += size(c, unit);
        if used > room {
            return index;
        }
    }
    text.len()
}

/// The end of the longest beginning that fits, between two of what a reader sees as one sign; never empty.
fn window(text: &str, room: usize, unit: TextUnit) -> usize {
    let end = window_chars(text, room, unit);
    let mut last = 0;
    for (index, sign) in text.grapheme_indices(true) {
        if index + sign.len() > end {
            break;
        }
        last = index + sign.len();
    }
    match (last, end) {
        (0, 0) => text.chars().next().map_or(0, char::len_utf8),
        (0, end) => end,
        (last, _) => last,
    }
}

/// Where to cut within `window`: the best pause in its second half, then any pause, then its end.
fn best_cut(text: &str, window: usize, mut open: Option<Fence>, with_fences: bool) -> usize {
    let (mut paragraph, mut line, mut sentence, mut word, mut code_line, mut code_word) = (0, 0, 0, 0, 0, 0);
    let (mut line_start, mut before) = (0, ' ');
    for (index, c) in text.char_indices().take_while(|(index, _)| *index <= window) {
        match c {
            '\n' => {
                let ended = &text[line_start..index];
                let opening = with_fences && open.is_none() && Fence::opened_by(ended).is_some();
                if opening {
                    open = Fence::opened_by(ended);
                } else if open.as_ref().is_some_and(|fence| fence.closed_by(ended)) {
                    open = None;
                }
                if open.is_none() {
                    line = index;
                    if text[index + 1..].trim_start_matches([' ', '\t', '\r']).starts_with('\n') {
                        paragraph = index;
                    }
                } else if !opening {
                    code_line = index;
                }
                line_start = index + 1;
            }
            ' ' | '\t' | '\u{3000}' if open.is_some() => code_word = index,
            ' ' | '\t' | '\u{3000}' => {
                word = index;
                if matches!(before, '.' | '!' | '?' | '…' | '"' | '”' | '»') {
                    sentence = index;
                }
            }
            _ if matches!(before, '。' | '！' | '？') && open.is_none() => sentence = index,
            _ => {}
        }
        before = c;
    }
    let half = window / 2;
    [paragraph, line, sentence, word, code_line, code_word]
        .into_iter()
        .find(|cut| *cut > half)
        .or_else(|| [paragraph, line, word, code_line, code_word].into_iter().find(|cut| *cut > 0))
        .unwrap_or(window)
}

/// What follows a cut, without the white space that the cut replaces. Indentation of the next line stays.
fn after_cut(after: &str, in_code: bool) -> &str {
    if in_code {
        return after.strip_prefix("\r\n").or_else(|| after.strip_prefix(['\n', ' '])).unwrap_or(after);
    }
    let after = after.trim_start_matches([' ', '\t', '\u{3000}', '\r']);
    if after.starts_with('\n') {
        let text = after.trim_start();
        let blank = after.len() - text.len();
        let line = after[..blank].rfind('\n').map_or(0, |index| index + 1);
        return &after[line..];
    }
    after
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn utf16(max: u32) -> TextLimit {
        TextLimit { max, unit: TextUnit::Utf16 }
    }

    fn without_space(text: &str) -> String {
        text.chars().filter(|c| !c.is_whitespace()).collect()
    }

    #[test]
    fn a_text_that_fits_stays_as_it_is() {
        assert_eq!(split("Olá,\n\n  tudo bem? ", utf16(4096)), ["Olá,\n\n  tudo bem?"]);
        assert_eq!(split("", utf16(10)), Vec::<String>::new());
        assert_eq!(split(" \n ", utf16(10)), Vec::<String>::new());
    }

    #[test]
    fn the_largest_pause_wins() {
        let text = "One two three. Four five six.\n\nSeven eight nine. Ten eleven twelve.";
        assert_eq!(split(text, utf16(45)), ["One two three. Four five six.", "Seven eight nine. Ten eleven twelve."]);
        assert_eq!(split("One two three. Four five six seven", utf16(24)), ["One two three.", "Four five six seven"]);
        assert_eq!(split("uma palavra comprida", utf16(14)), ["uma palavra", "comprida"]);
        assert_eq!(split("abcdefghij", utf16(4)), ["abcd", "efgh", "ij"]);
    }

    #[test]
    fn five_thousand_emoji_are_cut_between_emoji() {
        let family = "👩‍👩‍👧‍👦";
        let text = family.repeat(5000);
        let parts = split(&text, utf16(4096));
        assert_eq!(parts.concat(), text);
        for part in parts {
            assert!(length(&part, TextUnit::Utf16) <= 4096);
            assert!(part.len().is_multiple_of(family.len()), "a family stays together");
        }
    }

    #[test]
    fn a_code_block_is_closed_and_opened_again() {
        let code: String = (0..30).map(|line| format!("let number_{line} = {line};\n")).collect();
        let text = format!("Here it is:\n\n```rust\n{code}```\nDone.");
        let parts = split(&text, utf16(300));
        assert!(parts.len() > 2);
        for part in &parts {
            assert!(length(part, TextUnit::Utf16) <= 300);
            assert_eq!(part.matches("```").count() % 2, 0, "every block is closed: {part}");
        }
        assert!(parts[1].starts_with("```rust\n"));
        let lines: String = parts.join("\n").lines().filter(|line| !line.starts_with("```")).map(|line| format!("{line}\n")).collect();
        assert_eq!(without_space(&lines), without_space(&text.replace("```rust", "").replace("```", "")));
    }

    #[test]
    fn a_code_block_that_ends_at_the_cut_is_not_said_twice() {
        let text = format!("```\n{}\n```\n{}", "x".repeat(60), "word ".repeat(20));
        for max in 64..140 {
            let parts = split(&text, utf16(max));
            assert_eq!(parts.concat().matches("```").count() % 2, 0, "{max}: {parts:?}");
            assert!(parts.iter().all(|part| !part.contains("```\n```")), "{max}: no empty block: {parts:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_every_part_fits(text in "(\\PC|[ \n.!?]|é|👍🏽|🇧🇷){0,600}", max in 4u32..200, unit in 0..3) {
            prop_assume!(!text.contains("```") && !text.contains("~~~"));
            let unit = [TextUnit::Utf16, TextUnit::Chars, TextUnit::Bytes][unit as usize];
            let parts = split(&text, TextLimit { max, unit });
            prop_assert_eq!(without_space(&parts.concat()), without_space(&text));
            for part in &parts {
                prop_assert!(length(part, unit) <= max as usize, "{part:?} is longer than {max}");
                prop_assert!(!part.trim().is_empty());
            }
        }

        #[test]
        fn fences_never_break_the_limit(lines in proptest::collection::vec("(```[a-z]{0,9}|~~~|[a-z ]{0,90}|````)", 0..40), max in 64u32..300) {
            let text = lines.join("\n");
            let parts = split(&text, utf16(max));
            for part in &parts {
                prop_assert!(length(part, TextUnit::Utf16) <= max as usize, "{part:?} is longer than {max}");
            }
            let words = |text: &str| text.lines().filter(|line| !line.contains("```") && !line.contains("~~~")).collect::<String>();
            prop_assert_eq!(without_space(&words(&parts.join("\n"))), without_space(&words(&text)));
        }
    }
}
