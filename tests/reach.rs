//! The public address: the supervisor with a driver that does as it is told, real servers on loopback, and who may come in.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

#[path = "reach/scripted.rs"]
mod scripted;
#[path = "reach/supervising.rs"]
mod supervising;
#[path = "reach/doors.rs"]
mod doors;
#[path = "reach/bore.rs"]
mod bore;
#[path = "reach/ssh.rs"]
mod ssh;
#[path = "reach/registering.rs"]
mod registering;
#[path = "reach/canary.rs"]
mod canary;
#[path = "reach/cloudflared.rs"]
mod cloudflared;
