//! What both targets share: every channel with the settings of its own simulator.

use std::sync::{Arc, OnceLock};

use shopbell_core::connector::{AnyConnector, Request, Settings};

/// A channel and working settings for it.
pub type Reader = (Arc<dyn AnyConnector>, Settings);

/// Every channel of the catalogue.
pub fn readers() -> &'static [Reader] {
    static READERS: OnceLock<Vec<Reader>> = OnceLock::new();
    READERS.get_or_init(|| {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
        let readers = runtime.block_on(async {
            let mut readers = Vec::new();
            for connector in shopbell_connectors::all().into_iter().filter(|connector| connector.channel().is_some()) {
                let Some(start) = connector.simulator() else { continue };
                let simulator = start().await.expect("a simulator starts");
                let settings = connector.settings(simulator.config()).expect("a simulator's own settings work");
                readers.push((connector, settings));
            }
            readers
        });
        // The simulators' tasks end with it; only their settings are wanted.
        runtime.shutdown_background();
        readers
    })
}

/// The first byte chooses the channel, a zero byte parts headers from body, and each line before it is a header.
pub fn request(data: &[u8]) -> Option<(&'static Reader, Request)> {
    let (first, rest) = data.split_first()?;
    let readers = readers();
    let reader = &readers[usize::from(*first) % readers.len()];
    let (head, body) = rest.split_at(rest.iter().position(|byte| *byte == 0).unwrap_or(0));
    let headers = String::from_utf8_lossy(head)
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut request = Request::pulled(body.strip_prefix(&[0]).unwrap_or(body).to_vec());
    request.headers = headers;
    Some((reader, request))
}
