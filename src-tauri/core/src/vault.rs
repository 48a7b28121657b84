//! Secrets: rows sealed under one master key that only the keychain holds, or that only a passphrase opens.
//!
//! A stolen database is useless, and a rotated token changes in one transaction with whatever goes with it. The vault is in one of three
//! states: not made yet, locked, open; nothing secret is written before it is open. A value sealed at its making proves at every
//! opening that the key is still the same: an empty or locked keychain never leads to a new key over old rows.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use anyhow::Context;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::clock::Timestamp;
use crate::error::{Code, Error, Result, Sentence};
use crate::model::Change;
use crate::say;
use crate::secret::Secret;
use crate::store::{Store, Tx};

pub mod keychain;
pub(crate) mod sealing;
#[cfg(test)]
mod tests;

pub use keychain::{Keychain, KeychainError, NoKeychain, SystemKeychain};

use sealing::{Cost, Key, derive};

/// How long a keychain may think before the vault counts as locked; a prompt may be answered later, and the owner asks again.
const PATIENCE: Duration = Duration::from_secs(20);
/// The first byte of what the keychain holds; the key follows.
const ENTRY_VERSION: u8 = 1;
const CHECK_PLACE: &str = "shopbell/v1|vault|check";
const CHECK_TEXT: &[u8] = b"the key is the right one";
const WRAPPED_PLACE: &str = "shopbell/v1|vault|wrapped";

/// Whether secrets can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultState {
    /// Not made yet: `create` it.
    None,
    /// Made, but closed.
    Locked {
        /// Why, and what to do.
        why: Sentence,
    },
    /// In use.
    Open,
}

impl VaultState {
    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }
}

/// What holds the master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum VaultKind {
    /// The operating system's keychain.
    Keychain,
    /// A passphrase.
    Passphrase,
}

/// What stands in the `vault` row besides the sealed values.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Params {
    /// The user name of the keychain's entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    keychain_user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    argon2id: Option<Cost>,
}

/// The secrets of one owner.
#[derive(Debug, Default)]
pub struct Kept {
    /// Those that open, by field.
    pub secrets: BTreeMap<String, Secret>,
    /// The fields of those that do not.
    pub damaged: Vec<String>,
}

impl Kept {
    /// All of them.
    ///
    /// # Errors
    /// [`Code::Conflict`] when one is damaged: it must be typed again.
    pub fn whole(self) -> Result<BTreeMap<String, Secret>> {
        if self.damaged.is_empty() { Ok(self.secrets) } else { Err(Error::new(Code::Conflict, damaged())) }
    }
}

/// What is said of a secret that does not open.
pub fn damaged() -> Sentence {
    say!("A stored key or password is damaged. Type it again in the connection's settings.")
}

/// A secret on its way to another computer.
#[derive(Debug)]
pub(crate) struct Carried {
    /// Whose it is.
    pub owner: String,
    /// Which.
    pub field: String,
    /// The value.
    pub secret: Secret,
}

/// How a vault is closed. Says nothing without the passphrase or the keychain.
pub(crate) struct VaultRow(Row);

/// The `vault` row.
#[derive(Clone)]
struct Row {
    kind: VaultKind,
    salt: Option<Vec<u8>>,
    params: Params,
    wrapped: Option<Vec<u8>>,
    sealed_check: Vec<u8>,
}

/// The secrets of one hub.
pub struct Vault {
    store: Arc<Store>,
    keychain: Arc<dyn Keychain>,
    profile: String,
    patience: Duration,
    key: RwLock<Option<Key>>,
    state: watch::Sender<VaultState>,
    /// One derivation at a time: each takes 64 MiB, and guessing stays slow.
    deriving: tokio::sync::Mutex<()>,
}

impl Vault {
    /// The vault of `store`, closed as it is on disk. `profile` names the entry in the keychain when one is made.
    pub async fn load(store: Arc<Store>, keychain: Arc<dyn Keychain>, profile: &str) -> Result<Arc<Self>> {
        Self::load_with(store, keychain, profile, PATIENCE).await
    }

    async fn load_with(store: Arc<Store>, keychain: Arc<dyn Keychain>, profile: &str, patience: Duration) -> Result<Arc<Self>> {
        let state = match store.read(read_row).await? {
            None => VaultState::None,
            Some(row) => closed(row.kind),
        };
        Ok(Arc::new(Self {
            store,
            keychain,
            profile: profile.to_owned(),
            patience,
            key: RwLock::new(None),
            state: watch::channel(state).0,
            deriving: tokio::sync::Mutex::new(()),
        }))
    }

    /// Whether secrets can be read now.
    pub fn state(&self) -> VaultState {
        self.state.borrow().clone()
    }

    /// Hears of every change of state.
    pub fn watch(&self) -> watch::Receiver<VaultState> {
        self.state.subscribe()
    }

    /// What holds the key; `None` before the vault is made.
    pub async fn kind(&self) -> Result<Option<VaultKind>> {
        Ok(self.store.read(read_row).await?.map(|row| row.kind))
    }

    /// Whether this computer has a keychain that keeps a value.
    pub async fn keychain_works(&self) -> bool {
        match keychain::within(&self.keychain, self.patience, keychain::probe).await {
            Ok(()) => true,
            Err(error) => {
                tracing::info!(%error, "The keychain of this computer cannot be used.");
                false
            }
        }
    }

    /// Makes the vault and opens it: under `passphrase`, or in the keychain when there is none.
    ///
    /// # Errors
    /// [`Code::Conflict`] when there is a vault already; [`Code::Invalid`] when the keychain cannot be used or the passphrase is empty.
    pub async fn create(&self, passphrase: Option<Secret>) -> Result<()> {
        let _one_at_a_time = self.deriving.lock().await;
        if self.store.read(|db| Ok(read_row(db)?.is_some() || has_secrets(db)?)).await? {
            return Err(made_already());
        }
        let key = Key::generate().map_err(Error::from)?;
        let row = match passphrase {
            Some(passphrase) => passphrase_row(key.clone(), passphrase).await?,
            None => self.keychain_row(&key).await?,
        };
        self.store
            .write(move |tx| {
                if read_row(tx)?.is_some() {
                    return Err(made_already());
                }
                write_row(tx, &row)
            })
            .await?;
        self.opened(key);
        Ok(())
    }

    async fn keychain_row(&self, key: &Key) -> Result<Row> {
        let hub = self.store.write(hub_id).await?;
        let user = format!("{} {hub}", self.profile);
        let mut entry = zeroize::Zeroizing::new(vec![ENTRY_VERSION]);
        entry.extend_from_slice(key.bytes());
        let name = user.clone();
        keychain::within(&self.keychain, self.patience, move |keychain| {
            keychain::probe(keychain)?;
            keychain.set(&name, &entry)?;
            if keychain.get(&name)?.as_slice() == entry.as_slice() {
                Ok(())
            } else {
                Err(KeychainError::Unusable("it gave back another value".into()))
            }
        })
        .await
        .map_err(|error| {
            Error::field("passphrase", say!("The keychain of this computer cannot be used. Choose a passphrase instead.")).because(error)
        })?;
        Ok(Row {
            kind: VaultKind::Keychain,
            salt: None,
            params: Params { keychain_user: Some(user), argon2id: None },
            wrapped: None,
            sealed_check: key.seal(CHECK_PLACE, CHECK_TEXT).map_err(Error::from)?,
        })
    }

    /// Opens the vault with the key in the keychain, if that is where it is. Gives back the state in which it leaves the vault; a locked
    /// keychain is a state, not an error.
    pub async fn open_from_keychain(&self) -> Result<VaultState> {
        let Some(row) = self.store.read(read_row).await? else { return Ok(self.closed(VaultState::None)) };
        if self.state().is_open() {
            return Ok(VaultState::Open);
        }
        let (VaultKind::Keychain, Some(user)) = (row.kind, row.params.keychain_user.clone()) else {
            return Ok(self.closed(closed(VaultKind::Passphrase)));
        };
        let why = match keychain::within(&self.keychain, self.patience, move |keychain| keychain.get(&user)).await {
            Ok(entry) => {
                match entry.split_first().filter(|(version, _)| **version == ENTRY_VERSION).and_then(|(_, key)| Key::from_bytes(key)) {
                    Some(key) if key.open(CHECK_PLACE, &row.sealed_check).is_some() => {
                        self.opened(key);
                        return Ok(VaultState::Open);
                    }
                    _ => say!(
                        "The keychain holds another key than the one these secrets were sealed with. Restore the keychain of this user."
                    ),
                }
            }
            Err(KeychainError::NoEntry) => {
                say!("The keychain is locked or no longer holds Shopbell's key. Unlock the keychain, then try again.")
            }
            Err(KeychainError::NoAccess(_)) => say!("The keychain is locked. Unlock it, then try again."),
            Err(KeychainError::NoAnswer) => say!("The keychain has not answered yet. Answer its question on the screen, then try again."),
            Err(KeychainError::Unusable(why)) => {
                tracing::warn!(why, "The keychain cannot be used.");
                say!("The keychain of this computer cannot be used at present. Sign in to the computer's desktop, then try again.")
            }
        };
        Ok(self.closed(VaultState::Locked { why }))
    }

    /// Opens the vault with its passphrase.
    ///
    /// # Errors
    /// [`Code::WrongPassphrase`]; [`Code::Conflict`] when it has none.
    pub async fn unlock(&self, passphrase: Secret) -> Result<()> {
        let key = self.key_of(passphrase).await?;
        self.opened(key);
        Ok(())
    }

    async fn key_of(&self, passphrase: Secret) -> Result<Key> {
        let row = self.store.read(read_row).await?;
        let row = row.ok_or_else(|| Error::new(Code::Conflict, say!("There is no vault yet. Make one first.")))?;
        let (Some(salt), Some(cost), Some(wrapped)) = (row.salt, row.params.argon2id, row.wrapped) else {
            return Err(Error::new(Code::Conflict, say!("This vault has no passphrase: the keychain of this computer opens it.")));
        };
        let _one_at_a_time = self.deriving.lock().await;
        let wrapping = derive_off_thread(passphrase, salt, cost).await?;
        let key = wrapping.open(WRAPPED_PLACE, &wrapped).and_then(|bytes| Key::from_bytes(&bytes));
        match key.filter(|key| key.open(CHECK_PLACE, &row.sealed_check).is_some()) {
            Some(key) => Ok(key),
            None => Err(Error::new(Code::WrongPassphrase, say!("The passphrase is not right. Nothing was changed."))),
        }
    }

    /// Gives the open vault another passphrase. A vault in the keychain gets it as a second way in, for the day the keychain is lost.
    ///
    /// # Errors
    /// [`Code::WrongPassphrase`] when `old` is not the one in force; [`Code::VaultLocked`] while the vault is closed.
    pub async fn change_passphrase(&self, old: Option<Secret>, new: Secret) -> Result<()> {
        let key = self.key()?;
        let row = self.store.read(read_row).await?.context("an open vault has a row")?;
        if row.wrapped.is_some() {
            self.key_of(old.unwrap_or_default()).await?;
        }
        let fresh = {
            let _one_at_a_time = self.deriving.lock().await;
            passphrase_row(key, new).await?
        };
        self.store
            .write(move |tx| {
                let mut row = read_row(tx)?.context("an open vault has a row")?;
                row.salt = fresh.salt;
                row.wrapped = fresh.wrapped;
                row.params.argon2id = fresh.params.argon2id;
                write_row(tx, &row)
            })
            .await
    }

    /// Seals `secret` as `field` of `owner` (a connection's id), replacing what was there.
    ///
    /// # Errors
    /// [`Code::VaultLocked`] while the vault is closed.
    pub fn seal_into(&self, tx: &Tx<'_>, owner: &str, field: &str, secret: &Secret) -> Result<()> {
        self.seal_row(tx, owner, field, secret, tx.now())
    }

    fn seal_row(&self, db: &Connection, owner: &str, field: &str, secret: &Secret, now: Timestamp) -> Result<()> {
        let sealed = self.key()?.seal(&place(owner, field), secret.reveal().as_bytes()).map_err(Error::from)?;
        db.prepare_cached("INSERT OR REPLACE INTO secret (owner, field, sealed, set_at) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![owner, field, sealed, now])?;
        Ok(())
    }

    /// Everything that is sealed in `db`, opened, to be taken to another computer; and how many do not open any more.
    ///
    /// # Errors
    /// [`Code::VaultLocked`] while the vault is closed.
    pub(crate) fn take_out(&self, db: &Connection) -> Result<(Vec<Carried>, usize)> {
        let owners: Vec<String> = db
            .prepare("SELECT DISTINCT owner FROM secret ORDER BY owner")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let (mut carried, mut damaged) = (Vec::new(), 0);
        for owner in owners {
            let kept = self.open_all(db, &owner)?;
            damaged += kept.damaged.len();
            carried.extend(kept.secrets.into_iter().map(|(field, secret)| Carried { owner: owner.clone(), field, secret }));
        }
        Ok((carried, damaged))
    }

    /// Makes the vault of `db`, which comes from elsewhere, this very vault, with what was carried there sealed in it.
    ///
    /// # Errors
    /// [`Code::VaultLocked`] while the vault is closed.
    pub(crate) fn move_into(&self, db: &Connection, carried: &[Carried], own: &VaultRow, now: Timestamp) -> Result<()> {
        db.execute("DELETE FROM secret", [])?;
        write_row(db, &own.0)?;
        for Carried { owner, field, secret } in carried {
            self.seal_row(db, owner, field, secret, now)?;
        }
        Ok(())
    }

    /// How this vault is closed, for [`Vault::move_into`].
    ///
    /// # Errors
    /// [`Code::VaultLocked`] before it is made.
    pub(crate) async fn own_row(&self) -> Result<VaultRow> {
        Ok(VaultRow(self.store.read(read_row).await?.ok_or_else(locked)?))
    }

    /// Every secret of `owner`, by field, as far as they open: a damaged one stops its own connection and nothing else.
    ///
    /// # Errors
    /// [`Code::VaultLocked`] while the vault is closed.
    pub fn open_all(&self, db: &Connection, owner: &str) -> Result<Kept> {
        let key = self.key()?;
        let mut statement = db.prepare_cached("SELECT field, sealed FROM secret WHERE owner = ?1")?;
        let rows = statement.query_map([owner], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        let mut kept = Kept::default();
        for row in rows {
            let (field, sealed) = row?;
            match key.open(&place(owner, &field), &sealed).and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()) {
                Some(text) => drop(kept.secrets.insert(field, Secret::new(text))),
                None => {
                    tracing::error!(secret.owner = owner, secret.field = field, "A sealed secret does not open any more.");
                    kept.damaged.push(field);
                }
            }
        }
        Ok(kept)
    }

    /// Which fields of `owner` are set. Needs no key.
    pub fn fields(db: &Connection, owner: &str) -> Result<Vec<String>> {
        let mut statement = db.prepare_cached("SELECT field FROM secret WHERE owner = ?1 ORDER BY field")?;
        Ok(statement.query_map([owner], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    }

    /// Forgets every secret of `owner`. Needs no key.
    pub fn remove(&self, tx: &Tx<'_>, owner: &str) -> Result<()> {
        tx.execute("DELETE FROM secret WHERE owner = ?1", [owner])?;
        Ok(())
    }

    /// Forgets one secret of `owner`. Needs no key.
    pub fn remove_field(&self, tx: &Tx<'_>, owner: &str, field: &str) -> Result<()> {
        tx.execute("DELETE FROM secret WHERE owner = ?1 AND field = ?2", [owner, field])?;
        Ok(())
    }

    fn key(&self) -> Result<Key> {
        self.key.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone().ok_or_else(locked)
    }

    fn opened(&self, key: Key) {
        *self.key.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(key);
        self.state.send_replace(VaultState::Open);
        self.store.changes().announce(vec![Change::Settings]);
        tracing::info!("The vault is open.");
    }

    fn closed(&self, state: VaultState) -> VaultState {
        self.state.send_replace(state.clone());
        state
    }
}

/// What every command that needs a secret answers while the vault is closed.
pub fn locked() -> Error {
    Error::new(Code::VaultLocked, say!("Shopbell's keys are locked. Unlock them first."))
}

fn made_already() -> Error {
    Error::new(Code::Conflict, say!("There is a vault already. Unlock it instead."))
}

fn closed(kind: VaultKind) -> VaultState {
    VaultState::Locked {
        why: match kind {
            VaultKind::Keychain => say!("Waiting for the keychain of this computer."),
            VaultKind::Passphrase => say!("Type the passphrase that was chosen when Shopbell was set up."),
        },
    }
}

/// The associated data of a secret.
fn place(owner: &str, field: &str) -> String {
    format!("shopbell/v1|secret|{owner}|{field}")
}

async fn derive_off_thread(passphrase: Secret, salt: Vec<u8>, cost: Cost) -> Result<Key> {
    let derived = tokio::task::spawn_blocking(move || derive(passphrase.reveal().as_bytes(), &salt, cost)).await;
    Ok(derived.context("the derivation panicked").flatten()?)
}

async fn passphrase_row(key: Key, passphrase: Secret) -> Result<Row> {
    if passphrase.reveal().trim().is_empty() {
        return Err(Error::field("passphrase", say!("Type a passphrase. Write it down: nobody can read these keys without it.")));
    }
    let mut salt = vec![0u8; 16];
    getrandom::fill(&mut salt).map_err(|error| anyhow::anyhow!("the computer has no randomness: {error}"))?;
    let cost = Cost::default();
    let wrapping = derive_off_thread(passphrase, salt.clone(), cost).await?;
    Ok(Row {
        kind: VaultKind::Passphrase,
        salt: Some(salt),
        params: Params { keychain_user: None, argon2id: Some(cost) },
        wrapped: Some(wrapping.seal(WRAPPED_PLACE, key.bytes())?),
        sealed_check: key.seal(CHECK_PLACE, CHECK_TEXT)?,
    })
}

fn has_secrets(db: &Connection) -> Result<bool> {
    Ok(db.query_row("SELECT EXISTS (SELECT 1 FROM secret)", [], |row| row.get(0))?)
}

fn read_row(db: &Connection) -> Result<Option<Row>> {
    let found = db
        .query_row("SELECT kind, salt, params, wrapped, sealed_check FROM vault WHERE one = 1", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, Option<String>>(2)?, row.get(3)?, row.get(4)?))
        })
        .optional()?;
    let Some((kind, salt, params, wrapped, sealed_check)) = found else { return Ok(None) };
    let kind = if kind == "keychain" { VaultKind::Keychain } else { VaultKind::Passphrase };
    let params = serde_json::from_str(params.as_deref().unwrap_or("{}")).context("read the vault's parameters")?;
    Ok(Some(Row { kind, salt, params, wrapped, sealed_check }))
}

fn write_row(db: &Connection, row: &Row) -> Result<()> {
    let kind = match row.kind {
        VaultKind::Keychain => "keychain",
        VaultKind::Passphrase => "passphrase",
    };
    let params = serde_json::to_string(&row.params).context("write the vault's parameters")?;
    db.execute(
        "INSERT OR REPLACE INTO vault (one, kind, salt, params, wrapped, sealed_check) VALUES (1, ?1, ?2, ?3, ?4, ?5)",
        params![kind, row.salt, params, row.wrapped, row.sealed_check],
    )?;
    Ok(())
}

/// This hub's own name, made at first use: two data directories never share an entry in the keychain.
fn hub_id(tx: &Tx<'_>) -> Result<String> {
    let fresh = uuid::Uuid::now_v7().simple().to_string();
    tx.execute("INSERT OR IGNORE INTO setting (key, value) VALUES ('hub_id', ?1)", [fresh])?;
    Ok(tx.query_row("SELECT value FROM setting WHERE key = 'hub_id'", [], |row| row.get(0))?)
}
