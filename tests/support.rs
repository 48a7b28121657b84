//! What the tests share.
pub mod dice;
pub mod hub;
pub mod model;
pub mod scripted;
pub mod server;
