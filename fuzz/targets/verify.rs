//! Nothing that was not signed is let in: who does not know the secret does not find a signature by trying.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(((connector, settings), request)) = shopbell_fuzz::request(data) else { return };
    let Some(channel) = connector.channel() else { return };
    assert!(channel.verify(settings, &request).is_err(), "{}: let in", connector.about().kind);
});
