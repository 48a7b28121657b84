//! Identifiers: a prefix that says what it names, and a UUIDv7 in Crockford's base 32, so that text order is time order.
//!
//! `cnv_01kb2v…` sorts by creation in SQLite and in JSON, can be read aloud, and cannot be mistaken for another kind's.

use std::fmt;

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 26 characters: 128 bits of a UUIDv7, most significant first.
fn fresh() -> String {
    let mut value = uuid::Uuid::now_v7().as_u128();
    let mut text = [0u8; 26];
    for slot in text.iter_mut().rev() {
        *slot = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// The milliseconds in the first 48 bits of a UUIDv7.
fn time_of(digits: &str) -> Option<crate::clock::Timestamp> {
    if digits.len() != 26 {
        return None;
    }
    let mut value: u128 = 0;
    for digit in digits.bytes() {
        let index = ALPHABET.iter().position(|known| *known == digit)?;
        value = (value << 5) | index as u128;
    }
    i64::try_from(value >> 80).ok().map(crate::clock::Timestamp::from_millis)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema, ts_rs::TS)]
        #[serde(transparent)]
        #[ts(type = "string")]
        pub struct $name(String);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, later in text order than every one made before it in this process.
            #[expect(clippy::new_without_default, reason = "an id is never a neutral default")]
            pub fn new() -> Self {
                Self(format!(concat!($prefix, "{}"), fresh()))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// When it was made, as the id itself tells; `None` for a text that is no id of ours.
            pub fn made_at(&self) -> Option<crate::clock::Timestamp> {
                self.0.strip_prefix($prefix).and_then(time_of)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0.as_bytes())))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_str().map(|text| Self(text.to_owned()))
            }
        }
    )*};
}

ids! {
    /// A configured account at an outside service.
    ConnectionId = "con_";
    /// Somebody (a program) who answers.
    AgentId = "agt_";
    /// Somebody of the shop.
    PersonId = "prs_";
    /// Somebody at the other end.
    ContactId = "ctc_";
    /// Everything said with one contact over one connection.
    ConversationId = "cnv_";
    /// One thing that was said.
    MessageId = "msg_";
    /// The joining of two contacts.
    MergeId = "mrg_";
    /// The sending of one message.
    DeliveryId = "dlv_";
    /// A report to a service's advertising.
    ConversionId = "cvr_";
    /// One answer of an agent.
    TurnId = "trn_";
    /// A raw request or update as it came.
    ArrivalId = "arr_";
    /// A stored file.
    MediaId = "med_";
    /// A document the agents may quote.
    DocumentId = "doc_";
    /// A customer of the Lab that can be played again.
    LabScriptId = "lab_";
    /// Somebody on the way to a service's page to sign in, and back.
    FlowId = "flw_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_made_later_sort_later() {
        let ids: Vec<_> = (0..1000).map(|_| MessageId::new()).collect();
        let mut sorted = ids.clone();
        sorted.sort();
        assert_eq!(ids, sorted, "text order is the order of creation");
        assert!(ids[0].as_str().starts_with("msg_"));
        assert_eq!(ids[0].as_str().len(), 30);
        let made: Vec<_> = ids.iter().map(|id| id.made_at().expect("made here")).collect();
        assert!(made.is_sorted() && made[0].millis() > 1_700_000_000_000, "an id remembers when it was made: {made:?}");
        for other in ["", "msg_", "msg_short", "msg_0000000000000000000000000u", "cnv_01kb2v0000000000000000000"] {
            assert_eq!(MessageId::from(other).made_at(), None, "{other}");
        }
    }

    #[test]
    fn an_id_tells_when_it_was_made() {
        let now = crate::clock::Clock::now(&crate::clock::SystemClock::new());
        let made = MessageId::new().made_at().unwrap();
        assert!(made.millis().abs_diff(now.millis()) < 5_000, "{made:?} and {now:?}");
        for text in ["", "msg_", "msg_1", "dlv_01kb2v00000000000000000000", "msg_01kb2vU0000000000000000000"] {
            assert_eq!(MessageId::from(text).made_at(), None, "{text}");
        }
    }
}
