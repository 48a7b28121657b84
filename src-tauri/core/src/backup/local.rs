//! A copy of the database every day, made by itself: the newest of each of seven days and of four weeks before them are kept.
//!
//! When the last one was made stands in the database. A computer that was off for a week makes one when it is back, not seven.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use super::copy::{self, Space};
use super::{Kind, State, note_done, note_trouble, state};
use crate::clock::Timestamp;
use crate::error::{Code, Result};
use crate::hub::Hub;
use crate::store::Store;
use crate::words::language;

/// How often is looked whether one is due; the first look leaves the start to the shop.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How long after an attempt that came to nothing the next one is made.
const AGAIN: Duration = Duration::from_secs(3600);
/// How these copies are called; the moment follows.
const NAME: &str = "day-";
/// Of how many days the newest is kept.
const DAYS: usize = 7;
/// Of how many weeks before those.
const WEEKS: usize = 4;

/// The folder of the copies, in the data directory.
pub fn folder(store: &Store) -> PathBuf {
    store.directory().join("backups")
}

/// Makes what is due until told to stop.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let _one_at_a_time = hub.copying.lock().await;
        match round(&hub.store, &TimeZone::system(), copy::free_space, &stop).await {
            Ok(true) => tracing::info!("The daily backup is made."),
            Ok(false) => {}
            Err(error) if error.code == Code::Unavailable => {}
            Err(error) => tracing::error!(error = ?error, "The daily backup could not be made; trying again in an hour."),
        }
    }
}

/// One look: makes a copy if one is due. `true` = one was made.
///
/// # Errors
/// As [`make`].
pub async fn round(store: &Arc<Store>, zone: &TimeZone, space: Space, stop: &CancellationToken) -> Result<bool> {
    let known = store.read(|db| state(db, Kind::Local)).await?;
    if !is_due(&known, store.clock().now(), zone) {
        return Ok(false);
    }
    make(store, zone, space, stop).await?;
    Ok(true)
}

/// One a day, as the shop counts days; an attempt that came to nothing is made again after a while.
fn is_due(known: &State, now: Timestamp, zone: &TimeZone) -> bool {
    // In the future: somebody has set the clock back since.
    let made_today = known.done_at.is_some_and(|done| done <= now && day(done, zone) == day(now, zone));
    let just_tried = known.trouble.is_some() && known.tried_at.is_some_and(|tried| tried <= now && now < tried.plus(AGAIN));
    !made_today && !just_tried
}

/// Makes a copy now and clears away those whose time is over. What came of it stands in the database, a failure in words.
///
/// # Errors
/// [`Code::DiskFull`], [`Code::Corrupt`]; [`Code::Unavailable`] when told to stop, which is no failure.
pub async fn make(store: &Arc<Store>, zone: &TimeZone, space: Space, stop: &CancellationToken) -> Result<()> {
    let now = store.clock().now();
    let to = folder(store).join(format!("{NAME}{}.db", now.millis()));
    let (copied, name, told) = (store.clone(), to.clone(), stop.clone());
    let made = tokio::task::spawn_blocking(move || -> Result<u64> {
        copy::check_space(&folder(&copied), copy::size(&copied), space)?;
        copy::take(&copied, &name, &told)
    })
    .await
    .context("the backup panicked")?;
    match made {
        Ok(bytes) => {
            let file = to.display().to_string();
            store.write(move |tx| note_done(tx, Kind::Local, &file, bytes)).await?;
            let (folder, zone) = (folder(store), zone.clone());
            tokio::task::spawn_blocking(move || clear_old(&folder, &zone)).await.context("clear old backups")?
        }
        Err(error) if error.code == Code::Unavailable => Err(error),
        Err(error) => {
            let said = error.message.clone();
            store
                .write(move |tx| {
                    let said = said.in_language(&language(tx)?);
                    note_trouble(tx, Kind::Local, &said)
                })
                .await?;
            Err(error)
        }
    }
}

/// A copy in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Where it is.
    pub path: PathBuf,
    /// When it was made.
    pub made_at: Timestamp,
}

/// The copies of `folder` that were made by themselves, newest first, as their names say.
///
/// # Errors
/// When the folder cannot be read.
pub fn copies(folder: &Path) -> Result<Vec<Copy>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).context("read the folder of backups")? {
        let path = entry.context("read the folder of backups")?.path();
        let moment = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix(NAME)?.strip_suffix(".db"));
        if let Some(made_at) = moment.and_then(|millis| millis.parse().ok()).map(Timestamp::from_millis) {
            found.push(Copy { path, made_at });
        }
    }
    found.sort_by_key(|copy| std::cmp::Reverse(copy.made_at));
    Ok(found)
}

/// Deletes the copies whose time is over, and what interrupted ones left.
fn clear_old(folder: &Path, zone: &TimeZone) -> Result<()> {
    let made = copies(folder)?;
    let kept = kept(&made.iter().map(|copy| copy.made_at).collect::<Vec<_>>(), zone);
    for copy in made.iter().filter(|copy| !kept.contains(&copy.made_at)) {
        std::fs::remove_file(&copy.path).with_context(|| format!("delete the backup {}", copy.path.display()))?;
    }
    for entry in std::fs::read_dir(folder).context("read the folder of backups")? {
        let path = entry.context("read the folder of backups")?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(NAME) && !name.ends_with(".db") {
            copy::clear(&path);
        }
    }
    Ok(())
}

/// Which of the copies made at `moments`, newest first, are kept: the newest of each of seven days, and of the rest the newest of each of
/// four weeks. As days grow old, the last one of its week stays for it.
fn kept(moments: &[Timestamp], zone: &TimeZone) -> Vec<Timestamp> {
    let newest_of = |moments: &[Timestamp], most: usize, span: &dyn Fn(Timestamp) -> Date| {
        let mut spans = Vec::new();
        let mut chosen = Vec::new();
        for moment in moments {
            let of = span(*moment);
            if spans.len() < most && spans.last() != Some(&of) {
                spans.push(of);
                chosen.push(*moment);
            }
        }
        chosen
    };
    let mut kept = newest_of(moments, DAYS, &|moment| day(moment, zone));
    let last = kept.last().copied().unwrap_or_default();
    let older: Vec<Timestamp> = moments.iter().copied().filter(|moment| day(*moment, zone) < day(last, zone)).collect();
    kept.extend(newest_of(&older, WEEKS, &|moment| monday(day(moment, zone))));
    kept
}

/// The first day of its week, on which weeks are told apart.
fn monday(day: Date) -> Date {
    let since = i64::from(day.weekday().to_monday_zero_offset());
    day.saturating_sub(jiff::Span::new().days(since))
}

fn day(moment: Timestamp, zone: &TimeZone) -> Date {
    moment.to_jiff().to_zoned(zone.clone()).date()
}

#[cfg(test)]
mod tests;
