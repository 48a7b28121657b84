//! One folder per outside service, and one line in [`connectors!`] for each.
//!
//! A folder holds the connector (`mod.rs`), its wire format, its simulator, its icon and its fixtures. Everything else follows from the
//! list: the catalogue, the forms, the contract test. The words that an owner reads are translated in `words/`.

use std::sync::Arc;

use shopbell_core::connector::{AnyConnector, erase};

pub mod chat_completions;
pub mod loopback;
pub mod markdown;
pub mod meta;
pub mod settings;
mod spelled;
pub mod twilio;
mod unread;
mod words;

pub use words::register_words;

/// Declares the modules and the list of [`all`]: `module => Connector`, in the order of the catalogue.
macro_rules! connectors {
    ($($module:ident => $connector:ident,)*) => {
        $(pub mod $module;)*

        /// Every connector, in the order of the catalogue.
        pub fn all() -> Vec<Arc<dyn AnyConnector>> {
            vec![$(erase($module::$connector),)*]
        }
    };
}

connectors! {
    website => Website,
    telegram => Telegram,
    whatsapp_meta => WhatsAppMeta,
    whatsapp_360dialog => WhatsApp360Dialog,
    whatsapp_twilio => WhatsAppTwilio,
    sms_twilio => SmsTwilio,
    instagram => Instagram,
    google_calendar => GoogleCalendar,
    built_in => BuiltIn,
    openai => OpenAi,
    openrouter => OpenRouter,
    openai_compatible => OpenAiCompatible,
}
