//! Into how many pieces a text is cut on its way: each is paid for.
//!
//! A text whose every character is in the alphabet of GSM 03.38 has 160 to a piece, or 153 where there are several; one character outside
//! of it, and all are counted as UTF-16: 70, or 67 (<https://www.twilio.com/docs/glossary/what-sms-character-limit>).

/// How a text is written on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Seven bits a character.
    Gsm7,
    /// Sixteen.
    Ucs2,
}

impl Encoding {
    /// As Twilio's console names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gsm7 => "GSM-7",
            Self::Ucs2 => "UCS-2",
        }
    }
}

/// A text, counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// How it is written.
    pub encoding: Encoding,
    /// Into how many pieces it is cut; an empty text still is one.
    pub pieces: u64,
}

/// One unit each.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Two units each: they stand behind an escape.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// Counts a text.
pub fn count(text: &str) -> Counted {
    let units: Option<Vec<usize>> = text.chars().map(septets).collect();
    let (encoding, units, alone, several) = match units {
        Some(units) => (Encoding::Gsm7, units, 160, 153),
        None => (Encoding::Ucs2, text.chars().map(char::len_utf16).collect(), 70, 67),
    };
    Counted { encoding, pieces: pieces(&units, alone, several) }
}

fn septets(c: char) -> Option<usize> {
    if BASIC.contains(c) {
        Some(1)
    } else {
        EXTENDED.contains(c).then_some(2)
    }
}

/// A character is never cut in two: one that does not fit any more begins the next piece.
fn pieces(units: &[usize], alone: usize, several: usize) -> u64 {
    if units.iter().sum::<usize>() <= alone {
        return 1;
    }
    let (mut pieces, mut filled) = (1, 0);
    for unit in units {
        if filled + unit > several {
            pieces += 1;
            filled = 0;
        }
        filled += unit;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str) -> (Encoding, u64) {
        let Counted { encoding, pieces } = count(text);
        (encoding, pieces)
    }

    #[test]
    fn texts_are_counted_as_carriers_count() {
        use Encoding::{Gsm7, Ucs2};
        assert_eq!(counted(""), (Gsm7, 1));
        assert_eq!(counted(&"a".repeat(160)), (Gsm7, 1));
        assert_eq!(counted(&"a".repeat(161)), (Gsm7, 2));
        assert_eq!(counted(&"a".repeat(306)), (Gsm7, 2));
        assert_eq!(counted(&"a".repeat(307)), (Gsm7, 3));
        assert_eq!(counted(&"€".repeat(80)), (Gsm7, 1), "the euro takes two");
        assert_eq!(counted(&"€".repeat(81)), (Gsm7, 2));
        // 152 and one of two units: it begins the second piece.
        assert_eq!(counted(&format!("{}{}{}", "a".repeat(152), "€", "a".repeat(151))), (Gsm7, 2));
        assert_eq!(counted(&format!("{}{}{}", "a".repeat(152), "€", "a".repeat(152))), (Gsm7, 3));
        assert_eq!(counted("Ñandú"), (Ucs2, 1), "ú is not in the alphabet, Ñ is");
        assert_eq!(counted(&"ã".repeat(70)), (Ucs2, 1));
        assert_eq!(counted(&"ã".repeat(71)), (Ucs2, 2));
        assert_eq!(counted(&"🥖".repeat(35)), (Ucs2, 1), "an emoji takes two");
        assert_eq!(counted(&"🥖".repeat(67)), (Ucs2, 3), "33 fit a piece of 67: none is cut in two");
    }
}
