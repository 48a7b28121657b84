//! Reading never panics, and reads the same bytes the same way.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(((connector, settings), request)) = shopbell_fuzz::request(data) else { return };
    let Some(channel) = connector.channel() else { return };
    assert_eq!(channel.parse(settings, &request), channel.parse(settings, &request));
});
