//! Every sentence that the hub can say has a Portuguese and a Spanish form with the same gaps.

use std::collections::BTreeSet;
use std::path::Path;

use super::tables;

/// The templates of every `say!` in the sources, tests left out.
fn said(folder: &Path, templates: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            said(&path, templates);
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.extension().is_none_or(|extension| extension != "rs") || name == "tests.rs" || name.ends_with("_tests.rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let code: String = source.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect();
        for after in code.split("say!(").skip(1) {
            templates.extend(literal(after.trim_start()));
        }
    }
}

/// The string literal at the start of `code`, unescaped.
fn literal(code: &str) -> Option<String> {
    let mut characters = code.strip_prefix('"')?.chars().peekable();
    let mut text = String::new();
    while let Some(c) = characters.next() {
        match c {
            '"' => return Some(text),
            '\\' => match characters.next()? {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                // A line that goes on: its indentation is not part of the text.
                '\n' => while characters.next_if(|c| c.is_whitespace()).is_some() {},
                other => text.push(other),
            },
            c => text.push(c),
        }
    }
    None
}

fn gaps(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect()
}

#[test]
fn every_sentence_is_translated_with_the_same_gaps() {
    let mut templates = BTreeSet::new();
    said(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut templates);
    assert!(templates.len() > 20, "the sources were read");
    let mut wrong = Vec::new();
    for (table, file) in tables().iter().zip(["pt-BR.json", "es.json"]) {
        for template in &templates {
            match table.get(template) {
                None => wrong.push(format!("{file} has no {template:?}")),
                Some(text) if text.trim().is_empty() => wrong.push(format!("{file} says nothing for {template:?}")),
                Some(text) if gaps(text) != gaps(template) => wrong.push(format!("{file} has other gaps for {template:?}")),
                Some(_) => {}
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "Add a line per sentence to src-tauri/core/src/words/pt-BR.json (você) and es.json (tú): the English template is the key, the \
         translation the value, with the same {{names}}. No \"please\", no blame, say what to do.\n{}",
        wrong.join("\n")
    );
}
