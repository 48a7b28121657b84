//! Who somebody is, for services whose messages do not say: asked after their words are stored, beside the main work, best effort.
//!
//! Nobody waits for it. What the service does not tell is asked again with a later message, though not within [`AGAIN`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use crate::clock::Timestamp;
use crate::connections::Live;
use crate::connector::{Event, Profile};
use crate::conversations::clipped;
use crate::error::Result;
use crate::hub::Hub;
use crate::id::{ContactId, ConversationId};
use crate::model::{Address, Change};
use crate::store::Tx;

/// How soon a service is asked about the same person again.
const AGAIN: Duration = Duration::from_secs(600);
/// No question takes longer.
const LONGEST: Duration = Duration::from_secs(15);
/// So many persons are remembered as asked about; more at once are asked about twice.
const REMEMBERED: usize = 10_000;
/// The longest name that is kept.
const NAME: usize = 120;

/// Whom the services were asked about lately.
#[derive(Default)]
pub struct Introductions(Mutex<HashMap<Address, Timestamp>>);

impl Introductions {
    /// Whether it is time to ask about somebody; from then on it is not for a while.
    fn may_ask(&self, address: &Address, now: Timestamp) -> bool {
        let mut asked = self.0.lock().expect("nothing panics while it is held");
        if asked.get(address).is_some_and(|at| now.since(*at) < AGAIN) {
            return false;
        }
        if asked.len() >= REMEMBERED {
            asked.clear();
        }
        asked.insert(address.clone(), now);
        true
    }
}

/// Those who spoke, or were spoken to, without a name.
pub fn strangers(events: &[Event]) -> Vec<Address> {
    let mut strangers: Vec<Address> = Vec::new();
    for event in events {
        let address = if let Event::Message(message) = event {
            message.name.is_none().then_some(&message.from)
        } else if let Event::FromShop(message) = event {
            Some(&message.to)
        } else {
            None
        };
        strangers.extend(address.filter(|address| !strangers.contains(address)).cloned());
    }
    strangers
}

/// Asks the service about each of them whom nobody here knows by name.
pub fn ask(hub: &Arc<Hub>, live: Arc<Live>, strangers: Vec<Address>) {
    if strangers.is_empty() {
        return;
    }
    let inner = hub.clone();
    hub.spawn(async move {
        for address in strangers {
            if let Err(error) = introduce(&inner, &live, address).await {
                tracing::warn!(connection.id = %live.connection.id, error = ?error, "A customer's name could not be stored.");
            }
        }
    });
}

async fn introduce(hub: &Arc<Hub>, live: &Live, address: Address) -> Result<()> {
    let known = address.clone();
    let Some(contact) = hub.store.read(move |db| nameless(db, &known)).await? else { return Ok(()) };
    if !hub.introductions.may_ask(&address, hub.store.clock().now()) {
        return Ok(());
    }
    let Some((channel, link)) = live.connector.channel().zip(live.link(hub.media.as_ref(), hub.store.clock().as_ref())) else {
        return Ok(());
    };
    match tokio::time::timeout(LONGEST, channel.profile(link, &address)).await {
        Ok(Ok(Some(profile))) => hub.store.write(move |tx| keep(tx, &contact, &address, &profile)).await,
        Ok(Ok(None)) | Err(_) => Ok(()),
        Ok(Err(error)) => {
            tracing::debug!(connection.id = %live.connection.id, %error, "The service did not tell who a customer is.");
            Ok(())
        }
    }
}

fn nameless(db: &rusqlite::Connection, address: &Address) -> Result<Option<ContactId>> {
    Ok(db
        .prepare_cached(
            "SELECT k.id FROM address a JOIN contact k ON k.id = a.contact WHERE a.connector = ?1 AND a.scheme = ?2 AND a.value = ?3 AND k.name = ''",
        )?
        .query_row(params![address.connector, address.scheme, address.value], |row| row.get(0))
        .optional()?)
}

fn keep(tx: &Tx<'_>, contact: &ContactId, address: &Address, profile: &Profile) -> Result<()> {
    let given =
        |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(|text| clipped(text, NAME).to_owned());
    let label = given(&profile.username).map(|name| format!("@{name}"));
    if let Some(name) = given(&profile.name).or_else(|| label.clone()) {
        // A name that somebody gave meanwhile stays.
        tx.prepare_cached("UPDATE contact SET name = ?2 WHERE id = ?1 AND name = ''")?.execute(params![contact, name])?;
    }
    tx.prepare_cached("UPDATE address SET label = ?4 WHERE connector = ?1 AND scheme = ?2 AND value = ?3 AND label IS NULL")?
        .execute(params![address.connector, address.scheme, address.value, label])?;
    tx.changed(Change::Contact { id: contact.clone() });
    let mut statement = tx.prepare_cached("SELECT id FROM conversation WHERE contact = ?1")?;
    let conversations: Vec<ConversationId> = statement.query_map([contact], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for id in conversations {
        tx.changed(Change::Conversation { id });
    }
    Ok(())
}
