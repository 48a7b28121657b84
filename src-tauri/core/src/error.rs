//! What went wrong, for the person who will read it.
//!
//! Inside, `anyhow` carries the chain for the log. At the edge everything is an [`Error`]: a [`Code`] to branch on and a
//! [`Sentence`] that says what happened and what to do, in the hub's language.

use std::borrow::Cow;
use std::fmt;

use serde::ser::SerializeMap;

/// A sentence for a person: an English template and the values that fill its `{names}`. Translated by template, see [`crate::words`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// The English text with `{name}` gaps; the key of its translations.
    pub template: Cow<'static, str>,
    /// What fills the gaps.
    pub args: Vec<(&'static str, String)>,
}

/// `say!("The file {name} is too big.", name = name)`: a [`Sentence`]. Every template is translated in `words/`.
#[macro_export]
macro_rules! say {
    ($template:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::error::Sentence {
            template: ::std::borrow::Cow::Borrowed($template),
            args: vec![$((stringify!($name), ($value).to_string())),*],
        }
    };
}

impl Sentence {
    /// Words that are not ours to translate (a provider's own text).
    pub fn verbatim(text: impl Into<String>) -> Self {
        Self { template: Cow::Owned(text.into().replace('{', "(").replace('}', ")")), args: Vec::new() }
    }

    /// The sentence in `language` ("en", "pt-BR", "es").
    pub fn in_language(&self, language: &str) -> String {
        self.fill(crate::words::translate(&self.template, language))
    }

    fn fill(&self, template: &str) -> String {
        let mut text = template.to_owned();
        for (name, value) in &self.args {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }
}

/// As its English text: for snapshots and logs.
impl serde::Serialize for Sentence {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fill(&self.template))
    }
}

/// What the caller can do about it. A new code means a new behaviour of a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A field is wrong; `fields` says which.
    Invalid,
    /// There is no such thing (any more).
    NotFound,
    /// Who are you? Sign in to the admin side.
    Unauthorized,
    /// Known, but not allowed (foreign origin, a feature that is off).
    Forbidden,
    /// It collides with what is there now.
    Conflict,
    /// The vault must be opened first.
    VaultLocked,
    /// The passphrase is wrong.
    WrongPassphrase,
    /// The outside service refused or cannot be reached.
    Service,
    /// More than we take.
    TooLarge,
    /// Too many requests; wait.
    RateLimited,
    /// The disk is full.
    DiskFull,
    /// The data directory cannot be written.
    ReadOnly,
    /// The database is damaged.
    Corrupt,
    /// The database is of a newer version of Shopbell.
    NewerDatabase,
    /// Another Shopbell has the data directory open.
    AlreadyOpen,
    /// The port is taken.
    PortTaken,
    /// The hub is starting or stopping.
    Unavailable,
    /// Our own fault; the log knows more.
    Internal,
}

impl Code {
    /// What a program ends with that could not start for this reason.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Invalid => 2,
            Self::WrongPassphrase => 3,
            Self::AlreadyOpen | Self::NewerDatabase | Self::Corrupt | Self::ReadOnly | Self::DiskFull => 4,
            Self::PortTaken => 5,
            _ => 1,
        }
    }

    /// The HTTP status that carries this code.
    pub fn status(self) -> u16 {
        match self {
            Self::Invalid => 422,
            Self::NotFound => 404,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::Conflict | Self::AlreadyOpen | Self::PortTaken => 409,
            Self::VaultLocked => 423,
            Self::WrongPassphrase => 403,
            Self::Service => 502,
            Self::TooLarge => 413,
            Self::RateLimited => 429,
            Self::DiskFull => 507,
            Self::ReadOnly | Self::Corrupt | Self::NewerDatabase | Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }
}

/// What went wrong, as the API answers it.
#[derive(Debug)]
pub struct Error {
    /// What to branch on.
    pub code: Code,
    /// What to show.
    pub message: Sentence,
    /// One sentence per wrong field, by its path in the request ("config.bot_token").
    pub fields: Vec<(String, Sentence)>,
    /// For the log alone.
    pub source: Option<anyhow::Error>,
}

/// The result of everything a person may ask of the hub.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `code` that says `message`.
    pub fn new(code: Code, message: Sentence) -> Self {
        Self { code, message, fields: Vec::new(), source: None }
    }

    /// One wrong field.
    pub fn field(path: impl Into<String>, sentence: Sentence) -> Self {
        Self::fields(vec![(path.into(), sentence)])
    }

    /// Several wrong fields.
    pub fn fields(fields: Vec<(String, Sentence)>) -> Self {
        let message = fields.first().map_or_else(|| say!("Something in this form is not right."), |(_, sentence)| sentence.clone());
        Self { code: Code::Invalid, message, fields, source: None }
    }

    /// What to say when the disk is full, the database damaged, or (any other code) the folder cannot be written.
    pub fn of_storage(code: Code) -> Self {
        let message = match code {
            Code::DiskFull => say!("The disk is full. New messages wait at the services. Free 200 MB to go on."),
            Code::Corrupt => say!("A part of the database could not be read. Shopbell looks through all of it and then says what to do."),
            _ => say!("Shopbell cannot write to its folder. Check that the disk is not write-protected and that the folder is yours."),
        };
        Self::new(code, message)
    }

    /// Nothing by that id.
    pub fn not_found(what: Sentence) -> Self {
        Self::new(Code::NotFound, what)
    }

    /// Adds the chain for the log.
    #[must_use]
    pub fn because(mut self, source: impl Into<anyhow::Error>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// As the API answers it, in `language`.
    pub fn in_language(&self, language: &str) -> ApiError {
        ApiError {
            code: self.code,
            message: self.message.in_language(language),
            fields: self.fields.iter().map(|(path, sentence)| (path.clone(), sentence.in_language(language))).collect(),
        }
    }
}

/// An [`Error`] on the wire: `{"code","message","fields"?}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// What to branch on.
    pub code: Code,
    /// What to show.
    pub message: String,
    /// One sentence per wrong field.
    pub fields: Vec<(String, String)>,
}

impl serde::Serialize for ApiError {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", &self.code)?;
        map.serialize_entry("message", &self.message)?;
        if !self.fields.is_empty() {
            let fields: serde_json::Map<_, _> = self.fields.iter().map(|(path, text)| (path.clone(), text.clone().into())).collect();
            map.serialize_entry("fields", &fields)?;
        }
        map.end()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|error| error.as_ref() as _)
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<Error>() {
            Ok(ours) => ours,
            Err(error) => match error.downcast::<rusqlite::Error>() {
                Ok(sqlite) => sqlite.into(),
                Err(error) => Self::new(
                    Code::Internal,
                    say!("Shopbell made a mistake. Nothing was lost. Try again, and look at the log if it stays."),
                )
                .because(error),
            },
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let sorted = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::of_storage(Code::DiskFull),
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Self::of_storage(Code::ReadOnly),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::of_storage(Code::Corrupt),
            Some(ErrorCode::SystemIoFailure) => Self::new(Code::ReadOnly, say!("The disk did not answer. Check the disk, then try again.")),
            _ => Self::new(Code::Internal, say!("Shopbell made a mistake. Nothing was lost. Try again, and look at the log if it stays.")),
        };
        sorted.because(error)
    }
}

impl From<rusqlite::types::FromSqlError> for Error {
    fn from(error: rusqlite::types::FromSqlError) -> Self {
        rusqlite::Error::from(error).into()
    }
}
