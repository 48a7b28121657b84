//! "What it can answer so far": the things every shop is asked, and whether the documents speak of them.

use rusqlite::Connection;
use schemars::JsonSchema;
use serde::Serialize;
use ts_rs::TS;

use super::search::search;
use crate::error::Result;

/// Something every shop is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// What things cost.
    Prices,
    /// What is in them.
    Allergens,
    /// When the shop is open.
    OpeningHours,
    /// How to order in advance.
    OrderingAhead,
    /// Where things are brought to.
    DeliveryArea,
    /// How one can pay.
    Payment,
}

/// Whether the documents speak of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct Covered {
    /// The topic.
    pub topic: Topic,
    /// Whether something was found.
    pub found: bool,
}

/// Each topic with questions that only it answers, in the three languages.
const ASKED: [(Topic, &[&str]); 6] = [
    (Topic::Prices, &["price", "preço", "precio", "how much"]),
    (Topic::Allergens, &["gluten", "allergens", "lactose", "nuts", "contém", "contains", "contiene"]),
    (Topic::OpeningHours, &["opening hours", "horário de funcionamento", "horario de apertura"]),
    (Topic::OrderingAhead, &["encomendas", "order in advance", "encargos", "reservas"]),
    (Topic::DeliveryArea, &["delivery", "entrega", "envío a domicilio"]),
    (Topic::Payment, &["payment", "pagamento", "pago", "pix", "card", "cash"]),
];

/// What can be answered so far.
///
/// # Errors
/// When the database cannot be read.
pub fn coverage(db: &Connection) -> Result<Vec<Covered>> {
    let mut rows = Vec::with_capacity(ASKED.len());
    for (topic, questions) in ASKED {
        let mut found = false;
        for question in questions {
            found = found || search(db, question, 8)?.iter().any(|hit| hit.is_good() && proves(topic, &hit.body));
        }
        // A price list need not hold the word "price".
        found = found || (topic == Topic::Prices && any_amount(db)?);
        rows.push(Covered { topic, found });
    }
    Ok(rows)
}

/// Whether a passage that names the topic also answers it.
fn proves(topic: Topic, body: &str) -> bool {
    match topic {
        Topic::Prices => super::signs::money(body),
        Topic::OpeningHours => super::signs::time(body),
        Topic::Allergens | Topic::OrderingAhead | Topic::DeliveryArea | Topic::Payment => true,
    }
}

/// Whether any passage holds an amount of money; the first few thousand are looked at.
fn any_amount(db: &Connection) -> Result<bool> {
    let mut statement = db.prepare_cached("SELECT body FROM chunk LIMIT 5000")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if super::signs::money(row.get_ref(0)?.as_str().unwrap_or_default()) {
            return Ok(true);
        }
    }
    Ok(false)
}
