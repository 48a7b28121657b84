//! What the channels of Meta's family have in common: the signature and handshake of their webhooks, and how the Graph API refuses.
//!
//! No connector knows another: what two of them speak alike stands here, written once.

pub mod graph;
pub mod handshake;
pub mod signature;
