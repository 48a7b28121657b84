//! What the channels of Meta's family have in common: the signature and handshake of their webhooks, how the Graph API refuses, and
//! WhatsApp's messages, which Meta itself and those who sell them on speak alike.
//!
//! No connector knows another: what two of them speak alike stands here, written once.

pub mod graph;
pub mod handshake;
pub mod sign_in;
pub mod signature;
pub mod whatsapp;
