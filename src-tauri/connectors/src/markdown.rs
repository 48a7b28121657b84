//! What an agent writes is Markdown. Where a channel has marks of its own they are made of it, where it has none they go.

pub mod plain;
pub mod whatsapp;
