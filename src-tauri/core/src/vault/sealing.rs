//! The cryptography, in one place: AES-256-GCM for what is kept, Argon2id for a passphrase.
//!
//! A sealed value is `nonce (12) || ciphertext || tag (16)`. The nonce is random for each write; what the value belongs to is the
//! associated data, so a row that was moved to another connection or field does not open.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use anyhow::{Context, anyhow};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

const NONCE: usize = 12;

/// 32 bytes that open everything else. Wiped when dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// A new random key.
    pub fn generate() -> anyhow::Result<Self> {
        let mut bytes = Zeroizing::new([0u8; 32]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|error| anyhow!("the computer has no randomness: {error}"))?;
        Ok(Self(bytes))
    }

    /// From 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0u8; 32]);
        if bytes.len() != key.len() {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    /// The bytes, for the keychain and for wrapping.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Seals `plain` for `place`.
    pub fn seal(&self, place: &str, plain: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut nonce = [0u8; NONCE];
        getrandom::fill(&mut nonce).map_err(|error| anyhow!("the computer has no randomness: {error}"))?;
        self.seal_with(nonce, place, plain)
    }

    fn seal_with(&self, nonce: [u8; NONCE], place: &str, plain: &[u8]) -> anyhow::Result<Vec<u8>> {
        let sealed = self.seal_at(nonce, place.as_bytes(), plain)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Seals `plain` under a nonce that this key never sees again, as the pieces of a file have one by their number.
    pub fn seal_at(&self, nonce: [u8; NONCE], about: &[u8], plain: &[u8]) -> anyhow::Result<Vec<u8>> {
        let cipher = Aes256Gcm::new_from_slice(self.bytes()).map_err(|_| anyhow!("a key has 32 bytes"))?;
        cipher.encrypt(&nonce.into(), Payload { msg: plain, aad: about }).map_err(|_| anyhow!("the value is too long to be sealed"))
    }

    /// Opens what [`Key::seal_at`] sealed.
    pub fn open_at(&self, nonce: [u8; NONCE], about: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let cipher = Aes256Gcm::new_from_slice(self.bytes()).ok()?;
        cipher.decrypt(&nonce.into(), Payload { msg: sealed, aad: about }).ok().map(Zeroizing::new)
    }

    /// Opens what was sealed for `place`; `None` when the key, the place or a single bit is another.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, text) = sealed.split_at_checked(NONCE)?;
        self.open_at(nonce.try_into().ok()?, place.as_bytes(), text)
    }
}

/// What a passphrase costs to try: memory in KiB, rounds, lanes. Kept beside the salt, so that it can grow later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Memory in KiB.
    pub m: u32,
    /// Rounds.
    pub t: u32,
    /// Lanes.
    pub p: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Self { m: 64 * 1024, t: 3, p: 1 }
    }
}

/// The key that a passphrase makes (Argon2id). Takes a good part of a second and 64 MiB: not on an async thread.
pub fn derive(passphrase: &[u8], salt: &[u8], cost: Cost) -> anyhow::Result<Key> {
    let params = argon2::Params::new(cost.m, cost.t, cost.p, Some(32)).map_err(|error| anyhow!("{error}")).context("Argon2 parameters")?;
    let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut bytes = Zeroizing::new([0u8; 32]);
    argon
        .hash_password_into(passphrase, salt, bytes.as_mut_slice())
        .map_err(|error| anyhow!("{error}"))
        .context("derive the passphrase's key")?;
    Ok(Key(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_row_is_byte_for_byte_what_another_library_makes() {
        let key = Key::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap();
        let nonce: [u8; 12] = std::array::from_fn(|n| 100 + n as u8);
        let sealed = key.seal_with(nonce, "shopbell/v1|secret|con_01|bot_token", "123:AAE-ção".as_bytes()).unwrap();
        // Made with Python's `cryptography` (OpenSSL).
        assert_eq!(hex::encode(&sealed), "6465666768696a6b6c6d6e6f7929ed5c38a813b3fdc59c4bb580b1d493a5c6e018a0f18033b441cfb8");
        assert_eq!(key.open("shopbell/v1|secret|con_01|bot_token", &sealed).unwrap().as_slice(), "123:AAE-ção".as_bytes());
        assert!(key.open("shopbell/v1|secret|con_02|bot_token", &sealed).is_none(), "another connection");
        assert!(key.open("shopbell/v1|secret|con_01|webhook_secret", &sealed).is_none(), "another field");
        for n in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[n] ^= 1;
            assert!(key.open("shopbell/v1|secret|con_01|bot_token", &bent).is_none(), "byte {n} was changed");
        }
        assert!(key.open("shopbell/v1|secret|con_01|bot_token", &sealed[..11]).is_none(), "cut short");
    }

    #[test]
    fn the_cipher_agrees_with_nist() {
        // The GCM specification's test case 16 (AES-256 with associated data); the associated data there are not text, hence the call below `seal`.
        let bytes = |text: &str| hex::decode(text).unwrap();
        let cipher = Aes256Gcm::new_from_slice(&bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")).unwrap();
        let plain = bytes(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        );
        let nonce: [u8; 12] = bytes("cafebabefacedbaddecaf888").try_into().unwrap();
        let aad = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let sealed = cipher.encrypt(&nonce.into(), Payload { msg: &plain, aad: &aad }).unwrap();
        assert_eq!(
            hex::encode(sealed),
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662\
             76fc6ece0f4e1768cddf8853bb2d551b"
        );
    }

    #[test]
    fn a_passphrase_makes_the_key_that_the_reference_makes() {
        // Made with the reference implementation of Argon2 (argon2-cffi).
        let salt: Vec<u8> = (0..16).collect();
        let key = derive(b"correct horse", &salt, Cost::default()).unwrap();
        assert_eq!(hex::encode(key.bytes()), "e3c889ca40ed01e6b6771fc8a5bf16e35ad60b41c9bd5d7e6d63adf51e50b0fd");
    }
}
