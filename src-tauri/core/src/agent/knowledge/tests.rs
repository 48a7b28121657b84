//! The knowledge on a real store.

use std::sync::Arc;

use super::*;
use crate::clock::SystemClock;
use crate::error::Code;
use crate::store::Store;

const MENU: &str =
    "PADARIA\n\nHorário:\nSegunda a sexta: 7h às 20h\nDomingo: fechado\n\nPães:\n- Pão francês (kg): R$ 18,90\n- Pão de queijo: R$ 4,50\n";

fn store() -> (tempfile::TempDir, Arc<Store>) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), Arc::new(SystemClock::new())).unwrap();
    (directory, store)
}

#[tokio::test]
async fn a_document_is_kept_once_found_read_and_forgotten() {
    let (_directory, store) = store();
    let first = store.write(|tx| add(tx, "C:\\menus\\menu.txt", MENU.as_bytes())).await.unwrap();
    let again = store.write(|tx| add(tx, "copy.txt", MENU.as_bytes())).await.unwrap();
    assert_eq!(first, again, "the same bytes are the same document");
    assert_eq!((first.title.as_str(), first.passages), ("menu.txt", 2));
    assert_eq!(store.read(list).await.unwrap(), vec![first.clone()]);

    let hits = store.read(|db| search(db, "quanto custa o pao de quejo?", 3)).await.unwrap();
    assert_eq!(hits[0].snippet, "Pão de queijo: R$ 4,50");
    assert_eq!(hits[0].location, "PADARIA › Pães, lines 8–9");
    assert!(hits[0].is_good(), "a slip of the finger is forgiven: {}", hits[0].score);

    let id = first.id.clone();
    let part = store.read(move |db| get_document(db, &id, 2, None)).await.unwrap();
    assert_eq!((part.from, part.to, part.passages), (2, 2, 2));
    assert!(part.text.starts_with("## PADARIA › Pães\nPão francês"));

    let id = first.id.clone();
    store.write(move |tx| delete(tx, &id)).await.unwrap();
    assert_eq!(store.read(|db| search(db, "pao de queijo", 3)).await.unwrap(), vec![]);
    let id = first.id.clone();
    assert_eq!(store.write(move |tx| delete(tx, &id)).await.unwrap_err().code, Code::NotFound);
    assert_eq!(store.read(move |db| get_document(db, &first.id, 1, None)).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn a_part_is_never_longer_than_the_window() {
    let (_directory, store) = store();
    let long = "Açúcar e canela em pó. ".repeat(3000);
    let document = store.write(move |tx| add(tx, "long.txt", long.as_bytes())).await.unwrap();
    let mut from = 1;
    let mut seen = 0;
    while from <= document.passages {
        let id = document.id.clone();
        let part = store.read(move |db| get_document(db, &id, from, None)).await.unwrap();
        assert!(part.text.len() <= WINDOW);
        seen += part.to - part.from + 1;
        from = part.to + 1;
    }
    assert_eq!(seen, document.passages, "reading on from `to` reaches every passage");
}

#[tokio::test]
async fn what_can_be_answered_so_far_follows_the_documents() {
    let (_directory, store) = store();
    let found = |rows: Vec<Covered>| rows.into_iter().filter(|row| row.found).map(|row| row.topic).collect::<Vec<_>>();
    assert_eq!(found(store.read(coverage).await.unwrap()), vec![]);
    store.write(|tx| add(tx, "menu.txt", MENU.as_bytes())).await.unwrap();
    assert_eq!(found(store.read(coverage).await.unwrap()), [Topic::Prices, Topic::OpeningHours]);
    let more = "# Pedidos\nContém glúten.\n\n## Encomendas\nBolos com 48 horas de antecedência.\n\n## Entrega\nEntregamos no Centro.\n\n## Pagamento\nPix e cartão.";
    store.write(|tx| add(tx, "more.md", more.as_bytes())).await.unwrap();
    assert_eq!(found(store.read(coverage).await.unwrap()).len(), 6);
    for words in
        ["Opening hours: Mon to Fri 9:00-18:00. We deliver within 5 km. Card and cash. Gluten free.", "Horario: lunes a viernes 9:00-18:00"]
    {
        let (_directory, store) = self::store();
        store.write(move |tx| add(tx, "words.txt", words.as_bytes())).await.unwrap();
        assert!(found(store.read(coverage).await.unwrap()).contains(&Topic::OpeningHours), "{words}");
    }
}

#[tokio::test]
async fn ten_thousand_strange_questions_are_no_sql_error() {
    let (_directory, store) = store();
    store.write(|tx| add(tx, "menu.txt", MENU.as_bytes())).await.unwrap();
    let pieces = [
        "\"",
        "'",
        "*",
        "(",
        ")",
        "-",
        "^",
        ":",
        "NEAR",
        "AND",
        "OR",
        "NOT",
        "title:",
        "{a b}",
        "+",
        ",",
        "pão",
        "pao*",
        "\0",
        "\u{200b}",
        "\u{202e}",
        "🥖",
        "面包",
        "العربية",
        "\u{0301}",
        "ß",
        "ﬁ",
        "½",
        "%",
        "_",
        ";",
        "--",
        "/*",
        "DROP TABLE chunk",
        "NEAR(a b, 2)",
        "\\",
        "\n",
        "\t",
        "a",
        "custa",
        "18,90",
        "9999999999999999999999",
        "''",
        "\"\"",
        "e mail",
        "wi",
        "fi",
        "ﷺ",
        "İ",
        "ǆ",
        "\u{10ffff}",
        "R$",
    ];
    store
        .read(move |db| {
            let mut seed = 42u64;
            let mut next = |below: usize| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 33) as usize % below
            };
            for _ in 0..10_000 {
                let mut question = String::new();
                for _ in 0..next(12) {
                    question.push_str(pieces[next(pieces.len())]);
                    if next(2) == 0 {
                        question.push(' ');
                    }
                    if next(4) == 0 {
                        question.extend(char::from_u32(u32::try_from(next(0x11_0000)).expect("below the last character")));
                    }
                }
                let hits = search(db, &question, next(20))?;
                assert!(hits.len() <= 8 && hits.iter().all(|hit| (0.0..=1.0).contains(&hit.score)), "{question:?}");
            }
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn unanswered_questions_are_kept_for_the_owner() {
    let (_directory, store) = store();
    store.write(|tx| note_unanswered(tx, &ConversationId::from("cnv_1"), "tem\u{200b} bolo de pote?")).await.unwrap();
    let rows = store.read(|db| unanswered(db, 10)).await.unwrap();
    assert_eq!(rows[0].question, "tem bolo de pote?");
}
