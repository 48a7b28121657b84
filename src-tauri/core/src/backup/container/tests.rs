use super::*;

fn passphrase() -> Secret {
    Secret::new("bolo de fubá com café")
}

/// Two chunks and a half, every byte told by its place.
fn plain() -> Vec<u8> {
    (0..CHUNK * 5 / 2).map(|n| (n % 251) as u8 ^ (n / 70_000) as u8).collect()
}

fn sealed(plain: &[u8]) -> Vec<u8> {
    let mut sealer = Sealer::begin(Vec::new(), &passphrase(), Timestamp::from_seconds(1_795_000_000), 7).unwrap();
    // In uneven pieces, as files come.
    for piece in plain.chunks(300_001) {
        sealer.write_all(piece).unwrap();
    }
    sealer.finish().unwrap()
}

fn opened(file: &[u8], passphrase: &Secret) -> Result<Vec<u8>> {
    let (mut opener, _) = Opener::begin(file, passphrase)?;
    let mut plain = Vec::new();
    opener.read_to_end(&mut plain).map_err(meaning)?;
    Ok(plain)
}

/// Where each chunk begins, and the end.
fn chunks(file: &[u8]) -> Vec<usize> {
    let mut at = 13 + u32::from_be_bytes(file[9..13].try_into().unwrap()) as usize;
    let mut found = vec![at];
    while at < file.len() {
        at += 5 + u32::from_be_bytes(file[at + 1..at + 5].try_into().unwrap()) as usize;
        found.push(at);
    }
    found
}

fn code_and_words(outcome: Result<Vec<u8>>) -> (Code, String) {
    let error = outcome.expect_err("refused");
    (error.code, error.message.to_string())
}

#[test]
fn a_sealed_file_opens_to_what_it_was_and_tells_nothing_of_it() {
    let plain = plain();
    let file = sealed(&plain);
    assert!(opened(&file, &passphrase()).unwrap() == plain);
    assert!(!file.windows(64).any(|part| part == &plain[..64]));
    let (header, _) = header(&mut file.as_slice()).unwrap();
    assert_eq!((header.made_at, header.schema), (Timestamp::from_seconds(1_795_000_000), 7));
    assert!(opened(&sealed(b""), &passphrase()).unwrap().is_empty());
    assert!(opened(&sealed(&plain[..CHUNK]), &passphrase()).unwrap() == plain[..CHUNK], "exactly one chunk");
    assert_ne!(file, sealed(&plain), "the same once more is another file");
}

#[test]
fn a_wrong_passphrase_is_told_from_a_damaged_file() {
    let file = sealed(b"secret");
    let (code, words) = code_and_words(opened(&file, &Secret::new("bolo de fuba com cafe")));
    assert_eq!(code, Code::WrongPassphrase);
    assert!(words.contains("passphrase does not open"), "{words}");
    for stranger in [b"".as_slice(), b"PK\x03\x04 a zip file", b"SHOPBEL"] {
        let (code, words) = code_and_words(opened(stranger, &passphrase()));
        assert_eq!(code, Code::Invalid);
        assert!(words.contains("not a backup of Shopbell"), "{words}");
    }
    let mut to_come = file;
    to_come[8] = 2;
    assert_eq!(code_and_words(opened(&to_come, &passphrase())).0, Code::NewerDatabase);
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let file = sealed(&plain());
    let at = chunks(&file);
    for end in [at[0], at[0] + 3, at[0] + 5, at[1] - 1, at[1], at[2], file.len() - 1] {
        let (code, words) = code_and_words(opened(&file[..end], &passphrase()));
        assert_eq!(code, Code::Invalid, "cut at {end}");
        assert!(words.contains("its end is missing"), "cut at {end}: {words}");
    }
}

#[test]
fn chunks_that_were_swapped_left_out_repeated_or_changed_are_refused() {
    let file = sealed(&plain());
    let at = chunks(&file);
    let (head, one, two, three) = (&file[..at[0]], &file[at[0]..at[1]], &file[at[1]..at[2]], &file[at[2]..]);
    let of_another = sealed(&plain());
    let other = chunks(&of_another);
    let mut last_now = two.to_vec();
    last_now[0] = 1;
    let mut not_last = three.to_vec();
    not_last[0] = 0;
    let wrong: [(&str, Vec<&[u8]>); 8] = [
        ("swapped", vec![head, two, one, three]),
        ("left out", vec![head, one, three]),
        ("repeated", vec![head, one, one, two, three]),
        ("of another file", vec![head, one, &of_another[other[1]..other[2]], three]),
        ("under another header", vec![&of_another[..other[0]], one, two, three]),
        ("an end put on too early", vec![head, one, &last_now]),
        ("its end taken off", vec![head, one, two, &not_last]),
        ("something behind the end", vec![head, one, two, three, b"x"]),
    ];
    for (what, parts) in wrong {
        let (code, words) = code_and_words(opened(&parts.concat(), &passphrase()));
        assert_eq!(code, Code::Invalid, "{what}");
        assert!(words.contains("cannot be trusted"), "{what}: {words}");
    }
    // One bit, in the header, in the length, in the text and in the tag.
    let small = sealed(b"a few words");
    let begin = chunks(&small)[0];
    for byte in (9..small.len()).filter(|byte| byte % 9 == 0 || *byte + 3 > small.len() || *byte == begin) {
        let mut bent = small.clone();
        bent[byte] ^= 1;
        assert!(opened(&bent, &passphrase()).is_err(), "byte {byte} of {} was changed", small.len());
    }
}

#[test]
fn a_header_that_asks_for_too_much_memory_is_refused_before_it_gets_any() {
    let file = sealed(b"x");
    let text = String::from_utf8_lossy(&file[13..chunks(&file)[0]]).replace("\"m\":65536", "\"m\":4294967295");
    let mut greedy = MAGIC.to_vec();
    greedy.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
    greedy.extend(text.as_bytes());
    assert_eq!(code_and_words(opened(&greedy, &passphrase())).0, Code::Invalid);
}
