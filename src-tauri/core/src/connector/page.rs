//! The role of a page: the hub itself serves the place where customers write.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The role of a page: the hub itself serves the place where customers write.
pub trait Page<C: Send + Sync>: Send + Sync {
    /// Colours, position, greeting, origins.
    fn look(&self, config: &C) -> PageLook;
}

/// How a page looks and who may show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PageLook {
    /// The shop's colour ("#0084ff").
    pub primary_color: String,
    /// "bottom-right" or "bottom-left".
    pub position: String,
    /// Said before the visitor writes; makes no conversation.
    pub greeting_message: String,
    /// Web origins that may show it; empty = loopback pages only.
    pub allowed_origins: Vec<String>,
    /// Where visitors reach the hub, when that is not where everybody does (a proxy for this chat alone).
    pub base_url: Option<String>,
}
