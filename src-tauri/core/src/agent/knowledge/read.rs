//! From a dropped file to passages: what it is, how it is encoded, how it is cut.
//!
//! Text, Markdown and CSV are read. Everything else is refused with a sentence that says what to do instead: reading half of a
//! PDF would make an agent sure of half the truth.

use std::path::Path;

use super::{markdown, table};
use crate::error::{Code, Error, Result};
use crate::say;

/// The largest file, in bytes.
pub const MAX_BYTES: usize = 20 << 20;
/// The longest text, in characters.
pub const MAX_CHARS: usize = 5_000_000;

/// A piece of a document that can be found and quoted by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// The headings above it ("Encomendas › Bolos"); empty when there are none.
    pub title: String,
    /// Its words; a list keeps its lines, a paragraph is one line.
    pub body: String,
    /// Where it stands ("line 31", "lines 31–35", "row 12").
    pub location: String,
}

/// How a file is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Plain text.
    Text,
    /// Markdown.
    Markdown,
    /// Rows of values under a row of names.
    Csv,
}

impl Format {
    /// By the file's name; anything unknown is text if it reads as text.
    pub fn of(filename: &str) -> Self {
        match extension(filename).as_str() {
            "md" | "markdown" | "mdown" | "mkd" => Self::Markdown,
            "csv" | "tsv" | "tab" => Self::Csv,
            _ => Self::Text,
        }
    }

    /// Its media type.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Text => "text/plain",
            Self::Markdown => "text/markdown",
            Self::Csv => "text/csv",
        }
    }
}

/// Reads a file into passages.
///
/// # Errors
/// [`Code::TooLarge`] above the limits, [`Code::Invalid`] for what is not text; each with a sentence.
pub fn read_document(filename: &str, bytes: &[u8]) -> Result<Vec<Passage>> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::new(Code::TooLarge, say!("{name} is larger than 20 MB. Split it, and drop the parts.", name = filename)));
    }
    refuse_what_is_not_text(filename, bytes)?;
    let text = decode(bytes);
    if text.chars().filter(|c| *c == '\0' || *c == '\u{fffd}').count() * 50 > text.len().max(50) {
        return Err(Error::new(Code::Invalid, say!("{name} does not read as text. Export it as text, Markdown or CSV.", name = filename)));
    }
    if text.chars().count() > MAX_CHARS {
        return Err(Error::new(
            Code::TooLarge,
            say!("{name} has more than 5 million characters. Split it, and drop the parts.", name = filename),
        ));
    }
    let text = super::terms::visible(&text);
    let passages = match Format::of(filename) {
        Format::Csv => table::read(&text),
        Format::Markdown => markdown::read(&text, markdown::Marks::Yes),
        Format::Text => markdown::read(&text, markdown::Marks::Few),
    };
    if passages.is_empty() {
        return Err(Error::new(Code::Invalid, say!("{name} is empty. There is nothing to answer from.", name = filename)));
    }
    Ok(passages)
}

fn extension(filename: &str) -> String {
    Path::new(filename).extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn refuse_what_is_not_text(filename: &str, bytes: &[u8]) -> Result<()> {
    let refuse = |sentence| Err(Error::new(Code::Invalid, sentence));
    let extension = extension(filename);
    let head = &bytes[..bytes.len().min(1024)];
    if extension == "pdf" || head.windows(5).any(|window| window == b"%PDF-") && bytes.starts_with(b"%PDF") {
        return refuse(say!("I cannot read this PDF as text. Export it as text, or paste it here."));
    }
    if ["doc", "docx", "odt", "rtf", "pages"].contains(&extension.as_str()) || bytes.starts_with(b"{\\rtf") {
        return refuse(say!("{name} is a word processor's file. Save it as plain text or Markdown, and drop that.", name = filename));
    }
    if ["xls", "xlsx", "ods", "numbers"].contains(&extension.as_str()) {
        return refuse(say!("{name} is a spreadsheet. Save it as CSV, and drop that.", name = filename));
    }
    if ["htm", "html", "xml", "json"].contains(&extension.as_str()) {
        return refuse(say!("{name} is written for programs. Save the words as plain text or Markdown, and drop that.", name = filename));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Ok(());
    }
    match infer::get(bytes).map(|kind| kind.matcher_type()) {
        Some(infer::MatcherType::Image) => {
            refuse(say!("{name} is a picture. Type its words into a text file, and drop that.", name = filename))
        }
        Some(infer::MatcherType::Text) | None => Ok(()),
        Some(_) => refuse(say!("{name} does not read as text. Export it as text, Markdown or CSV.", name = filename)),
    }
}

/// The text of `bytes`: UTF-8, UTF-16 by its mark or its look, Windows-1252 (which holds Latin-1) otherwise.
fn decode(bytes: &[u8]) -> String {
    if let Some(rest) = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]) {
        return String::from_utf8_lossy(rest).into_owned();
    }
    if let Some(rest) = bytes.strip_prefix(&[0xff, 0xfe]) {
        return utf16(rest, u16::from_le_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(&[0xfe, 0xff]) {
        return utf16(rest, u16::from_be_bytes);
    }
    let zeros = |offset: usize| bytes.iter().skip(offset).step_by(2).take(512).filter(|byte| **byte == 0).count();
    let half = bytes.len().min(1024) / 2;
    if half >= 4 {
        if zeros(1) * 2 > half {
            return utf16(bytes, u16::from_le_bytes);
        }
        if zeros(0) * 2 > half {
            return utf16(bytes, u16::from_be_bytes);
        }
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}

fn windows_1252(byte: u8) -> char {
    const UPPER: [char; 32] = [
        '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}', '\u{fffd}', '‘', '’', '“',
        '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => UPPER[usize::from(byte - 0x80)],
        other => char::from(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str, bytes: &[u8]) -> String {
        read_document(name, bytes).expect_err("must be refused").message.to_string()
    }

    #[test]
    fn every_usual_encoding_gives_the_same_words() {
        let text = "Pão de açúcar – 9,50 €\n";
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let with_mark = |mark: &[u8], rest: &[u8]| [mark, rest].concat();
        let windows = b"P\xe3o de a\xe7\xfacar \x96 9,50 \x80\n";
        for bytes in [
            text.as_bytes().to_vec(),
            with_mark(&[0xef, 0xbb, 0xbf], text.as_bytes()),
            with_mark(&[0xff, 0xfe], &utf16),
            with_mark(&[0xfe, 0xff], &big),
            utf16,
            windows.to_vec(),
        ] {
            assert_eq!(read_document("a.txt", &bytes).unwrap()[0].body, "Pão de açúcar – 9,50 €");
        }
    }

    #[test]
    fn what_is_not_text_is_refused_with_a_way_out() {
        assert_eq!(refusal("menu.pdf", b"%PDF-1.7\n..."), "I cannot read this PDF as text. Export it as text, or paste it here.");
        assert!(refusal("menu.txt", b"%PDF-1.7\n...").contains("PDF"));
        assert!(refusal("photo.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").contains("picture"));
        assert!(refusal("list.xlsx", b"PK\x03\x04").contains("CSV"));
        assert!(refusal("letter.docx", b"PK\x03\x04").contains("plain text"));
        assert!(refusal("odd.txt", &[0, 1, 2, 3, 0xff, 0, 0, 0, 5, 6, 7, 0, 0, 0, 0, 0, 0, 0]).contains("text"));
        assert!(refusal("none.txt", b"  \n\n ").contains("empty"));
        assert_eq!(read_document("big.txt", &vec![b'a'; MAX_BYTES + 1]).unwrap_err().code, Code::TooLarge);
        assert_eq!(read_document("long.txt", "ab\n".repeat(2_000_000).as_bytes()).unwrap_err().code, Code::TooLarge);
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        let mut seed = 7u64;
        for length in 0..400 {
            let bytes: Vec<u8> = (0..length)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (seed >> 33) as u8
                })
                .collect();
            for name in ["a.txt", "a.md", "a.csv", "a"] {
                if let Ok(passages) = read_document(name, &bytes) {
                    assert!(passages.iter().all(|passage| !passage.body.trim().is_empty()));
                }
            }
        }
    }
}
