//! What the vault promises, with a keychain that can be empty, locked, slow or somebody else's.

use std::collections::HashMap;
use std::sync::Mutex;

use zeroize::Zeroizing;

use super::*;
use crate::clock::SystemClock;

/// A keychain in memory that can be made to fail.
#[derive(Default)]
struct FakeKeychain {
    entries: Mutex<HashMap<String, Vec<u8>>>,
    fails: Mutex<Option<KeychainError>>,
    slow: Mutex<Option<Duration>>,
}

impl FakeKeychain {
    fn fail(&self, error: Option<KeychainError>) {
        *self.fails.lock().unwrap() = error;
    }
    fn check(&self) -> Result<(), KeychainError> {
        if let Some(pause) = *self.slow.lock().unwrap() {
            std::thread::sleep(pause);
        }
        self.fails.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

impl Keychain for FakeKeychain {
    fn get(&self, user: &str) -> Result<Zeroizing<Vec<u8>>, KeychainError> {
        self.check()?;
        self.entries.lock().unwrap().get(user).cloned().map(Zeroizing::new).ok_or(KeychainError::NoEntry)
    }
    fn set(&self, user: &str, value: &[u8]) -> Result<(), KeychainError> {
        self.check()?;
        self.entries.lock().unwrap().insert(user.into(), value.into());
        Ok(())
    }
    fn delete(&self, user: &str) -> Result<(), KeychainError> {
        self.check()?;
        self.entries.lock().unwrap().remove(user).map(drop).ok_or(KeychainError::NoEntry)
    }
}

struct World {
    _directory: tempfile::TempDir,
    store: Arc<Store>,
    keychain: Arc<FakeKeychain>,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), Arc::new(SystemClock::new())).unwrap();
        Self { _directory: directory, store, keychain: Arc::default() }
    }

    /// The vault as a new start of the program finds it.
    async fn vault(&self) -> Arc<Vault> {
        Vault::load_with(self.store.clone(), self.keychain.clone(), "default", Duration::from_millis(300)).await.unwrap()
    }

    async fn seal(&self, vault: &Arc<Vault>, owner: &'static str, field: &'static str, text: &'static str) -> Result<()> {
        let vault = vault.clone();
        self.store.write(move |tx| vault.seal_into(tx, owner, field, &Secret::new(text))).await
    }

    async fn open(&self, vault: &Arc<Vault>, owner: &'static str) -> Result<Vec<(String, String)>> {
        let vault = vault.clone();
        let all = self.store.read(move |db| vault.open_all(db, owner)?.whole()).await?;
        Ok(all.into_iter().map(|(field, secret)| (field, secret.reveal().to_owned())).collect())
    }
}

fn pass(text: &str) -> Secret {
    Secret::new(text)
}

fn pair(field: &str, text: &str) -> (String, String) {
    (field.into(), text.into())
}

#[tokio::test]
async fn a_secret_survives_a_restart_through_the_keychain() {
    let world = World::new();
    let vault = world.vault().await;
    assert_eq!(vault.state(), VaultState::None);
    vault.create(None).await.unwrap();
    world.seal(&vault, "con_1", "bot_token", "123:ABC").await.unwrap();
    world.seal(&vault, "con_1", "bot_token", "456:DEF").await.unwrap();
    world.seal(&vault, "con_2", "api_key", "sk-x").await.unwrap();

    let vault = world.vault().await;
    assert!(matches!(vault.state(), VaultState::Locked { .. }));
    assert_eq!(world.open(&vault, "con_1").await.unwrap_err().code, Code::VaultLocked);
    assert_eq!(vault.open_from_keychain().await.unwrap(), VaultState::Open);
    assert_eq!(world.open(&vault, "con_1").await.unwrap(), [pair("bot_token", "456:DEF")], "the last one counts");
    assert_eq!(world.open(&vault, "con_2").await.unwrap(), [pair("api_key", "sk-x")]);
    let fields = world.store.read(|db| Vault::fields(db, "con_1")).await.unwrap();
    assert_eq!(fields, ["bot_token"]);
    let other = vault.clone();
    world.store.write(move |tx| other.remove(tx, "con_1")).await.unwrap();
    assert!(world.open(&vault, "con_1").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_locked_or_emptied_keychain_never_leads_to_a_new_key() {
    let world = World::new();
    let vault = world.vault().await;
    vault.create(None).await.unwrap();
    world.seal(&vault, "con_1", "bot_token", "123:ABC").await.unwrap();
    let kept = world.keychain.entries.lock().unwrap().clone();

    for failure in [KeychainError::NoEntry, KeychainError::NoAccess("locked".into()), KeychainError::Unusable("gone".into())] {
        world.keychain.fail(Some(failure.clone()));
        let vault = world.vault().await;
        assert!(matches!(vault.open_from_keychain().await.unwrap(), VaultState::Locked { .. }), "{failure}");
        assert_eq!(vault.create(None).await.unwrap_err().code, Code::Conflict, "{failure}: a second vault is never made");
        assert_eq!(vault.create(Some(pass("x"))).await.unwrap_err().code, Code::Conflict, "{failure}");
        assert_eq!(world.seal(&vault, "con_1", "bot_token", "new").await.unwrap_err().code, Code::VaultLocked);
    }
    world.keychain.fail(None);
    world.keychain.entries.lock().unwrap().clear();
    let vault = world.vault().await;
    assert!(matches!(vault.open_from_keychain().await.unwrap(), VaultState::Locked { .. }), "an empty keychain");
    let user = kept.keys().next().unwrap().clone();
    world.keychain.entries.lock().unwrap().insert(user, [vec![1], vec![9; 32]].concat());
    assert!(matches!(vault.open_from_keychain().await.unwrap(), VaultState::Locked { .. }), "somebody else's key");

    *world.keychain.entries.lock().unwrap() = kept;
    assert_eq!(vault.open_from_keychain().await.unwrap(), VaultState::Open, "unlocked again, everything is there");
    assert_eq!(world.open(&vault, "con_1").await.unwrap(), [pair("bot_token", "123:ABC")]);
}

#[tokio::test]
async fn secrets_without_a_vault_row_are_not_sealed_over() {
    let world = World::new();
    let vault = world.vault().await;
    vault.create(None).await.unwrap();
    world.seal(&vault, "con_1", "bot_token", "123:ABC").await.unwrap();
    world.store.write(|tx| Ok(tx.execute("DELETE FROM vault", [])?)).await.unwrap();
    let vault = world.vault().await;
    assert_eq!(vault.create(None).await.unwrap_err().code, Code::Conflict);
}

#[tokio::test]
async fn a_keychain_that_waits_for_a_prompt_leaves_the_vault_locked_and_can_be_asked_again() {
    let world = World::new();
    world.vault().await.create(None).await.unwrap();
    let vault = world.vault().await;
    *world.keychain.slow.lock().unwrap() = Some(Duration::from_secs(2));
    let started = std::time::Instant::now();
    assert!(matches!(vault.open_from_keychain().await.unwrap(), VaultState::Locked { .. }));
    assert!(started.elapsed() < Duration::from_secs(1), "nobody waits for a prompt");
    *world.keychain.slow.lock().unwrap() = None;
    assert_eq!(vault.open_from_keychain().await.unwrap(), VaultState::Open);
}

#[tokio::test]
async fn without_a_keychain_a_vault_is_made_only_by_passphrase() {
    let world = World::new();
    world.keychain.fail(Some(KeychainError::Unusable("none".into())));
    let vault = world.vault().await;
    assert!(!vault.keychain_works().await);
    assert_eq!(vault.create(None).await.unwrap_err().code, Code::Invalid);
    assert_eq!(vault.state(), VaultState::None, "nothing was made silently");
    assert_eq!(vault.create(Some(pass("  "))).await.unwrap_err().code, Code::Invalid);
    assert_eq!(world.seal(&vault, "con_1", "bot_token", "x").await.unwrap_err().code, Code::VaultLocked, "no secret before the vault");
    vault.create(Some(pass("correct horse"))).await.unwrap();
    world.seal(&vault, "con_1", "bot_token", "123:ABC").await.unwrap();

    let vault = world.vault().await;
    assert!(matches!(vault.open_from_keychain().await.unwrap(), VaultState::Locked { .. }));
    assert_eq!(vault.unlock(pass("wrong horse")).await.unwrap_err().code, Code::WrongPassphrase);
    assert!(!vault.state().is_open());
    vault.unlock(pass("correct horse")).await.unwrap();
    assert_eq!(world.open(&vault, "con_1").await.unwrap(), [pair("bot_token", "123:ABC")]);
}

#[tokio::test]
async fn a_changed_passphrase_opens_what_the_old_one_sealed() {
    let world = World::new();
    let vault = world.vault().await;
    vault.create(Some(pass("old one"))).await.unwrap();
    world.seal(&vault, "con_1", "k", "v").await.unwrap();
    assert_eq!(vault.change_passphrase(Some(pass("guess")), pass("new one")).await.unwrap_err().code, Code::WrongPassphrase);
    vault.change_passphrase(Some(pass("old one")), pass("new one")).await.unwrap();
    let vault = world.vault().await;
    assert_eq!(vault.unlock(pass("old one")).await.unwrap_err().code, Code::WrongPassphrase);
    vault.unlock(pass("new one")).await.unwrap();
    assert_eq!(world.open(&vault, "con_1").await.unwrap(), [pair("k", "v")]);
}

#[tokio::test]
async fn a_vault_in_the_keychain_may_get_a_passphrase_for_a_bad_day() {
    let world = World::new();
    let vault = world.vault().await;
    vault.create(None).await.unwrap();
    assert_eq!(vault.unlock(pass("x")).await.unwrap_err().code, Code::Conflict, "it has none yet");
    world.seal(&vault, "con_1", "k", "v").await.unwrap();
    vault.change_passphrase(None, pass("bad day")).await.unwrap();
    world.keychain.entries.lock().unwrap().clear();
    let vault = world.vault().await;
    assert!(matches!(vault.open_from_keychain().await.unwrap(), VaultState::Locked { .. }));
    vault.unlock(pass("bad day")).await.unwrap();
    assert_eq!(world.open(&vault, "con_1").await.unwrap(), [pair("k", "v")]);
    assert_eq!(vault.kind().await.unwrap(), Some(VaultKind::Keychain));
}

#[tokio::test]
async fn a_row_moved_to_another_connection_does_not_open() {
    let world = World::new();
    let vault = world.vault().await;
    vault.create(None).await.unwrap();
    world.seal(&vault, "con_1", "api_key", "mine").await.unwrap();
    world.seal(&vault, "con_2", "api_key", "yours").await.unwrap();
    let swap = "UPDATE secret SET owner = CASE owner WHEN 'con_1' THEN 'con_x' ELSE 'con_1' END";
    world.store.write(move |tx| Ok(tx.execute(swap, [])?)).await.unwrap();
    let refused = world.open(&vault, "con_1").await.unwrap_err();
    assert_eq!(refused.code, Code::Conflict, "one damaged secret is no damaged database");
    assert!(world.store.condition().is_sound());
}

#[tokio::test]
async fn nothing_readable_is_on_the_disk() {
    let world = World::new();
    let vault = world.vault().await;
    vault.create(Some(pass("canary-passphrase"))).await.unwrap();
    world.seal(&vault, "con_1", "api_key", "canary-secret").await.unwrap();
    let mut looked_at = 0;
    for entry in std::fs::read_dir(world.store.directory()).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        let bytes = std::fs::read(entry.path()).unwrap();
        looked_at += bytes.len();
        assert!(!bytes.windows(7).any(|window| window == b"canary-"), "{:?} shows a secret", entry.path());
    }
    assert!(looked_at > 10_000, "the database was looked at");
}

/// The real Secret Service, in a session of its own. Said to be skipped where its programs are missing.
#[test]
fn the_keychain_of_this_desktop_keeps_a_key() {
    let there = |program: &str| {
        std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
    };
    if !there("dbus-run-session") || !there("gnome-keyring-daemon") {
        println!("skipped: dbus-run-session and gnome-keyring-daemon are not installed");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let runtime = home.path().join("run");
    std::fs::create_dir(&runtime).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&runtime, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let script = r#"printf testpw | gnome-keyring-daemon --unlock --components=secrets >/dev/null; sleep 0.5; exec "$0" --ignored --exact vault::tests::in_a_desktop_session"#;
    let output = std::process::Command::new("dbus-run-session")
        .args(["--", "sh", "-c", script])
        .arg(std::env::current_exe().unwrap())
        .env("HOME", home.path())
        .env("XDG_DATA_HOME", home.path().join("data"))
        .env("XDG_RUNTIME_DIR", &runtime)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

#[tokio::test]
#[ignore = "run by the_keychain_of_this_desktop_keeps_a_key, inside a desktop session"]
async fn in_a_desktop_session() {
    let world = World::new();
    let real = || Vault::load(world.store.clone(), Arc::new(SystemKeychain), "test");
    let vault = real().await.unwrap();
    assert!(vault.keychain_works().await);
    vault.create(None).await.unwrap();
    world.seal(&vault, "con_1", "k", "v").await.unwrap();
    let vault = real().await.unwrap();
    assert_eq!(vault.open_from_keychain().await.unwrap(), VaultState::Open);
    assert_eq!(world.open(&vault, "con_1").await.unwrap(), [pair("k", "v")]);
}
