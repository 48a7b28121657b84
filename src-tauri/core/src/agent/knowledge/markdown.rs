//! Text and Markdown: cut by headings and paragraphs, each passage with the headings above it and its lines.
//!
//! A list keeps its lines, so that one price can be quoted without its neighbours; hard-wrapped prose is joined again. Markdown
//! tables become "name: value" lines like CSV. Plain text has headings too: underlined ones, lines in capitals, and short
//! lines that end in a colon or stand alone above a list.

use super::read::Passage;

/// A passage grows to about this many characters.
const GOAL: usize = 800;
/// And never beyond this many.
const LIMIT: usize = 1200;

/// Which signs of structure are believed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    /// Markdown's.
    Yes,
    /// A plain text's few.
    Few,
}

/// Cuts a text into passages.
pub fn read(text: &str, marks: Marks) -> Vec<Passage> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut cutter = Cutter { passages: Vec::new(), headings: Vec::new(), body: Vec::new(), first: 0, last: 0 };
    let mut at = 0;
    let mut fenced = false;
    while at < lines.len() {
        let line = lines[at].trim();
        if marks == Marks::Yes && (line.starts_with("```") || line.starts_with("~~~")) {
            fenced = !fenced;
            at += 1;
            continue;
        }
        if line.is_empty() || is_rule(line) {
            cutter.paragraph_ends();
            at += 1;
            continue;
        }
        if !fenced {
            if let Some((level, title, used)) = heading(&lines, at, marks) {
                cutter.heading(level, &title);
                at += used;
                continue;
            }
            if is_table(&lines, at) {
                at += cutter.table(&lines[at..], at + 1);
                continue;
            }
        }
        // A block: up to the next blank line or heading.
        let start = at;
        while at < lines.len() && !lines[at].trim().is_empty() && !lines[at].trim().starts_with("```") {
            if at > start && !fenced && (heading(&lines, at, marks).is_some() || is_table(&lines, at)) {
                break;
            }
            at += 1;
        }
        cutter.block(&lines[start..at], start + 1);
    }
    cutter.flush();
    cutter.passages
}

struct Cutter {
    passages: Vec<Passage>,
    headings: Vec<(usize, String)>,
    body: Vec<String>,
    first: usize,
    last: usize,
}

impl Cutter {
    fn heading(&mut self, level: usize, title: &str) {
        self.flush();
        self.headings.retain(|(above, _)| *above < level);
        self.headings.push((level, title.to_owned()));
    }

    fn paragraph_ends(&mut self) {
        if self.size() >= GOAL {
            self.flush();
        }
    }

    fn size(&self) -> usize {
        self.body.iter().map(|line| line.chars().count() + 1).sum()
    }

    fn add(&mut self, line: &str, number: usize, last: usize) {
        let line = plain(line);
        if line.is_empty() {
            return;
        }
        for piece in pieces(&line) {
            if self.size() + piece.chars().count() > LIMIT {
                self.flush();
            }
            if self.body.is_empty() {
                self.first = number;
            }
            self.last = last;
            self.body.push(piece);
        }
    }

    /// Lines without a blank one between them: a list keeps its lines, prose is joined.
    fn block(&mut self, lines: &[&str], number: usize) {
        let mut at = 0;
        while at < lines.len() {
            let start = at;
            let mut line = lines[at].trim().to_owned();
            while at + 1 < lines.len() && goes_on(lines[at], lines[at + 1]) {
                at += 1;
                line.push(' ');
                line.push_str(lines[at].trim());
            }
            self.add(&line, number + start, number + at);
            at += 1;
        }
    }

    /// A Markdown table; gives how many lines it took.
    fn table(&mut self, lines: &[&str], number: usize) -> usize {
        let cells = |line: &str| -> Vec<String> { line.trim().trim_matches('|').split('|').map(plain).collect() };
        let names = cells(lines[0]);
        let mut used = 2;
        for line in lines.iter().skip(2).take_while(|line| line.contains('|')) {
            let row: Vec<String> = cells(line)
                .into_iter()
                .enumerate()
                .filter(|(_, value)| !value.is_empty())
                .map(|(at, value)| match names.get(at).filter(|name| !name.is_empty()) {
                    Some(name) => format!("{name}: {value}"),
                    None => value,
                })
                .collect();
            self.add(&row.join(" · "), number + used, number + used);
            used += 1;
        }
        used
    }

    fn flush(&mut self) {
        let body = std::mem::take(&mut self.body).join("\n");
        if body.trim().is_empty() {
            return;
        }
        let title = self.headings.iter().map(|(_, title)| title.as_str()).collect::<Vec<_>>().join(" › ");
        let location =
            if self.first == self.last { format!("line {}", self.first) } else { format!("lines {}–{}", self.first, self.last) };
        self.passages.push(Passage { title, body, location });
    }
}

/// A heading at `at`: its level, its words, how many lines it took.
fn heading(lines: &[&str], at: usize, marks: Marks) -> Option<(usize, String, usize)> {
    let line = lines[at].trim();
    let level = line.chars().take_while(|c| *c == '#').count();
    if (1..=6).contains(&level) && line[level..].starts_with(' ') {
        let title = plain(line[level..].trim().trim_end_matches('#'));
        return (!title.is_empty()).then_some((level, title, 1));
    }
    if is_item(line) || line.chars().count() > 80 {
        return None;
    }
    if let Some(under) = lines.get(at + 1).map(|next| next.trim()) {
        let before_is_blank = at == 0 || lines[at - 1].trim().is_empty();
        if under.len() >= 3 && before_is_blank && !line.contains('|') {
            if under.chars().all(|c| c == '=') {
                return Some((1, plain(line), 2));
            }
            if under.chars().all(|c| c == '-') {
                return Some((2, plain(line), 2));
            }
        }
    }
    let bold =
        marks == Marks::Yes && line.len() > 4 && line.starts_with("**") && line.ends_with("**") && !line[2..line.len() - 2].contains("**");
    if bold {
        return Some((5, plain(line), 1));
    }
    if marks == Marks::Yes {
        return None;
    }
    let bare = line.trim_matches(|c: char| matches!(c, '=' | '-' | '*' | '_' | ' ' | '—' | '–'));
    let letters = bare.chars().filter(|c| c.is_alphabetic()).count();
    let next = lines.get(at + 1).map_or("", |next| next.trim());
    let alone = at == 0 || lines[at - 1].trim().is_empty();
    if letters >= 3
        && bare.chars().count() <= 60
        && !bare.contains(|c: char| c.is_lowercase())
        && !super::signs::money(bare)
        && !super::signs::time(bare)
        && bare.len() * 2 > line.len()
    {
        return Some((3, bare.trim_end_matches(':').to_owned(), 1));
    }
    // A short line with a colon at its end, above something.
    if alone
        && letters >= 3
        && line.ends_with(':')
        && line.chars().count() <= 60
        && (!next.is_empty() || lines.get(at + 2).is_some_and(|after| !after.trim().is_empty()))
    {
        return Some((4, line.trim_end_matches(':').to_owned(), 1));
    }
    // A short line that stands alone above a list.
    let list_follows = is_item(next) || (next.is_empty() && lines.get(at + 2).is_some_and(|after| is_item(after.trim())));
    if alone
        && letters >= 3
        && line.chars().count() <= 50
        && list_follows
        && !line.ends_with(['.', '?', '!', ',', ';'])
        && !super::signs::money(line)
    {
        return Some((4, line.to_owned(), 1));
    }
    None
}

fn is_rule(line: &str) -> bool {
    line.len() >= 3 && ["-", "=", "*", "_", "~", "·", "."].iter().any(|sign| line.chars().all(|c| c.to_string() == *sign || c == ' '))
}

fn is_table(lines: &[&str], at: usize) -> bool {
    let second = lines.get(at + 1).map_or("", |line| line.trim());
    lines[at].contains('|') && second.contains('-') && second.contains('|') && second.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '))
}

/// A line of a list.
fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    let after_number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    ["- ", "* ", "+ ", "• ", "· ", "– ", "— "].iter().any(|mark| line.starts_with(mark))
        || (after_number.len() < line.len()
            && line.len() - after_number.len() <= 2
            && (after_number.starts_with(". ") || after_number.starts_with(") ")))
}

/// Whether `next` is the rest of `line` (a hard-wrapped sentence), not a line of its own.
fn goes_on(line: &str, next: &str) -> bool {
    let (line, next_trimmed) = (line.trim(), next.trim());
    if is_item(next_trimmed) || line.ends_with("  ") || line.ends_with(['.', '!', '?', ':', ';']) {
        // Sentences of one paragraph go on if the lines are as long as a wrapped paragraph's.
        return !is_item(next_trimmed) && line.ends_with(['.', '!', '?', ';']) && line.chars().count() > 65 && !is_item(line);
    }
    let deeper = next.starts_with("  ") && is_item(line);
    deeper || (line.chars().count() > 55 && !line.contains("..") && !line.contains(". .")) || next_trimmed.starts_with(char::is_lowercase)
}

/// Without Markdown's signs and doubled spaces.
fn plain(line: &str) -> String {
    let mut text = line.trim().to_owned();
    if is_item(&text) {
        let number = text.starts_with(|c: char| c.is_ascii_digit());
        if !number {
            text = text.split_once(' ').map(|(_, rest)| rest.trim_start().to_owned()).unwrap_or_default();
        }
    }
    let text = text.trim_start_matches("> ").replace("**", "").replace("__", "").replace('`', "");
    let text = links(&text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `[words](address)` becomes "words (address)"; pictures become their words.
fn links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let Some((words, after)) = rest[open + 1..].split_once("](") else { break };
        let Some((address, tail)) = after.split_once(')') else { break };
        if words.contains('[') || address.contains(' ') {
            break;
        }
        out.push_str(rest[..open].trim_end_matches('!'));
        out.push_str(words);
        if !rest[..open].ends_with('!') && !address.starts_with('#') && words != address {
            out.push_str(&format!(" ({address})"));
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// A line, or its sentences gathered into pieces when it is longer than a passage may be.
fn pieces(line: &str) -> Vec<String> {
    if line.chars().count() <= LIMIT {
        return vec![line.to_owned()];
    }
    let mut out: Vec<String> = Vec::new();
    let mut piece = String::new();
    for word in line.split_inclusive(' ') {
        let full = piece.chars().count() + word.chars().count() > LIMIT;
        let ends = piece.chars().count() > GOAL && piece.trim_end().ends_with(['.', '!', '?', ';']);
        if (full || ends) && !piece.is_empty() {
            out.push(std::mem::take(&mut piece).trim().to_owned());
        }
        // A "word" longer than a passage is cut where it must be.
        let mut word = word;
        while word.chars().count() > LIMIT {
            let cut = word.char_indices().nth(LIMIT).map_or(word.len(), |(at, _)| at);
            out.push(word[..cut].to_owned());
            word = &word[cut..];
        }
        piece.push_str(word);
    }
    if !piece.trim().is_empty() {
        out.push(piece.trim().to_owned());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, marks: Marks) -> Vec<(String, String, String)> {
        read(text, marks).into_iter().map(|passage| (passage.title, passage.body, passage.location)).collect()
    }

    fn row(title: &str, body: &str, location: &str) -> (String, String, String) {
        (title.into(), body.into(), location.into())
    }

    #[test]
    fn markdown_is_cut_by_headings() {
        let text = "# Shop\nWe sell **bikes**.\n\n## Hours\n- Mon: 9–18\n- Sat: 10-14\n\n| Item | Price |\n|---|---|\n| Bell | €9 |\n";
        assert_eq!(
            cut(text, Marks::Yes),
            [row("Shop", "We sell bikes.", "line 2"), row("Shop › Hours", "Mon: 9–18\nSat: 10-14\nItem: Bell · Price: €9", "lines 5–10")]
        );
    }

    #[test]
    fn plain_text_has_headings_too() {
        let text = "PADARIA\n\nHorário:\nSegunda a sexta: 7h às 20h\nDomingo: fechado\n\nPÃES\nPão francês ..... 18,90\nBroa ..... 12,00\n";
        assert_eq!(
            cut(text, Marks::Few),
            [
                row("PADARIA › Horário", "Segunda a sexta: 7h às 20h\nDomingo: fechado", "lines 4–5"),
                row("PÃES", "Pão francês ..... 18,90\nBroa ..... 12,00", "lines 8–9")
            ]
        );
    }

    #[test]
    fn wrapped_prose_is_joined_and_lists_are_not() {
        let text = "We repair every kind of bicycle in our own workshop, and we lend you\nanother one meanwhile.\n\nMon 9-18\nTue 9-18\n";
        assert_eq!(
            cut(text, Marks::Few)[0].1,
            "We repair every kind of bicycle in our own workshop, and we lend you another one meanwhile.\nMon 9-18\nTue 9-18"
        );
    }

    #[test]
    fn long_texts_become_passages_of_bearable_length() {
        let text = "A sentence that says something. ".repeat(200);
        let passages = read(&text, Marks::Few);
        assert!(passages.len() > 4 && passages.iter().all(|passage| passage.body.chars().count() <= LIMIT));
        let word = "x".repeat(5000);
        assert!(read(&word, Marks::Yes).iter().all(|passage| passage.body.chars().count() <= LIMIT));
    }
}
