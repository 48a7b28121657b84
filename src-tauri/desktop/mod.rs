//! What only a desktop can do, one file each. The hub itself knows none of it.

pub mod arguments;
pub mod webview;
pub mod words;
pub mod logs;
pub mod host;
pub mod following;
pub mod bridge;
pub mod media;
pub mod window;
pub mod tray;
pub mod notifications;
pub mod deep_link;
pub mod links;
#[cfg(test)]
mod guards;
