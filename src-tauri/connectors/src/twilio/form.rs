//! Form-encoded bodies, kept as bytes: what is signed is exactly what was sent, also where it is not UTF-8.

/// Names and values in the order of the body, decoded.
pub fn decode(body: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    body.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = at.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
            (plain(name), plain(value))
        })
        .collect()
}

/// `+` is a blank, `%41` is an A; a percent sign that begins nothing stays one.
fn plain(encoded: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((&byte, after)) = rest.split_first() {
        let sign = match (byte, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        match (byte, sign) {
            (_, Some(sign)) => {
                decoded.push(sign);
                rest = &after[2..];
                continue;
            }
            (b'+', None) => decoded.push(b' '),
            (byte, None) => decoded.push(byte),
        }
        rest = after;
    }
    decoded
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn a_form_is_read_byte_by_byte() {
        let pairs = |body: &str| -> Vec<(String, String)> {
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            decode(body.as_bytes()).into_iter().map(|(name, value)| (text(name), text(value))).collect()
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pairs("a=1&b=&c&a=2"), [pair("a", "1"), pair("b", ""), pair("c", ""), pair("a", "2")]);
        assert_eq!(pairs("x%3Dy=a+b%2Bc%20d=e"), [pair("x=y", "a b+c d=e")]);
        assert_eq!(pairs("p=100%&q=%4&r=%zz&&s=%C3%A9"), [pair("p", "100%"), pair("q", "%4"), pair("r", "%zz"), pair("s", "é")]);
        assert_eq!(decode(b"a=%ff"), [(b"a".to_vec(), vec![0xff])], "what is no UTF-8 is not replaced by something else");
        assert_eq!(decode(b""), []);
    }
}
