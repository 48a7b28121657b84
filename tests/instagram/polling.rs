//! Receiving without a public address.

use shopbell_core::connector::{Fault, Request};

use super::*;
use crate::link::Basket;

/// Listens until there are `enough` messages in the basket, or an error; gives back what came and the cursor.
async fn listen(desk: &Desk, cursor: Option<String>, enough: usize) -> Result<(Vec<Request>, Option<String>), ServiceError> {
    let basket = Basket::default();
    let come = || basket.taken.lock().unwrap().iter().map(|(requests, _)| requests.len()).sum::<usize>();
    tokio::select! {
        ended = desk.channel().listen(desk.link(), cursor.clone(), &basket) => return Err(ended.unwrap_err()),
        () = async { while come() < enough || (enough == 0 && basket.alive.load(std::sync::atomic::Ordering::Acquire) == 0) { tokio::time::sleep(Duration::from_millis(5)).await } } => {}
        () = tokio::time::sleep(Duration::from_secs(15)) => panic!("{} of {enough} came", come()),
    }
    let taken = basket.taken.lock().unwrap();
    let cursor = taken.last().and_then(|(_, cursor)| cursor.clone()).or(cursor);
    Ok((taken.iter().flat_map(|(requests, _)| requests.clone()).collect(), cursor))
}

async fn polled(flavour: Flavour) -> (InstagramSimulator, Desk) {
    start_as(flavour, |config| config["mode"] = "polling".into()).await
}

fn read(desk: &Desk, requests: &[Request]) -> Vec<Event> {
    requests.iter().flat_map(|request| desk.read(request)).collect()
}

#[tokio::test]
async fn what_is_polled_reads_as_what_is_pushed() {
    for flavour in BOTH {
        let (simulator, desk) = polled(flavour).await;
        assert!(desk.channel().listens(&desk.settings));
        let pushed = [message(&simulator, &desk, &said("5551", "um")), message(&simulator, &desk, &said("5552", "dois"))];
        let picture = SaidWhat::File {
            kind: shopbell_core::model::MediaKind::Image,
            bytes: vec![1].into(),
            mime: "image/png".into(),
            filename: None,
        };
        let picture = message(&simulator, &desk, &says(picture, ""));
        let odd = message(&simulator, &desk, &says(SaidWhat::Unsupported, ""));
        let (requests, _) = listen(&desk, None, 4).await.unwrap();
        let mut polled: Vec<IncomingMessage> = read(&desk, &requests)
            .into_iter()
            .map(|event| if let Event::Message(message) = event { message } else { panic!("{event:?}") })
            .collect();
        let mut pushed: Vec<IncomingMessage> = pushed.into_iter().chain([picture, odd]).collect();
        polled.sort_by(|a, b| a.external_id.cmp(&b.external_id));
        pushed.sort_by(|a, b| a.external_id.cmp(&b.external_id));
        for (polled, pushed) in polled.iter().zip(&pushed) {
            assert_eq!(polled.name.as_deref(), Some("ana"), "the history knows the name");
            assert_eq!(
                (polled.sent_at.millis(), pushed.sent_at.millis() / 1000 * 1000),
                (pushed.sent_at.millis() / 1000 * 1000, polled.sent_at.millis())
            );
            let mut same = pushed.clone();
            (same.sent_at, same.name, same.metadata) = (polled.sent_at, polled.name.clone(), polled.metadata.clone());
            assert_eq!(polled, &same);
        }
        assert_eq!(polled.len(), pushed.len());
    }
}

#[tokio::test]
async fn nothing_comes_twice_and_nothing_is_left_out() {
    let (simulator, desk) = polled(Flavour::InstagramLogin).await;
    let ana = message(&simulator, &desk, &said("5551", "um"));
    let (first, cursor) = listen(&desk, None, 1).await.unwrap();
    assert_eq!(first.len(), 1);
    let (nothing, cursor) = listen(&desk, cursor, 0).await.unwrap();
    assert!(nothing.is_empty(), "the same second is looked at again, and nothing in it is new");
    message(&simulator, &desk, &said("5551", "dois"));
    let sent = send(&desk, &answer(&ana, text("três"))).await.unwrap();
    simulator.signed(&says(SaidWhat::Echo, "quatro"));
    let (more, cursor) = listen(&desk, cursor, 3).await.unwrap();
    let events = read(&desk, &more);
    assert!(matches!(&events[0], Event::Message(message) if words(message) == ["dois"]), "oldest first: {events:?}");
    let shop: Vec<(&str, Option<bool>)> = events[1..]
        .iter()
        .map(|event| if let Event::FromShop(said) = event { (said.external_id.as_str(), said.ours) } else { panic!("{event:?}") })
        .collect();
    assert_eq!(shop[0], (sent.as_str(), None), "our own comes back under the name it had when we sent it");
    assert_eq!(shop.len(), 2, "and what the phone said");
    let (nothing, _) = listen(&desk, cursor, 0).await.unwrap();
    assert!(nothing.is_empty());
}

#[tokio::test]
async fn many_conversations_fill_pages() {
    let (simulator, desk) = polled(Flavour::InstagramLogin).await;
    for customer in 0..26 {
        message(&simulator, &desk, &said(&format!("70{customer:02}"), "oi"));
    }
    let basket = Basket::default();
    tokio::select! {
        ended = desk.channel().listen(desk.link(), None, &basket) => panic!("{ended:?}"),
        () = async { while basket.taken.lock().unwrap().is_empty() { tokio::time::sleep(Duration::from_millis(20)).await } } => {}
        () = tokio::time::sleep(Duration::from_secs(60)) => panic!("nothing came"),
    }
    assert_eq!(basket.taken.lock().unwrap()[0].0.len(), 26);
    assert!(simulator.journal().iter().all(|call| !call.to_string().contains("access_token=")), "the token goes in its header alone");
}

#[tokio::test]
async fn an_account_that_knows_fewer_fields_is_read_all_the_same() {
    let (simulator, desk) = polled(Flavour::FacebookPage).await;
    simulator.set_habits(Habits { narrow_fields: true, ..Habits::default() });
    message(&simulator, &desk, &said("5551", "um"));
    message(&simulator, &desk, &said("5552", "dois"));
    let (requests, _) = listen(&desk, None, 2).await.unwrap();
    assert_eq!(requests.len(), 2);
    let refused = simulator.journal().iter().filter(|call| call["query"].as_str().is_some_and(|query| query.contains("story"))).count();
    assert_eq!(refused, 1, "it is asked once and remembered");
}

#[tokio::test]
async fn trouble_ends_the_listening_and_loses_nothing() {
    let (simulator, desk) = polled(Flavour::InstagramLogin).await;
    message(&simulator, &desk, &said("5551", "um"));
    simulator.fault(Fault::RateLimit(Duration::from_secs(60)), 1);
    let error = listen(&desk, None, 1).await.unwrap_err();
    assert!(matches!(error, ServiceError::RateLimited { retry_after: Some(_) }), "{error:?}");
    simulator.fault(Fault::Unauthorized, 1);
    assert!(matches!(listen(&desk, None, 1).await.unwrap_err(), ServiceError::Unauthorized(_)));
    let basket = Basket::default();
    basket.refuses.store(true, std::sync::atomic::Ordering::Release);
    let error = desk.channel().listen(desk.link(), None, &basket).await.unwrap_err();
    assert!(matches!(error, ServiceError::Temporary(_)), "a full disk: {error:?}");
    assert_eq!(listen(&desk, Some("not a cursor".into()), 1).await.unwrap().0.len(), 1);
    let error = desk.channel().subscribe(desk.link(), "https://shop.example/hooks/meta/1").await.unwrap_err();
    assert!(error.sentence().to_string().contains("needs no web address"));
}
