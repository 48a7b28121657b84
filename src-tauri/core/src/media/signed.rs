//! Addresses of files that only whoever was given them can know, for a day.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::clock::Timestamp;
use crate::id::MediaId;

const LIFE: Duration = Duration::from_secs(24 * 3600);

/// Makes and reads such addresses. Its key lives as long as the process: a page that was open meanwhile asks for its messages again.
#[derive(Clone)]
pub struct Signer([u8; 32]);

impl Signer {
    /// A signer with a key of its own.
    pub fn new() -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the computer has randomness");
        Self(key)
    }

    /// `med_….<until>.<signature>`
    pub fn sign(&self, id: &MediaId, now: Timestamp) -> String {
        // To the hour, so that a browser may keep what it has.
        let until = now.plus(LIFE).millis() / 3_600_000;
        let text = format!("{id}.{until}");
        format!("{text}.{}", hex::encode(&self.mac(&text).finalize().into_bytes()[..16]))
    }

    /// The file's id, if the address is ours and not too old.
    pub fn open(&self, signed: &str, now: Timestamp) -> Option<String> {
        let (text, signature) = signed.rsplit_once('.')?;
        let signature = hex::decode(signature).ok()?;
        if signature.len() != 16 {
            return None;
        }
        self.mac(text).verify_truncated_left(&signature).ok()?;
        let (id, until) = text.rsplit_once('.')?;
        (until.parse::<i64>().ok()? >= now.millis() / 3_600_000).then(|| id.to_owned())
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any length is a key");
        mac.update(text.as_bytes());
        mac
    }
}

impl Default for Signer {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_opens_its_own_file_for_a_day() {
        let (signer, now) = (Signer::new(), Timestamp::from_millis(1_763_700_000_000));
        let signed = signer.sign(&MediaId::from("med_1"), now);
        assert_eq!(signer.open(&signed, now).as_deref(), Some("med_1"));
        assert_eq!(signer.open(&signed, now.plus(Duration::from_secs(26 * 3600))), None, "too old");
        assert_eq!(signer.open(&signed.replace("med_1", "med_2"), now), None, "another file");
        assert_eq!(Signer::new().open(&signed, now), None, "another key");
        for bad in ["", ".", "..", "med_1", "med_1.9999999999.", "med_1.9999999999.00"] {
            assert_eq!(signer.open(bad, now), None, "{bad}");
        }
    }
}
