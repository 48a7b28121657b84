//! Sound: how long it is, how it looks, and the same in a format that a channel takes.
//!
//! A file is decoded to mono at 48 kHz piece by piece, so that half an hour of sound needs no more memory than a second of it. What
//! listens ([`Listener`]) is a pair of ears for the wave form, or an encoder as well. Files come from strangers: size and length are
//! bounded, a decoder that panics is a damaged file, and one that takes too long is told to stop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Sentence;
use crate::model::MediaKind;
use crate::say;

mod aac;
mod decode;
mod mono;
mod opus;
mod peaks;
mod wav;

/// The rate at which everything is heard and written.
pub const RATE: u32 = 48_000;
/// The largest file that is listened to.
pub const LARGEST: usize = 100 << 20;
/// The longest sound, in seconds.
pub const LONGEST: u64 = 30 * 60;

/// How a sound looks in a player.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Its length.
    pub duration_ms: u64,
    /// How loud it is in [`peaks::STEPS`] equal steps; the loudest is 255.
    pub wave: Vec<u8>,
}

/// A sound written anew.
#[derive(Debug)]
pub struct Converted {
    /// The file.
    pub bytes: Vec<u8>,
    /// How it looks.
    pub shape: Shape,
}

/// Why a file cannot be listened to.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unplayable {
    /// More bytes than [`LARGEST`].
    #[error("the file is too large")]
    TooLarge,
    /// More than [`LONGEST`] seconds.
    #[error("the sound is too long")]
    TooLong,
    /// Nothing that we can decode.
    #[error("not a kind of sound that can be decoded")]
    Unknown,
    /// It begins like a sound and goes on like none.
    #[error("the sound is damaged: {0}")]
    Damaged(String),
    /// A sound without any.
    #[error("there is no sound in it")]
    Empty,
    /// It took too long.
    #[error("decoding was stopped")]
    Stopped,
}

impl Unplayable {
    /// What to say to the person who chose the file.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::TooLarge => say!("This sound is too large to be converted: {most} MB fit.", most = LARGEST >> 20),
            Self::TooLong => say!("This sound is too long to be converted: {most} minutes fit.", most = LONGEST / 60),
            Self::Unknown => say!("Shopbell cannot read this kind of sound. Save it as MP3 and choose it again."),
            Self::Damaged(_) => say!("This sound is damaged and cannot be converted. Record it again or choose another file."),
            Self::Empty => say!("There is no sound in this file."),
            Self::Stopped => say!("Converting this sound took too long. Try a shorter one, or save it as MP3 first."),
        }
    }

    fn damaged(why: impl std::fmt::Display) -> Self {
        Self::Damaged(why.to_string())
    }
}

/// What we can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Opus in Ogg: what messengers call a voice message.
    Opus,
    /// AAC in an MP4 file, for services that know no Opus.
    Aac,
}

impl Format {
    /// The format behind a type that a channel takes.
    pub fn of(mime: &str) -> Option<Self> {
        match super::types::usual(mime) {
            "audio/ogg" => Some(Self::Opus),
            "audio/mp4" => Some(Self::Aac),
            _ => None,
        }
    }

    /// Its type.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Opus => "audio/ogg",
            Self::Aac => "audio/mp4",
        }
    }

    /// How its files' names end.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Opus => "ogg",
            Self::Aac => "m4a",
        }
    }
}

/// Tells a decoder to give up, from another thread.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Gives up at the next piece.
    pub fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn check(&self) -> Result<(), Unplayable> {
        if self.0.load(Ordering::Relaxed) { Err(Unplayable::Stopped) } else { Ok(()) }
    }
}

/// Hears a sound piece by piece: mono samples at [`RATE`], each within −1 and 1.
trait Listener {
    fn hear(&mut self, samples: &[f32]) -> Result<(), Unplayable>;
}

/// Whether these bytes are a voice message as messengers want it: Opus with one channel in Ogg.
pub fn is_voice_note(bytes: &[u8]) -> bool {
    // The first page of an Ogg file holds the head alone: 27 bytes, one lacing value, "OpusHead", version, channels.
    bytes.starts_with(b"OggS") && bytes.get(28..36) == Some(b"OpusHead") && bytes.get(37) == Some(&1)
}

/// Listens to a file. Of a damaged one, as much as could be heard.
///
/// # Errors
/// When nothing of it can be heard.
pub fn shape(bytes: &[u8], stop: &Stop) -> Result<Shape, Unplayable> {
    let mut ears = peaks::Peaks::default();
    let outcome = guarded(|| decode::decode(bytes, stop, &mut ears));
    match outcome {
        Ok(()) | Err(Unplayable::Damaged(_)) if ears.heard() > 0 => Ok(ears.shape()),
        Ok(()) => Err(Unplayable::Empty),
        Err(error) => Err(error),
    }
}

/// The same sound as `format`. A damaged file is refused as a whole: half a message is no message.
///
/// # Errors
/// When it cannot be decoded to its end.
pub fn convert(bytes: &[u8], format: Format, kind: MediaKind, stop: &Stop) -> Result<Converted, Unplayable> {
    match format {
        Format::Opus => {
            let mut both = (peaks::Peaks::default(), opus::Writer::new(kind)?);
            guarded(|| decode::decode(bytes, stop, &mut both))?;
            let (ears, writer) = both;
            Ok(Converted { bytes: guarded(|| writer.finish())?, shape: ears.shape() })
        }
        Format::Aac => {
            let mut both = (peaks::Peaks::default(), aac::Writer::new()?);
            guarded(|| decode::decode(bytes, stop, &mut both))?;
            let (ears, writer) = both;
            Ok(Converted { bytes: guarded(|| writer.finish())?, shape: ears.shape() })
        }
    }
}

impl<A: Listener, B: Listener> Listener for (A, B) {
    fn hear(&mut self, samples: &[f32]) -> Result<(), Unplayable> {
        self.0.hear(samples)?;
        self.1.hear(samples)
    }
}

/// Decoders are other people's code fed with strangers' files: one that panics has met a damaged file. What it leaves behind is dropped.
fn guarded<T>(work: impl FnOnce() -> Result<T, Unplayable>) -> Result<T, Unplayable> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Unplayable::damaged("a decoder panicked")))
}

#[cfg(test)]
pub(super) mod tests;
