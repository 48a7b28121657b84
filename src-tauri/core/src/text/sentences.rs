//! A streamed answer, cut into what a person would send as one message.
//!
//! The cutter decides only on full evidence: it waits until it has seen what follows a full stop or a line, so that the
//! pieces are the same however the model hands the text over.

/// Pieces shorter than this wait for the next sentence: nobody wants "Hi!" and "Sure." as messages of their own.
const SHORTEST: usize = 40;

/// Short forms whose full stop ends no sentence, in English, Portuguese and Spanish; lower case, without the stop.
const ABBREVIATIONS: &[&str] = &[
    "approx", "art", "av", "avda", "cap", "cf", "cia", "co", "depto", "dept", "dr", "dra", "dto", "e.g", "ed", "eg", "ej", "est", "etc",
    "ex", "ext", "fig", "i.e", "ie", "inc", "jr", "km", "lic", "ltd", "ltda", "max", "máx", "min", "mín", "mr", "mrs", "ms", "mt", "no",
    "nr", "nro", "núm", "num", "obs", "op", "p", "p.ej", "pag", "pág", "pp", "prof", "profa", "ref", "sec", "seg", "sr", "sra", "sras",
    "sres", "srs", "srta", "st", "tel", "trav", "ud", "uds", "vol", "vs",
];

/// Cuts a text that is still being written.
#[derive(Debug, Default)]
pub struct SentenceCutter {
    waiting: String,
    whole_paragraphs: bool,
}

impl SentenceCutter {
    /// Cuts into sentences and short groups of sentences.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cuts into paragraphs only.
    pub fn paragraphs() -> Self {
        Self { waiting: String::new(), whole_paragraphs: true }
    }

    /// Takes what came and gives back what is ready to be sent, in order.
    pub fn push(&mut self, text: &str) -> Vec<String> {
        self.waiting.push_str(text);
        let mut ready = Vec::new();
        while let Some(cut) = first_cut(&self.waiting, self.whole_paragraphs) {
            let piece = self.waiting[..cut].trim().to_owned();
            self.waiting.drain(..cut);
            if !piece.is_empty() {
                ready.push(piece);
            }
        }
        ready
    }

    /// What is left when the answer is whole.
    pub fn finish(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.waiting);
        let rest = rest.trim();
        (!rest.is_empty()).then(|| rest.to_owned())
    }
}

/// What a line is to its neighbours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Line {
    Blank,
    Fence,
    /// An item of a list, a row of a table, or an indented line that goes on with one.
    Item,
    Plain,
    /// Too little of it has come to tell.
    Unknown,
}

fn classify(line: &str, whole: bool) -> Line {
    let trimmed = line.trim_start();
    let Some(first) = trimmed.chars().next() else {
        return if whole { Line::Blank } else { Line::Unknown };
    };
    let ended = whole || trimmed.chars().count() > 4;
    if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
        return Line::Fence;
    }
    if matches!(first, '`' | '~') && !ended && trimmed.chars().all(|c| c == first) {
        return Line::Unknown;
    }
    if matches!(first, '•' | '|' | '–') || line.starts_with("  ") || line.starts_with('\t') {
        return Line::Item;
    }
    if matches!(first, '-' | '*' | '+') {
        return match trimmed.chars().nth(1) {
            Some(' ') => Line::Item,
            Some(_) => Line::Plain,
            None if whole => Line::Plain,
            None => Line::Unknown,
        };
    }
    let digits = trimmed.chars().take_while(char::is_ascii_digit).count();
    if (1..=3).contains(&digits) {
        let mut after = trimmed[digits..].chars();
        return match (after.next(), after.next()) {
            (Some('.' | ')'), Some(' ')) => Line::Item,
            (None, _) | (Some('.' | ')'), None) if !whole => Line::Unknown,
            _ => Line::Plain,
        };
    }
    Line::Plain
}

/// The end of the first piece that is certainly whole, if there is one.
fn first_cut(text: &str, whole_paragraphs: bool) -> Option<usize> {
    let begin = text.len() - text.trim_start_matches(['\n', '\r']).len();
    let mut fence: Option<char> = None;
    // Whether the block that ends here is, or may lead into, a list that is to stay whole.
    let mut in_list = false;
    let mut start = begin;
    while start < text.len() {
        let end = text[start..].find('\n').map(|index| start + index);
        let line = text[start..end.unwrap_or(text.len())].trim_end_matches('\r');
        let kind = classify(line, end.is_some());
        match (fence, kind) {
            (Some(sign), Line::Fence) if line.trim_start().starts_with(sign) => fence = None,
            (Some(_), _) => {}
            (None, Line::Fence) => fence = line.trim_start().chars().next(),
            (None, Line::Item) => in_list = true,
            (None, Line::Plain) => {
                // A paragraph after a list: what came before it is whole.
                in_list = false;
                if !whole_paragraphs && let Some(cut) = sentence_end(text, start, end, begin) {
                    return Some(cut);
                }
                in_list |= line.trim_end().ends_with(':');
            }
            (None, Line::Blank | Line::Unknown) => {}
        }
        let end = end?;
        if fence.is_none() && kind != Line::Unknown && long_enough(&text[begin..end]) {
            match what_follows(text, end + 1) {
                Line::Unknown => return None,
                Line::Item if in_list || kind == Line::Item => {}
                Line::Fence if line.trim_end().ends_with(':') => {}
                Line::Plain if whole_paragraphs && kind == Line::Plain && !blank_between(text, end) => {}
                Line::Plain if kind == Line::Item && !blank_between(text, end) && !starts_sentence(text, end + 1) => {}
                _ => return Some(end + 1),
            }
        }
        start = end + 1;
    }
    None
}

fn long_enough(text: &str) -> bool {
    text.trim().chars().count() >= SHORTEST
}

fn blank_between(text: &str, end: usize) -> bool {
    text[end + 1..].lines().next().is_some_and(|line| line.trim().is_empty())
}

fn starts_sentence(text: &str, start: usize) -> bool {
    text[start..].chars().find(|c| !c.is_whitespace()).is_some_and(|c| !c.is_lowercase())
}

/// The kind of the next line that is not blank.
fn what_follows(text: &str, mut start: usize) -> Line {
    while start < text.len() {
        let end = text[start..].find('\n').map(|index| start + index);
        match (classify(text[start..end.unwrap_or(text.len())].trim_end_matches('\r'), end.is_some()), end) {
            (Line::Blank, Some(end)) => start = end + 1,
            (kind, _) => return kind,
        }
    }
    Line::Unknown
}

/// The first certain end of a sentence in the line `start..end`, if the piece is long enough by then.
fn sentence_end(text: &str, start: usize, end: Option<usize>, begin: usize) -> Option<usize> {
    let line = &text[start..end.unwrap_or(text.len())];
    for (index, c) in line.char_indices() {
        if !matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？') {
            continue;
        }
        let after = &line[index + c.len_utf8()..];
        let closing: usize = after
            .chars()
            .take_while(|c| matches!(c, '.' | '!' | '?' | '…' | '"' | '\'' | '”' | '’' | '»' | ')' | ']' | '*' | '_'))
            .map(char::len_utf8)
            .sum();
        let stop = start + index + c.len_utf8() + closing;
        let wide = matches!(c, '。' | '！' | '？');
        let following = &text[stop..end.unwrap_or(text.len())];
        let Some(next) = following.chars().find(|c| !c.is_whitespace()) else { continue };
        if !wide && !following.starts_with(char::is_whitespace) || next.is_lowercase() {
            continue;
        }
        if c == '.' && closing == 0 && ends_abbreviation(&line[..index]) {
            continue;
        }
        // Inside inline code or a link nothing ends.
        let so_far = &text[begin..stop];
        if so_far.matches('`').count() % 2 == 1 || so_far.matches('[').count() > so_far.matches(']').count() {
            continue;
        }
        if long_enough(so_far) {
            return Some(stop);
        }
    }
    None
}

/// Whether the full stop after `before` belongs to a short form, an initial or a number of a list.
fn ends_abbreviation(before: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"' | '“' | '«' | '/')).next().unwrap_or_default();
    let lower = word.to_lowercase();
    let is_initial = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
    let is_dotted = word.contains('.') && word.split('.').all(|part| part.chars().count() <= 2);
    let is_list_number = before.trim_start().chars().all(|c| c.is_ascii_digit());
    is_initial || is_dotted || is_list_number || ABBREVIATIONS.contains(&lower.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str) -> Vec<String> {
        cut_by(text, usize::MAX)
    }

    fn cut_by(text: &str, step: usize) -> Vec<String> {
        let mut cutter = SentenceCutter::new();
        let mut pieces = Vec::new();
        let chars: Vec<char> = text.chars().collect();
        for chunk in chars.chunks(step.min(chars.len()).max(1)) {
            pieces.extend(cutter.push(&chunk.iter().collect::<String>()));
        }
        pieces.extend(cutter.finish());
        pieces
    }

    #[test]
    fn whole_sentences_come_one_by_one() {
        assert_eq!(
            cut("We open at nine every day of the working week. On Sundays the shop stays closed all day long. Anything else?"),
            ["We open at nine every day of the working week.", "On Sundays the shop stays closed all day long.", "Anything else?"]
        );
    }

    #[test]
    fn tiny_sentences_travel_together() {
        assert_eq!(
            cut("Oi! Tudo bem? Sim, temos o bolo de cenoura hoje. Quer reservar um para buscar às 15h?"),
            ["Oi! Tudo bem? Sim, temos o bolo de cenoura hoje.", "Quer reservar um para buscar às 15h?"]
        );
    }

    #[test]
    fn short_forms_and_decimals_end_nothing() {
        for text in [
            "O Sr. Antônio e a Dra. Lúcia atendem na Av. Paulista e na R. Augusta toda semana",
            "It costs 3.50 dollars, i.e. a little less than at No. 5 or by J. Smith in the other street",
            "El Sr. García vive en la Avda. América, p.ej. Núm. 12, y paga 1.250,00 cada mes del año",
            "See example.com/help.html or write to ana@example.com.br for the whole list of prices",
        ] {
            assert_eq!(cut(text), [text]);
        }
    }

    #[test]
    fn a_list_stays_whole_with_its_introduction() {
        let text = "We have three kinds of bread today:\n\n1. Sourdough, from our own oven. Large.\n2. Rye\n3. Brioche\n\nWhich one would you like to have reserved?";
        assert_eq!(
            cut(text),
            [
                "We have three kinds of bread today:\n\n1. Sourdough, from our own oven. Large.\n2. Rye\n3. Brioche",
                "Which one would you like to have reserved?"
            ]
        );
    }

    #[test]
    fn a_code_block_stays_whole() {
        let text = "Paste this into the page, right before the end of the body:\n```html\n<script>\n\nlet a = 1. \n</script>\n```\nThen reload the page and look at the corner.";
        let pieces = cut(text);
        assert_eq!(pieces.len(), 2, "{pieces:?}");
        assert!(pieces[0].ends_with("```"));
    }

    #[test]
    fn paragraphs_are_kept_whole_when_asked() {
        let mut cutter = SentenceCutter::paragraphs();
        let mut pieces = cutter.push("The first sentence is here. The second one follows at once.\n\nA new paragraph begins.");
        pieces.extend(cutter.finish());
        assert_eq!(pieces, ["The first sentence is here. The second one follows at once.", "A new paragraph begins."]);
    }

    #[test]
    fn a_sentence_is_handed_over_before_the_answer_is_whole() {
        let mut cutter = SentenceCutter::new();
        assert!(cutter.push("The cake is ready and waits for you here. ").is_empty(), "what follows decides");
        assert_eq!(cutter.push("S"), ["The cake is ready and waits for you here."]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_chunks_do_not_matter(
            text in "((Olá|Sr|etc|we open|3|Bread is here and it is good)|[.!?:] |\n|\n\n|\n- |\n1\\. |\n```\n|[ a-zA-Z.]|👍|é){0,60}",
            step in 1usize..9,
        ) {
            let whole = cut(&text);
            prop_assert_eq!(&cut_by(&text, step), &cut_by(&text, 1));
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&whole.concat()), letters(&text));
            prop_assert_eq!(letters(&cut_by(&text, step).concat()), letters(&text));
        }
    }
}
