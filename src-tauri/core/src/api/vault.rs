//! The keys' own lock, and how the hub is.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::asked::{Empty, TEXT, Wrong};
use super::backups::{MovedHub, moved_hub};
use super::settings;
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::say;
use crate::secret::Secret;
use crate::store::condition::Condition;
use crate::vault::{self, VaultKind, VaultState};

/// The shortest passphrase.
const SHORTEST: usize = 8;

/// Whether secrets can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "VaultState")]
#[ts(rename = "VaultState")]
pub enum VaultRow {
    /// They can.
    Open,
    /// The vault is closed.
    Locked,
    /// There is no vault yet.
    None,
}

/// How the hub is.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct Health {
    /// The version of Shopbell.
    pub version: String,
    /// Whether secrets can be read.
    pub vault: VaultRow,
    /// What holds the master key; null before the vault is made.
    pub vault_kind: Option<VaultKind>,
    /// Why the vault is closed, in a sentence.
    pub vault_reason: Option<String>,
    /// This computer's keychain can hold the key.
    pub keychain: bool,
    /// The profile.
    pub profile: String,
    /// It is a Lab: customers are played, nobody real is reached.
    pub lab: bool,
    /// Where the data is.
    pub data_dir: String,
    /// Messages come in and are answered.
    pub receiving: bool,
    /// Why not, in a sentence.
    pub receiving_reason: Option<String>,
    /// The first run is over.
    pub first_run_done: bool,
    /// How far it came.
    pub setup_step: u32,
    /// The hub's language.
    pub language: String,
    /// The address that services call, when there is one.
    pub public_url: Option<String>,
    /// What is wrong with the database; null while it is sound.
    pub database: Option<DatabaseTrouble>,
    /// This hub came from another computer; null = it has always been here.
    pub moved: Option<MovedHub>,
}

/// What is wrong with the database.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct DatabaseTrouble {
    /// All of it is still being looked through.
    pub checking: bool,
    /// What was found, in the database's own words.
    pub found: Vec<String>,
    /// The newest backup that was looked through and is whole.
    pub backup: Option<String>,
    /// What happened and how to go on, in words.
    pub way_out: String,
}

/// A way in for one browser.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct LoginLink {
    /// Works once, within ten minutes.
    pub url: String,
}

/// A passphrase for a new vault.
#[derive(Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct CreateVault {
    /// The passphrase; without one the keychain of this computer holds the key.
    #[serde(default)]
    #[ts(type = "string | null", optional)]
    pub passphrase: Option<Secret>,
}

/// The passphrase of the vault.
#[derive(Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct UnlockVault {
    /// The passphrase; without one the keychain is asked again.
    #[serde(default)]
    #[ts(type = "string | null", optional)]
    pub passphrase: Option<Secret>,
}

/// Another passphrase.
#[derive(Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct ChangePassphrase {
    /// The one in force; missing when the keychain alone holds the key.
    #[serde(default)]
    #[ts(type = "string | null", optional)]
    pub old: Option<Secret>,
    /// The new one.
    #[ts(type = "string")]
    pub passphrase: Secret,
}

/// How the hub is. Answers always.
pub async fn health(hub: &Arc<Hub>, _: Empty) -> Result<Health> {
    let state = hub.vault.state();
    // Answers also where the damage of the database lies in these very rows; a hub that is in use is then past its first run.
    let vault_kind = readable(hub.vault.kind().await)?.flatten();
    let shop = readable(hub.store.read(settings::read).await)?;
    let moved = readable(moved_hub(hub).await)?.flatten();
    let working = hub.is_open_for_business();
    let condition = hub.store.condition();
    let receiving_reason = if !state.is_open() {
        Some(say!("Shopbell's keys are locked. Unlock them first."))
    } else if !condition.is_sound() {
        condition.sentence()
    } else if moved.as_ref().is_some_and(|moved| moved.confirmed_at.is_none()) {
        Some(say!("This is a copy from another computer. It stands still until you say that Shopbell is off there."))
    } else if !working {
        Some(say!("Shopbell is starting."))
    } else {
        None
    };
    // The keychain is asked only while somebody has to choose: it may want an answer on the screen.
    let keychain = match (&state, vault_kind) {
        (VaultState::None, _) => hub.vault.keychain_works().await,
        (_, kind) => kind == Some(VaultKind::Keychain),
    };
    let vault_reason = match &state {
        VaultState::Locked { why } => Some(hub.say(why)),
        VaultState::None | VaultState::Open => None,
    };
    Ok(Health {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        vault: match state {
            VaultState::None => VaultRow::None,
            VaultState::Locked { .. } => VaultRow::Locked,
            VaultState::Open => VaultRow::Open,
        },
        vault_kind,
        vault_reason,
        keychain,
        profile: hub.profile.clone(),
        lab: hub.lab.is_some(),
        data_dir: hub.store.directory().display().to_string(),
        receiving: receiving_reason.is_none(),
        receiving_reason: receiving_reason.as_ref().map(|reason| hub.say(reason)),
        first_run_done: shop.as_ref().is_none_or(|shop| shop.first_run_done),
        setup_step: shop.as_ref().map_or(0, |shop| shop.first_run_step),
        language: hub.language(),
        public_url: hub.reach().public_url,
        database: trouble(hub, &condition),
        moved,
    })
}

/// What was read; nothing where the database is damaged in that place.
fn readable<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.code == Code::Corrupt => Ok(None),
        Err(error) => Err(error),
    }
}

fn trouble(hub: &Hub, condition: &Condition) -> Option<DatabaseTrouble> {
    let way_out = hub.say(&condition.sentence()?);
    Some(match condition {
        Condition::Damaged(damage) => DatabaseTrouble {
            checking: false,
            found: damage.found.clone(),
            backup: damage.backup.as_ref().map(|backup| backup.path.display().to_string()),
            way_out,
        },
        Condition::Sound | Condition::Suspect => DatabaseTrouble { checking: true, found: Vec::new(), backup: None, way_out },
    })
}

/// Whether the vault is open.
///
/// # Errors
/// `vault_locked` when it is not.
pub(super) fn must_be_open(hub: &Hub) -> Result<()> {
    if hub.vault.state().is_open() { Ok(()) } else { Err(vault::locked()) }
}

pub(super) fn check_new(passphrase: &Secret) -> Result<()> {
    let mut wrong = Wrong::default();
    wrong.at_most("passphrase", passphrase.reveal(), TEXT);
    if passphrase.reveal().trim().chars().count() < SHORTEST {
        wrong.add("passphrase", say!("A passphrase has at least {least} characters. A few words are easy to keep.", least = SHORTEST));
    }
    wrong.done()
}

/// Makes the vault and opens it.
pub async fn create_vault(hub: &Arc<Hub>, request: CreateVault) -> Result<Health> {
    if let Some(passphrase) = &request.passphrase {
        check_new(passphrase)?;
    }
    hub.vault.create(request.passphrase).await?;
    health(hub, Empty {}).await
}

/// Opens the vault.
pub async fn unlock_vault(hub: &Arc<Hub>, request: UnlockVault) -> Result<Health> {
    match request.passphrase {
        Some(passphrase) => {
            let mut wrong = Wrong::default();
            wrong.at_most("passphrase", passphrase.reveal(), TEXT);
            wrong.done()?;
            hub.vault.unlock(passphrase).await?;
        }
        None => {
            if let VaultState::Locked { why } = hub.vault.open_from_keychain().await? {
                return Err(Error { message: why, ..vault::locked() });
            }
        }
    }
    health(hub, Empty {}).await
}

/// Gives the vault another passphrase.
pub async fn change_passphrase(hub: &Arc<Hub>, request: ChangePassphrase) -> Result<Empty> {
    check_new(&request.passphrase)?;
    hub.vault.change_passphrase(request.old, request.passphrase).await?;
    Ok(Empty {})
}

/// A link that signs one browser in, once, within ten minutes.
pub async fn new_login_link(hub: &Arc<Hub>, _: Empty) -> Result<LoginLink> {
    let url = hub.sign_in_link().ok_or_else(|| Error::new(Code::Conflict, say!("This Shopbell has a window and needs no browser.")))?;
    Ok(LoginLink { url })
}
