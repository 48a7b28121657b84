//! What became of customers who came through an advertisement.

use serde_json::{Value, json};
use shopbell_connectors::whatsapp_meta::simulator::MetaSimulator;
use shopbell_core::connector::{Said, SaidWhat, Simulator};
use shopbell_tests::hub::TestHub;

struct Shop {
    desk: TestHub,
    meta: MetaSimulator,
}

async fn shop(reports: &str) -> Shop {
    let meta = MetaSimulator::start().await.unwrap();
    let desk = TestHub::with(Vec::new()).await;
    let mut config = meta.config();
    config["reports"] = reports.into();
    desk.connect("whatsapp-meta", config).await;
    Shop { desk, meta }
}

impl Shop {
    /// Lets a customer speak, and gives the conversation.
    async fn says(&self, what: SaidWhat) -> Value {
        let said = Said { what, ..Said::text("5511999990000", "Ana", "oi, vi o anúncio") };
        self.desk.take("whatsapp-meta", self.meta.signed(&said)).await;
        self.desk.settled().await;
        self.desk.conversation().await.unwrap()["id"].clone()
    }

    async fn until_settled(&self) -> Vec<String> {
        self.desk
            .until("every report has its end", async |desk| {
                desk.count("SELECT count(*) FROM conversion WHERE status IN ('queued', 'sending')").await == 0
            })
            .await;
        self.meta.events().iter().map(|event| event["event_name"].as_str().unwrap().to_owned()).collect()
    }
}

fn from_ad(click: &str) -> SaidWhat {
    SaidWhat::FromAd { click_id: click.into() }
}

#[tokio::test]
async fn every_lead_is_reported_once_where_the_owner_wants_it() {
    let shop = shop("every_lead").await;
    shop.says(from_ad("ARA1")).await;
    shop.says(from_ad("ARA1")).await;
    shop.says(SaidWhat::Text).await;
    assert_eq!(shop.until_settled().await, ["LeadSubmitted"]);
}

#[tokio::test]
async fn a_purchase_is_reported_by_a_person_once_with_its_amount() {
    let shop = shop("asked").await;
    let conversation = shop.says(from_ad("ARA1")).await;
    assert_eq!(shop.meta.events().len(), 0, "nothing by itself");
    let asked = shop.desk.ask("list_conversions", json!({ "conversation": conversation })).await;
    assert!(asked["possible_until"].is_i64(), "{asked}");
    let error = shop.desk.refused("report_conversion", json!({ "conversation": conversation, "event": "purchase" })).await;
    assert!(error.fields.iter().any(|(field, _)| field == "amount"));
    let purchase = json!({ "conversation": conversation, "event": "purchase", "currency": "BRL", "amount": 42.5 });
    shop.desk.ask("report_conversion", purchase.clone()).await;
    shop.desk.ask("report_conversion", purchase).await;
    assert_eq!(shop.until_settled().await, ["Purchase"]);
    assert_eq!(shop.meta.events()[0]["custom_data"], json!({ "currency": "BRL", "value": 42.5 }));
    let items = shop.desk.ask("list_conversions", json!({ "conversation": conversation })).await["items"].clone();
    assert_eq!((items.as_array().unwrap().len(), &items[0]["status"]), (1, &json!("sent")));
}

#[tokio::test]
async fn nothing_is_reported_without_a_click_or_where_it_is_switched_off() {
    let off = shop("never").await;
    let conversation = off.says(from_ad("ARA1")).await;
    let error = off.desk.refused("report_conversion", json!({ "conversation": conversation, "event": "qualified_lead" })).await;
    assert!(error.message.contains("switched off"), "{error:?}");
    let plain = shop("every_lead").await;
    let conversation = plain.says(SaidWhat::Text).await;
    let error = plain.desk.refused("report_conversion", json!({ "conversation": conversation, "event": "qualified_lead" })).await;
    assert!(error.message.contains("advertisement"), "{error:?}");
    assert_eq!((off.meta.events().len(), plain.meta.events().len()), (0, 0));
}

#[tokio::test]
async fn a_report_that_was_under_way_when_the_program_ended_is_not_made_again() {
    let shop = shop("asked").await;
    let conversation = shop.says(from_ad("ARA1")).await;
    shop.desk.ask("report_conversion", json!({ "conversation": conversation, "event": "qualified_lead" })).await;
    assert_eq!(shop.until_settled().await, ["QualifiedLead"]);
    // As a program leaves it that dies between the call and its answer.
    shop.desk.hub.store.write(|tx| Ok(tx.execute("UPDATE conversion SET status = 'sending'", [])?)).await.unwrap();
    let Shop { desk, meta } = shop;
    let shop = Shop { desk: desk.restart(Vec::new()).await, meta };
    shop.desk.ask("report_conversion", json!({ "conversation": conversation, "event": "qualified_lead" })).await;
    assert_eq!(shop.until_settled().await, ["QualifiedLead"]);
    let items = shop.desk.ask("list_conversions", json!({ "conversation": conversation })).await["items"].clone();
    assert_eq!(items[0]["status"], "unconfirmed", "{items}");
}
