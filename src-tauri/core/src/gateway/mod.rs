//! The doors: the admin side on loopback, and the public side that a tunnel may expose.
//!
//! They share how connections are taken ([`serve`]), who may be asked for under which name ([`hosts`]) and how failures are answered
//! ([`answer`]); nothing else. The admin API has no route on the public side, so no path and no header leads to it.

pub mod seats;
pub mod patience;
pub mod serve;
pub mod hosts;
pub mod answer;
pub mod pace;
pub mod sign_in;
pub mod files;
pub mod admin;
pub mod public;
pub mod hooks;
pub mod oauth;
pub mod widget;
pub mod doors;
