//! What is kept of the public address: the way that was chosen, its secrets (in the vault), the addresses there were, the keys of servers.

use rusqlite::{Connection, OptionalExtension, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::DriverKind;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::secret::Secret;
use crate::store::Tx;
use crate::vault::Vault;

/// Whose secrets they are, in the vault.
pub const OWNER: &str = "tunnel";
/// How many addresses are remembered.
const KEPT: i64 = 50;

/// The way that was chosen, without its secrets. Fields of other ways are kept, so that going back to one needs no typing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Setting {
    /// Which.
    pub driver: DriverKind,
    /// The owner's own address; also the one under which an own SSH server or a named tunnel is called.
    pub url: String,
    /// The name at ngrok; empty = the account's own.
    pub domain: String,
    /// The SSH or bore server: `host` or `host:port`.
    pub server: String,
    /// The user there.
    pub user: String,
    /// The port that the server opens for us; 0 = any.
    pub remote_port: u16,
    /// Where the program cloudflared is; empty = wherever this computer has it.
    pub program: String,
    /// The owner let Shopbell fetch that program.
    pub may_download: bool,
}

/// The secrets of the ways.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// ngrok's authtoken.
    pub authtoken: Secret,
    /// The token of a named tunnel at Cloudflare.
    pub token: Secret,
    /// The password at an SSH server, Pinggy's token, the word of a bore server.
    pub password: Secret,
    /// Our own key for SSH servers (OpenSSH format).
    pub key: Secret,
}

/// The names of the secrets in the vault.
pub const FIELDS: [&str; 4] = ["authtoken", "token", "password", "key"];

/// An address there was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct TunnelAddress {
    /// How it was made.
    pub driver: DriverKind,
    /// The address.
    pub url: String,
    /// Since when.
    pub from_at: Timestamp,
    /// When it was last known to work.
    pub last_at: Timestamp,
    /// How many requests came by it.
    #[ts(type = "number")]
    pub requests: i64,
    /// How much came in, in bytes.
    #[ts(type = "number")]
    pub bytes_in: i64,
    /// How much went out, in bytes.
    #[ts(type = "number")]
    pub bytes_out: i64,
}

/// Reads the setting; none was made = off.
pub fn setting(db: &Connection) -> Result<Setting> {
    let text: Option<String> = db.query_row("SELECT settings FROM tunnel WHERE one = 1", [], |row| row.get(0)).optional()?;
    Ok(match text {
        Some(text) => serde_json::from_str(&text).map_err(anyhow::Error::from)?,
        None => Setting::default(),
    })
}

/// Keeps the setting.
pub fn keep(tx: &Tx<'_>, setting: &Setting) -> Result<()> {
    let text = serde_json::to_string(setting).map_err(anyhow::Error::from)?;
    tx.execute(
        "INSERT OR REPLACE INTO tunnel (one, driver, settings, set_at) VALUES (1, ?1, ?2, ?3)",
        params![setting.driver.name(), text, tx.now()],
    )?;
    Ok(())
}

/// Reads the secrets.
///
/// # Errors
/// [`crate::error::Code::VaultLocked`] while the vault is closed.
pub fn secrets(vault: &Vault, db: &Connection) -> Result<Secrets> {
    let mut kept = vault.open_all(db, OWNER)?.secrets;
    let mut take = |field: &str| kept.remove(field).unwrap_or_default();
    Ok(Secrets { authtoken: take("authtoken"), token: take("token"), password: take("password"), key: take("key") })
}

/// Notes an address that works from now on; the same as the last one goes on.
pub fn note_address(tx: &Tx<'_>, driver: DriverKind, url: &str) -> Result<i64> {
    let last: Option<(i64, String, String)> = tx
        .query_row("SELECT id, driver, url FROM tunnel_address ORDER BY id DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    if let Some((id, was, there)) = last
        && was == driver.name()
        && there == url
    {
        tx.execute("UPDATE tunnel_address SET last_at = ?2 WHERE id = ?1", params![id, tx.now()])?;
        return Ok(id);
    }
    tx.execute(
        "INSERT INTO tunnel_address (driver, url, from_at, last_at) VALUES (?1, ?2, ?3, ?3)",
        params![driver.name(), url, tx.now()],
    )?;
    let id = tx.last_insert_rowid();
    tx.execute("DELETE FROM tunnel_address WHERE id <= ?1", [id - KEPT])?;
    Ok(id)
}

/// Adds what was carried, and that the address worked until now.
pub fn add_traffic(tx: &Tx<'_>, address: i64, requests: u64, bytes_in: u64, bytes_out: u64) -> Result<()> {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    tx.execute(
        "UPDATE tunnel_address SET last_at = ?2, requests = requests + ?3, bytes_in = bytes_in + ?4, bytes_out = bytes_out + ?5 WHERE id = ?1",
        params![address, tx.now(), number(requests), number(bytes_in), number(bytes_out)],
    )?;
    Ok(())
}

/// The addresses there were, newest first.
pub fn addresses(db: &Connection) -> Result<Vec<TunnelAddress>> {
    let mut statement = db.prepare_cached(
        "SELECT driver, url, from_at, last_at, requests, bytes_in, bytes_out FROM tunnel_address ORDER BY id DESC LIMIT 50",
    )?;
    let rows = statement.query_map([], |row| {
        let name: String = row.get(0)?;
        let driver = DriverKind::ALL.into_iter().find(|kind| kind.name() == name).unwrap_or_default();
        Ok(TunnelAddress {
            driver,
            url: row.get(1)?,
            from_at: row.get(2)?,
            last_at: row.get(3)?,
            requests: row.get(4)?,
            bytes_in: row.get(5)?,
            bytes_out: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The key that a server showed at the first visit.
pub fn host_key(db: &Connection, server: &str) -> Result<Option<String>> {
    Ok(db.query_row("SELECT fingerprint FROM tunnel_host_key WHERE server = ?1", [server], |row| row.get(0)).optional()?)
}

/// Keeps the key of a server; the first one stays.
pub fn pin_host_key(tx: &Tx<'_>, server: &str, fingerprint: &str) -> Result<()> {
    tx.execute(
        "INSERT OR IGNORE INTO tunnel_host_key (server, fingerprint, seen_at) VALUES (?1, ?2, ?3)",
        params![server, fingerprint, tx.now()],
    )?;
    Ok(())
}

/// Forgets the key of a server: the owner says that it was changed.
pub fn forget_host_key(tx: &Tx<'_>, server: &str) -> Result<()> {
    tx.execute("DELETE FROM tunnel_host_key WHERE server = ?1", [server])?;
    Ok(())
}
