//! Everything that an owner may read has a Portuguese and a Spanish form with the same gaps.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::{PORTUGUESE, SPANISH, register_words};

/// The templates of every `say!` in the sources, tests left out.
fn said(folder: &Path, texts: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            said(&path, texts);
            continue;
        }
        let is_source =
            path.extension().is_some_and(|extension| extension == "rs") && path.file_name().is_some_and(|name| name != "tests.rs");
        if !is_source {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let code: String = source.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect();
        texts.extend(code.split("say!(").skip(1).filter_map(|after| literal(after.trim_start())));
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
                '\n' => while characters.next_if(|c| c.is_whitespace()).is_some() {},
                other => text.push(other),
            },
            c => text.push(c),
        }
    }
    None
}

/// The titles and descriptions of a form.
fn form(schema: &Value, texts: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("title" | "description", Value::String(text)) => {
                        texts.insert(text.clone());
                    }
                    ("default" | "examples", _) => {}
                    (_, value) => form(value, texts),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| form(value, texts)),
        _ => {}
    }
}

fn gaps(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect()
}

#[test]
fn everything_an_owner_reads_is_translated_with_the_same_gaps() {
    let mut texts = BTreeSet::new();
    said(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
    assert!(texts.len() > 30, "the sources were read");
    let mut names = BTreeSet::new();
    for connector in crate::all() {
        let about = connector.about();
        names.insert(about.name.to_owned());
        texts.insert(about.summary.to_owned());
        texts.extend(about.disabled.map(str::to_owned));
        texts.extend(about.prerequisites.iter().map(|text| (*text).to_owned()));
        texts.extend(about.steps.iter().flat_map(|step| [step.title.to_owned(), step.text.to_owned()]));
        texts.extend(about.links.iter().map(|(words, _)| (*words).to_owned()));
        form(&connector.schema()["properties"], &mut texts);
    }
    // The names of products are the same everywhere.
    let products = ["Ollama", "LM Studio"].map(str::to_owned);
    let own_words: Vec<String> = texts.iter().filter(|text| !names.contains(*text) && !products.contains(text)).cloned().collect();
    texts.extend(names);
    register_words();
    let tables = [("pt-BR", PORTUGUESE), ("es", SPANISH)];
    let mut wrong = Vec::new();
    for text in &own_words {
        for (language, _) in tables {
            let translated = shopbell_core::words::translate(text, language);
            if translated == text.as_str() || translated.trim().is_empty() {
                wrong.push(format!("{language}.json has no {text:?}"));
            } else if gaps(translated) != gaps(text) {
                wrong.push(format!("{language}.json has other gaps for {text:?}"));
            }
        }
    }
    for (language, table) in tables {
        let table: BTreeMap<String, String> = serde_json::from_str(table).unwrap();
        wrong.extend(
            table.keys().filter(|key| !texts.contains(*key)).map(|key| format!("{language}.json still has {key:?}, which nobody says")),
        );
    }
    assert!(
        wrong.is_empty(),
        "Add a line per text to src-tauri/connectors/src/words/pt-BR.json (você) and es.json (tú): the English text is the key, with the same \
         {{names}}. No \"please\", no blame, say what to do.\n{}",
        wrong.join("\n")
    );
}
