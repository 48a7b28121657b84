//! Sounds on their way out, in a format that the channel takes.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use rusqlite::params;
use tokio::sync::OwnedSemaphorePermit;

use super::types::{is_one_of, is_sound, taken, usual};
use super::voice::{self, Converted, Format, Shape, Stop, Unplayable};
use super::{AboutFile, Media};
use crate::connector::{ChannelRules, MediaSource};
use crate::conversations::posting::kind_name;
use crate::error::{Error, Result};
use crate::id::MediaId;
use crate::model::{Content, MediaKind};

/// How many sounds are decoded at once; the others wait.
pub const AT_ONCE: usize = 2;
/// Half an hour of sound takes about a minute on a slow computer.
const LONGEST_CONVERSION: Duration = Duration::from_secs(120);
/// A wave form is nice to have.
const LONGEST_LISTENING: Duration = Duration::from_secs(30);

impl Media {
    /// The same content for a channel with these rules: sounds of types that it does not take are written anew in one that it does.
    /// What cannot be fitted otherwise is left as it is, for [`crate::conversations::posting::sendable`] to refuse.
    ///
    /// # Errors
    /// By field, with what the person can do, when a sound cannot be converted.
    pub async fn fit(&self, mut content: Vec<Content>, rules: &ChannelRules) -> Result<Vec<Content>> {
        for (index, part) in content.iter_mut().enumerate() {
            let Content::Media { kind, media, filename, .. } = part else { continue };
            if !matches!(kind, MediaKind::Voice | MediaKind::Audio) || !rules.media_limits.contains_key(kind_name(*kind)) {
                continue;
            }
            let Some(about) = self.about(media).await?.filter(|about| is_sound(&about.mime)) else { continue };
            let Some(format) = self.wanted_format(*kind, media, &about, rules).await? else {
                if about.wave.is_none() {
                    self.look_at(media).await;
                }
                continue;
            };
            let bytes = self.read(media).await?.bytes;
            let converted = self.convert(bytes, format, *kind).await?.map_err(|error| {
                tracing::info!(media.id = %media, %error, "A sound could not be converted.");
                Error::field(format!("content.{index}"), error.sentence())
            })?;
            let name = filename.as_deref().or(about.filename.as_deref()).map(|name| renamed(name, format));
            let (id, _) = self.add(converted.bytes.into(), name.clone(), format.mime()).await?;
            self.keep_shape(&id, &converted.shape).await?;
            (*media, *filename) = (id, name);
        }
        Ok(content)
    }

    /// What a sound has to become, if anything.
    async fn wanted_format(&self, kind: MediaKind, id: &MediaId, about: &AboutFile, rules: &ChannelRules) -> Result<Option<Format>> {
        let Some(types) = taken(rules, kind) else { return Ok(None) };
        let format = types.iter().find_map(|known| Format::of(known));
        if !is_one_of(&about.mime, types) {
            return Ok(format);
        }
        // Where Ogg is taken, Opus with one channel is meant: messengers refuse other things in it, or show no voice message.
        if usual(&about.mime) == "audio/ogg" && format == Some(Format::Opus) && !voice::is_voice_note(&self.read(id).await?.bytes) {
            return Ok(format);
        }
        Ok(None)
    }

    async fn convert(&self, bytes: Bytes, format: Format, kind: MediaKind) -> Result<Result<Converted, Unplayable>> {
        self.listening(LONGEST_CONVERSION, move |stop| voice::convert(&bytes, format, kind, stop)).await
    }

    /// Finds out how a stored sound looks and keeps it. Best effort: a sound that cannot be decoded is sent and shown without.
    pub(super) async fn look_at(&self, id: &MediaId) -> Option<Shape> {
        let looking = async {
            let bytes = self.read(id).await?.bytes;
            let shape = self.listening(LONGEST_LISTENING, move |stop| voice::shape(&bytes, stop)).await??;
            self.keep_shape(id, &shape).await?;
            anyhow::Ok(shape)
        };
        looking.await.inspect_err(|error| tracing::debug!(media.id = %id, error = ?error, "A sound cannot be listened to.")).ok()
    }

    async fn keep_shape(&self, id: &MediaId, shape: &Shape) -> Result<()> {
        let (id, duration, wave) = (id.clone(), i64::try_from(shape.duration_ms).unwrap_or(i64::MAX), shape.wave.clone());
        self.store
            .write(move |tx| {
                tx.prepare_cached("UPDATE media SET duration_ms = ?2, wave = ?3 WHERE id = ?1")?.execute(params![id, duration, wave])?;
                Ok(())
            })
            .await
    }

    /// Works on sound beside the async threads, a few at a time. What takes longer than `most` is told to stop; one that does not listen
    /// keeps its place, so that a decoder that hangs can never fill the machine.
    async fn listening<T: Send + 'static>(
        &self,
        most: Duration,
        work: impl FnOnce(&Stop) -> Result<T, Unplayable> + Send + 'static,
    ) -> Result<Result<T, Unplayable>> {
        let stop = Stop::default();
        let told = stop.clone();
        let ears: Arc<_> = self.ears.clone();
        let working = async move {
            let place: OwnedSemaphorePermit = ears.acquire_owned().await.context("the ears are never closed")?;
            let outcome = tokio::task::spawn_blocking(move || {
                let _place = place;
                work(&told)
            });
            anyhow::Ok(outcome.await.context("listen to a sound")?)
        };
        if let Ok(outcome) = tokio::time::timeout(most, working).await {
            Ok(outcome?)
        } else {
            stop.now();
            Ok(Err(Unplayable::Stopped))
        }
    }
}

/// A file's name with the ending of its new format.
fn renamed(name: &str, format: Format) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    format!("{}.{}", if stem.is_empty() { "voice" } else { stem }, format.ending())
}
