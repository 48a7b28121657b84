//! Server-sent events from bytes. Bytes, because a piece of the network may end in the middle of a character.

/// Collects bytes and gives back the `data` of whole events.
#[derive(Default)]
pub struct Decoder {
    line: Vec<u8>,
    data: String,
    has_data: bool,
    after_return: bool,
}

/// The longest line or event that is read.
const LONGEST: usize = 8 * 1024 * 1024;

/// The service sends a line without end.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLong;

impl Decoder {
    /// Takes a piece and gives back the events that it completes.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<String>, TooLong> {
        let mut events = Vec::new();
        for byte in piece {
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.after_return = *byte == b'\r';
                    self.end_line(&mut events);
                }
                byte => {
                    self.after_return = false;
                    self.line.push(*byte);
                }
            }
            if self.line.len() + self.data.len() > LONGEST {
                return Err(TooLong);
            }
        }
        Ok(events)
    }

    /// What is left when the stream ends: some servers forget the last empty line.
    pub fn finish(&mut self) -> Vec<String> {
        let mut events = Vec::new();
        if !self.line.is_empty() {
            self.end_line(&mut events);
        }
        self.end_event(&mut events);
        events
    }

    fn end_line(&mut self, events: &mut Vec<String>) {
        let line = String::from_utf8_lossy(&self.line).into_owned();
        self.line.clear();
        if line.is_empty() {
            self.end_event(events);
        } else if let Some(value) = line.strip_prefix("data").and_then(|rest| rest.strip_prefix(':')) {
            if self.has_data {
                self.data.push('\n');
            }
            self.has_data = true;
            self.data.push_str(value.strip_prefix(' ').unwrap_or(value));
        }
        // Comments and other fields say nothing to us.
    }

    fn end_event(&mut self, events: &mut Vec<String>) {
        if std::mem::take(&mut self.has_data) {
            events.push(std::mem::take(&mut self.data));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(pieces: &[&[u8]]) -> Vec<String> {
        let mut decoder = Decoder::default();
        let mut events: Vec<String> = pieces.iter().flat_map(|piece| decoder.push(piece).unwrap()).collect();
        events.extend(decoder.finish());
        events
    }

    #[test]
    fn comments_line_endings_and_lines_of_one_event() {
        let stream = ": OPENROUTER PROCESSING\n\ndata: one\r\n\r\ndata:two\ndata: lines\nevent: x\nid: 7\n\nretry: 5\n\ndata\n\ndata: last";
        assert_eq!(decode(&[stream.as_bytes()]), ["one", "two\nlines", "last"]);
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut decoder = Decoder::default();
        let piece = vec![b'x'; 1 << 20];
        assert!((0..20).any(|_| decoder.push(&piece) == Err(TooLong)));
    }

    proptest! {
        #[test]
        fn the_cuts_of_the_network_do_not_matter(
            texts in proptest::collection::vec("[a-z é👩‍👩‍👧🇧🇷]{1,12}", 1..8),
            cuts in proptest::collection::vec(1usize..5, 1..200),
            crlf in any::<bool>(),
        ) {
            let end = if crlf { "\r\n" } else { "\n" };
            let stream: String = texts.iter().map(|text| format!(": ping{end}data: {text}{end}{end}")).collect();
            let mut pieces = Vec::new();
            let mut rest = stream.as_bytes();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            prop_assert_eq!(decode(&pieces), texts);
        }
    }
}
