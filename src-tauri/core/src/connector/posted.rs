//! What a visitor wrote on a page that the hub itself serves: the raw arrival of such a connection, as JSON.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// One message of a visitor. The gateway has checked who writes; the connector says what it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    /// The visitor: a random name, the same for as long as their browser keeps it.
    pub visitor: String,
    /// The browser's own name of the message; the same one again is the same message.
    pub client_id: String,
    /// The words; empty with a choice.
    #[serde(default)]
    pub text: String,
    /// The button that was pressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<PostedChoice>,
    /// When it came.
    pub at: Timestamp,
    /// The visitor's language, as their browser says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The page on which they write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PostedPage>,
}

impl Posted {
    /// The message's name for ever. A browser names its own messages; another visitor's name of the same spelling is another message.
    pub fn external_id(&self) -> String {
        format!("in:{}:{}", self.visitor, self.client_id)
    }

    /// The browser's own name out of [`Self::external_id`].
    pub fn client_id_of(external_id: &str) -> Option<&str> {
        external_id.strip_prefix("in:")?.split_once(':').map(|(_, client_id)| client_id)
    }
}

/// A pressed button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostedChoice {
    /// Its id.
    pub id: String,
    /// What stood on it.
    pub label: String,
}

/// Where a visitor writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostedPage {
    /// Its address, without query and fragment.
    #[serde(default)]
    pub url: String,
    /// Its title.
    #[serde(default)]
    pub title: String,
}
