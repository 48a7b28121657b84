//! Webhooks as they are sent: again and again with growing pauses until somebody takes them.

use std::time::Duration;

use shopbell_core::connector::Request;
use tokio::time::Instant;

use crate::loopback::caller;

/// How long one is tried here; the service tries for seven days.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends a request to a hook until it answers with 200. Gives how often it took.
///
/// # Errors
/// When nobody takes it within a minute.
pub async fn post(hook: &str, request: &Request) -> anyhow::Result<usize> {
    let client = caller();
    let until = Instant::now() + PATIENCE;
    let mut pause = Duration::from_millis(50);
    for attempt in 1.. {
        let mut call = client.post(hook).timeout(PATIENCE).body(request.body.clone());
        for (name, value) in &request.headers {
            call = call.header(name, value);
        }
        let why = match call.send().await {
            // Any other 2xx is not promised to be enough.
            Ok(response) if response.status() == 200 => return Ok(attempt),
            Ok(response) => response.status().to_string(),
            Err(_) => "no answer".to_owned(),
        };
        if Instant::now() + pause > until {
            anyhow::bail!("{hook} did not take a webhook: {why}");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
    Ok(0)
}
