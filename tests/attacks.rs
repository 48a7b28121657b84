//! The doors of a whole hub under attack: what must not be reachable, what must not be believed, what must not bring it down.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test drives the doors from outside and stops where something is wrong"
)]

#[path = "attacks/world.rs"]
mod world;

#[path = "attacks/admin.rs"]
mod admin;
#[path = "attacks/hooks.rs"]
mod hooks;
#[path = "attacks/public.rs"]
mod public;
#[path = "attacks/shared.rs"]
mod shared;
#[path = "attacks/website.rs"]
mod website;
