//! What a connection was granted: the row that says until when, and the tokens in the vault.
//!
//! Tokens change together with their dates, in one transaction. The refresh token before the present one is kept until the present one has
//! worked: a service that answered us when the computer died may have counted its answer as delivered.

use std::time::Duration;

use rusqlite::{Connection as Db, OptionalExtension, Row, params};
use serde::Serialize;

use super::flow::Flow;
use crate::clock::Timestamp;
use crate::connector::Plan;
use crate::error::Result;
use crate::id::ConnectionId;
use crate::model::Change;
use crate::queue::jittered;
use crate::secret::Secret;
use crate::store::Tx;
use crate::vault::Vault;

const DAY: Duration = Duration::from_secs(86_400);
/// A token that lives that long is renewed when [`WEEK`] or less of it remains.
const LONG: Duration = Duration::from_secs(30 * 86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);
/// How long to wait after each failure that passes by itself.
const WAITS: [Duration; 5] =
    [Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(120), Duration::from_secs(600), Duration::from_secs(1800)];

/// How a grant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "SignInState")]
#[schemars(rename = "SignInState")]
pub enum State {
    /// In use.
    Active,
    /// In use, but the last renewal failed and is tried again.
    Degraded,
    /// It has ended: the owner signs in again.
    NeedsSignIn,
    /// The owner signed out.
    SignedOut,
}

impl State {
    /// As the store writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Degraded => "degraded",
            Self::NeedsSignIn => "needs_sign_in",
            Self::SignedOut => "signed_out",
        }
    }
}

/// A grant.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Whose.
    pub connection: ConnectionId,
    /// The plan it was given under.
    pub plan: Plan,
    /// As whom we asked.
    pub client_id: String,
    /// Where the answer came back to.
    pub redirect_uri: String,
    /// The service's own name of the account.
    pub account_id: String,
    /// The account as its owner knows it.
    pub account: String,
    /// What was granted.
    pub scopes: Vec<String>,
    /// What less works, in words.
    pub missing: Vec<String>,
    /// Scopes that the service asked for since.
    pub wanted: Vec<String>,
    /// How it stands.
    pub state: State,
    /// When its owner signed in.
    pub signed_in_at: Timestamp,
    /// When the present token was given.
    pub obtained_at: Timestamp,
    /// When that ends; `None` = it does not.
    pub expires_at: Option<Timestamp>,
    /// When it is renewed next; `None` = it need not be.
    pub renew_at: Option<Timestamp>,
    /// When it was renewed last.
    pub renewed_at: Option<Timestamp>,
    /// How often renewing has failed since.
    pub attempts: u32,
    /// Why it failed last.
    pub last_error: Option<String>,
}

/// The tokens of a grant.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// What calls are made with.
    pub access: Secret,
    /// What buys the next one.
    pub refresh: Option<Secret>,
    /// The refresh token before that.
    pub previous: Option<Secret>,
    /// The secret of a client that registered itself.
    pub client_secret: Option<Secret>,
}

impl Grant {
    /// Whether the token is to be renewed now. A token of the future, or a wait longer than any we make: somebody has set the clock back.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let Some(renew_at) = self.renew_at else { return false };
        let clock_went_back = self.obtained_at > now.plus(Duration::from_secs(60));
        let waits_too_long = self.attempts > 0 && renew_at > now.plus(WAITS[WAITS.len() - 1] * 2);
        renew_at <= now || clock_went_back || waits_too_long
    }

    /// Whether the token works no longer, by the clock.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// When a token that was given at `now` and lives for `lifetime` is to be renewed: seven days before its end if it lives for a month or
/// longer, else a tenth of its life before, at least one minute and at most five, and not in step with others.
pub fn renew_at(now: Timestamp, lifetime: Duration) -> Timestamp {
    if lifetime >= LONG {
        return now.plus(lifetime - WEEK).minus(jittered(Duration::from_secs(3600)));
    }
    let margin = (lifetime / 10).min(Duration::from_secs(300)).max(Duration::from_secs(60));
    // Up to a tenth earlier, never later.
    let early = margin + jittered(margin / 10);
    now.plus(lifetime.saturating_sub(early).max(lifetime / 2))
}

/// How long to wait after the `attempts`-th failure (1 = the first).
pub fn wait_after(attempts: u32) -> Duration {
    let step = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX).min(WAITS.len() - 1);
    WAITS[step].mul_f64(0.9) + jittered(WAITS[step] / 5)
}

/// A token that is renewed by showing itself must be a day old where services want that; it always is by then.
const _: () = assert!(LONG.as_secs() - WEEK.as_secs() > DAY.as_secs());

const COLUMNS: &str =
    "connection, plan, client_id, redirect_uri, account_id, account, scopes, missing, wanted, state, signed_in_at, obtained_at,
    expires_at, renew_at, renewed_at, attempts, last_error";

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error)))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Grant> {
    let state = match row.get_ref(9)?.as_str()? {
        "active" => State::Active,
        "degraded" => State::Degraded,
        "signed_out" => State::SignedOut,
        _ => State::NeedsSignIn,
    };
    Ok(Grant {
        connection: row.get(0)?,
        plan: json(row, 1)?,
        client_id: row.get(2)?,
        redirect_uri: row.get(3)?,
        account_id: row.get(4)?,
        account: row.get(5)?,
        scopes: json(row, 6)?,
        missing: json(row, 7)?,
        wanted: json(row, 8)?,
        state,
        signed_in_at: row.get(10)?,
        obtained_at: row.get(11)?,
        expires_at: row.get(12)?,
        renew_at: row.get(13)?,
        renewed_at: row.get(14)?,
        attempts: row.get(15)?,
        last_error: row.get(16)?,
    })
}

/// The grant of a connection.
pub fn get(db: &Db, connection: &ConnectionId) -> Result<Option<Grant>> {
    Ok(db.prepare_cached(&format!("SELECT {COLUMNS} FROM sign_in WHERE connection = ?1"))?.query_row([connection], from_row).optional()?)
}

/// Every grant of connections that are still there, oldest connection first.
pub fn list(db: &Db) -> Result<Vec<Grant>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sign_in WHERE connection IN (SELECT id FROM connection WHERE deleted_at IS NULL) ORDER BY connection"
    );
    let mut statement = db.prepare_cached(&sql)?;
    Ok(statement.query_map([], from_row)?.collect::<rusqlite::Result<_>>()?)
}

/// Whose vault rows the tokens are.
pub fn owner(connection: &ConnectionId) -> String {
    format!("{connection}/sign-in")
}

/// The tokens of a connection.
pub fn tokens(db: &Db, vault: &Vault, connection: &ConnectionId) -> Result<Option<Tokens>> {
    let mut secrets = vault.open_all(db, &owner(connection))?.whole()?;
    let Some(access) = secrets.remove("access_token") else { return Ok(None) };
    Ok(Some(Tokens {
        access,
        refresh: secrets.remove("refresh_token"),
        previous: secrets.remove("previous_refresh_token"),
        client_secret: secrets.remove("client_secret"),
    }))
}

/// Seals `tokens` in place of what was there, the one in the connection's own settings too.
pub fn seal(tx: &Tx<'_>, vault: &Vault, connection: &ConnectionId, plan: &Plan, tokens: &Tokens) -> Result<()> {
    let owner = owner(connection);
    let fields = [
        ("access_token", Some(&tokens.access)),
        ("refresh_token", tokens.refresh.as_ref()),
        ("previous_refresh_token", tokens.previous.as_ref()),
        ("client_secret", tokens.client_secret.as_ref()),
    ];
    for (field, secret) in fields {
        match secret {
            Some(secret) => vault.seal_into(tx, &owner, field, secret)?,
            None => vault.remove_field(tx, &owner, field)?,
        }
    }
    if let Some(field) = &plan.field {
        vault.seal_into(tx, connection.as_str(), field, &tokens.access)?;
    }
    Ok(())
}

/// What a new grant is made of.
pub struct New<'a> {
    /// The flow that brought it.
    pub flow: &'a Flow,
    /// The service's own name of the account.
    pub account_id: &'a str,
    /// The account as its owner knows it.
    pub account: &'a str,
    /// What was granted.
    pub scopes: &'a [String],
    /// What less works.
    pub missing: &'a [String],
    /// How long the token lives; `None` = it does not end.
    pub lifetime: Option<Duration>,
    /// When it was given.
    pub at: Timestamp,
    /// Whether it can be renewed.
    pub renewable: bool,
}

/// Writes a new grant in place of an older one.
pub fn put(tx: &Tx<'_>, new: &New<'_>) -> Result<()> {
    let expires_at = new.lifetime.map(|lifetime| new.at.plus(lifetime));
    let renew = new.lifetime.filter(|_| new.renewable).map(|lifetime| renew_at(new.at, lifetime));
    let text = |list: &[String]| serde_json::to_string(list).map_err(anyhow::Error::from);
    tx.prepare_cached(
        "INSERT OR REPLACE INTO sign_in (connection, plan, client_id, redirect_uri, account_id, account, scopes, missing, state, signed_in_at,
           obtained_at, expires_at, renew_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'active', ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        new.flow.connection,
        serde_json::to_string(&new.flow.plan).map_err(anyhow::Error::from)?,
        new.flow.client_id,
        new.flow.redirect_uri,
        new.account_id,
        new.account,
        text(new.scopes)?,
        text(new.missing)?,
        tx.now(),
        new.at,
        expires_at,
        renew
    ])?;
    Ok(())
}

/// A token was renewed: new tokens and their dates, together.
pub fn renewed(
    tx: &Tx<'_>,
    vault: &Vault,
    grant: &Grant,
    tokens: &Tokens,
    lifetime: Option<Duration>,
    scopes: Option<&[String]>,
) -> Result<()> {
    let now = tx.now();
    seal(tx, vault, &grant.connection, &grant.plan, tokens)?;
    let scopes = serde_json::to_string(scopes.unwrap_or(&grant.scopes)).map_err(anyhow::Error::from)?;
    tx.prepare_cached(
        "UPDATE sign_in SET state = 'active', obtained_at = ?2, expires_at = ?3, renew_at = ?4, renewed_at = ?2, attempts = 0, last_error = NULL,
           scopes = ?5 WHERE connection = ?1",
    )?
    .execute(params![
        grant.connection,
        now,
        lifetime.map(|lifetime| now.plus(lifetime)),
        lifetime.map(|lifetime| renew_at(now, lifetime)),
        scopes
    ])?;
    tx.changed(Change::Connection { id: grant.connection.clone() });
    Ok(())
}

/// Renewing failed for a reason that passes by itself.
pub fn postponed(tx: &Tx<'_>, grant: &Grant, why: &str) -> Result<()> {
    let attempts = grant.attempts.saturating_add(1);
    tx.prepare_cached("UPDATE sign_in SET state = 'degraded', attempts = ?2, renew_at = ?3, last_error = ?4 WHERE connection = ?1")?
        .execute(params![grant.connection, attempts, tx.now().plus(wait_after(attempts)), why])?;
    tx.changed(Change::Connection { id: grant.connection.clone() });
    Ok(())
}

/// The grant has ended.
pub fn ended(tx: &Tx<'_>, connection: &ConnectionId, why: &str) -> Result<()> {
    tx.prepare_cached(
        "UPDATE sign_in SET state = 'needs_sign_in', renew_at = NULL, last_error = ?2 WHERE connection = ?1 AND state <> 'signed_out'",
    )?
    .execute(params![connection, why])?;
    tx.changed(Change::Connection { id: connection.clone() });
    Ok(())
}

/// Forgets the tokens and the row.
pub fn forget(tx: &Tx<'_>, vault: &Vault, connection: &ConnectionId) -> Result<()> {
    vault.remove(tx, &owner(connection))?;
    tx.prepare_cached("DELETE FROM sign_in WHERE connection = ?1")?.execute([connection])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_token_is_renewed_some_minutes_or_a_week_before_it_ends() {
        for _ in 0..200 {
            let at = |lifetime: Duration| lifetime - renew_at(NOW, lifetime).since(NOW);
            let hour = at(60 * MINUTE);
            assert!(hour >= 5 * MINUTE && hour <= MINUTE * 11 / 2, "{hour:?} before the end of an hour");
            let twenty = at(20 * MINUTE);
            assert!(twenty >= 2 * MINUTE && twenty <= MINUTE * 11 / 5, "{twenty:?}: a tenth");
            let short = at(5 * MINUTE);
            assert!(short >= MINUTE && short <= MINUTE * 11 / 10, "{short:?}: never less than a minute");
            assert_eq!(at(MINUTE), MINUTE / 2, "and never more than half of its life");
            let months = at(60 * DAY);
            assert!(months >= WEEK && months <= WEEK + 60 * MINUTE, "{months:?} before the end of sixty days");
        }
    }

    #[test]
    fn waits_after_failures_grow_to_half_an_hour_and_are_not_in_step() {
        for (attempts, seconds) in [(1, 5.0), (2, 30.0), (3, 120.0), (4, 600.0), (5, 1800.0), (6, 1800.0), (1000, 1800.0)] {
            let wait = wait_after(attempts).as_secs_f64();
            assert!(wait >= seconds * 0.9 && wait <= seconds * 1.1, "{wait} after {attempts}");
        }
        let several: std::collections::HashSet<Duration> = (0..20).map(|_| wait_after(5)).collect();
        assert!(several.len() > 10, "they differ");
    }
}
