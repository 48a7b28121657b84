//! Shopbell's hub: everything but the window.
//!
//! The modules stand in the order in which they build on each other; `hub` at the end wires them together and is a page that
//! anyone can read. A host (the desktop app, `shopbell-server`) opens one [`hub::Hub`] and asks it through [`api`].
//!
//! # A message, from door to answer
//!
//! 1. A service calls `/hooks/<key>`. [`gateway`] finds the connection by the key and lets its connector verify the raw bytes.
//! 2. [`arrivals::accept`] stores the request as it came. Only after that commit is the service told `200`.
//! 3. [`arrivals::run`] lets the connector say what happened (`parse`), and [`conversations::apply`] turns each event into contact,
//!    conversation and message, once: the service's own id is unique for ever. A message in an agent's conversation wants a turn.
//! 4. [`agent::turn`] claims the turn after a short pause that gathers a burst, [`agent::answer`] asks the model and runs the tools
//!    it calls, saving every step. Losing the word (a newer message, a person who takes over) ends it silently.
//! 5. What is said becomes a message and a delivery. [`outbox`] claims it, if its author still owns the conversation, and lets the
//!    connector make one attempt. The outcome is written; what was cut off is `Unconfirmed` and never blindly repeated.
//!
//! A step that is due at once is claimed in the very commit that makes it due ([`store::Stages::join`]), so a message that comes alone takes
//! two commits to its answer's call: one from the raw request to the claimed turn, one from the answer to the claimed delivery.
//!
//! Services that we poll enter at step 2 through [`listening`]. Every commit announces what changed ([`changes`]).
//!
//! # A connection, from form to use
//!
//! 1. `list_connectors` shows what there is: each [`connector::Connector`] says its name, steps and the schema of its settings.
//! 2. `create_connection` lets the connector read the settings, seals the secret fields in the [`vault`] and stores the rest.
//! 3. [`connections::assemble`] makes it ready: settings with secrets, and an outgoing [`http::Client`] that may reach the service and,
//!    beside the internet, only the host its owner typed.
//! 4. `test_connection` proves it; the hot path then finds it in memory, by id or by key.
pub mod id;
pub mod clock;
pub mod wake;
pub mod secret;
pub mod error;
pub mod words;
pub mod money;
pub mod model;
pub mod connector;
pub mod http;
pub mod changes;
pub mod store;
pub mod vault;
pub mod profile;
pub mod queue;
pub mod text;
pub mod connections;
pub mod arrivals;
pub mod conversations;
pub mod conversions;
pub mod oauth;
pub mod agent;
pub mod outbox;
pub mod introductions;
pub mod media;
pub mod listening;
pub mod catching_up;
pub mod housekeeping;
pub mod backup;
pub mod first_run;
pub mod lab;
pub mod tunnel;
pub mod registrations;
pub mod canary;
pub mod gateway;
pub mod api;
pub mod hub;
