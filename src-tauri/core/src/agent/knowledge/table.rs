//! CSV: one passage per row, "name: value · name: value", so that every row is found and quoted by itself.

use super::read::Passage;

/// Reads rows under a row of names. The separator is the one that parts the first lines most evenly.
pub fn read(text: &str) -> Vec<Passage> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(text))
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    // The text is UTF-8 already and rows may differ in length, so no row can be refused; one that is all the same is left out.
    let mut rows = reader.records().filter_map(Result::ok).filter(|row| row.iter().any(|value| !value.is_empty()));
    let Some(first) = rows.next() else { return Vec::new() };
    let names: Vec<String> = first.iter().map(one_line).collect();
    if !is_header(&names) {
        return std::iter::once(first).chain(rows).enumerate().filter_map(|(at, row)| passage(&[], &row, at + 1)).collect();
    }
    let mut passages: Vec<Passage> = rows.enumerate().filter_map(|(at, row)| passage(&names, &row, at + 2)).collect();
    if passages.is_empty() {
        passages.extend(passage(&[], &first, 1));
    }
    passages
}

/// A row of names has no numbers and no empty or very long name.
fn is_header(names: &[String]) -> bool {
    names.len() > 1
        && names.iter().filter(|name| name.is_empty()).count() * 2 < names.len()
        && names.iter().all(|name| {
            name.chars().count() <= 60 && !name.starts_with(|c: char| c.is_ascii_digit()) && !super::signs::money(name) || name.is_empty()
        })
}

fn passage(names: &[String], row: &csv::StringRecord, number: usize) -> Option<Passage> {
    let parts: Vec<String> = row
        .iter()
        .enumerate()
        .map(|(column, value)| (names.get(column).map_or("", String::as_str), one_line(value)))
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| if name.is_empty() { value } else { format!("{name}: {value}") })
        .collect();
    if parts.is_empty() {
        return None;
    }
    Some(Passage { title: String::new(), body: parts.join(" · "), location: format!("row {number}") })
}

fn one_line(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn separator(text: &str) -> u8 {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(20).collect();
    let evenness = |separator: char| {
        let counts: Vec<usize> = lines.iter().map(|line| outside_quotes(line, separator)).collect();
        let first = counts.first().copied().unwrap_or(0);
        if first == 0 { 0 } else { 1000 * counts.iter().filter(|count| **count == first).count() / counts.len() + first.min(50) }
    };
    [';', '\t', ',', '|'].into_iter().rev().max_by_key(|separator| evenness(*separator)).map_or(b',', |separator| separator as u8)
}

fn outside_quotes(line: &str, separator: char) -> usize {
    let mut quoted = false;
    line.chars()
        .filter(|c| {
            quoted ^= *c == '"';
            !quoted && c == &separator
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(text: &str) -> Vec<String> {
        read(text).into_iter().map(|passage| passage.body).collect()
    }

    #[test]
    fn a_row_is_a_passage_whatever_parts_it() {
        let expected = ["produto: Pão francês · preço: 18,90", "produto: Broa, grande · preço: 12,00"];
        assert_eq!(bodies("produto;preço\nPão francês;18,90\nBroa, grande;12,00\n"), expected);
        assert_eq!(bodies("produto\tpreço\nPão francês\t18,90\nBroa, grande\t12,00\n"), expected);
        assert_eq!(bodies("produto,preço\nPão francês,\"18,90\"\n\"Broa, grande\",\"12,00\"\n"), expected);
    }

    #[test]
    fn rows_without_names_or_of_odd_length_are_kept() {
        assert_eq!(bodies("Pão,18.90\nBroa,12.00\n"), ["Pão · 18.90", "Broa · 12.00"]);
        assert_eq!(bodies("a,b\n1\n1,2,3\n"), ["a: 1", "a: 1 · b: 2 · 3"]);
        assert_eq!(bodies("just one line of words\n"), ["just one line of words"]);
        assert_eq!(bodies("name,note\n\"a\nb\",\"\"\n"), ["name: a b"]);
    }

    #[test]
    fn a_row_knows_its_number() {
        let rows = read("produto;preço\nPão;1\nBroa;2\n");
        assert_eq!(rows.iter().map(|row| row.location.as_str()).collect::<Vec<_>>(), ["row 2", "row 3"]);
    }
}
