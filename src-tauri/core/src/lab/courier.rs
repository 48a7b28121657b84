//! Carries what a stand-in sends to the hub's own public side, over HTTP and with a signature, as the service would.

use std::time::Duration;

use crate::connector::Request;

/// How often a request is tried; services try for days, the Lab for half a minute.
const ATTEMPTS: u32 = 9;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
const PATIENCE: Duration = Duration::from_secs(20);

/// Calls our hooks.
pub struct Courier(reqwest::Client);

impl Default for Courier {
    #[expect(clippy::disallowed_methods, reason = "it plays the services, which stand outside of our gate and call our own door")]
    fn default() -> Self {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).tls_certs_only([]).timeout(PATIENCE);
        Self(client.build().expect("a client without certificates needs nothing of this computer"))
    }
}

impl Courier {
    /// Sends `request` to `hook` until it is taken. Whether it was.
    pub async fn carry(&self, hook: &str, request: &Request) -> bool {
        let mut pause = FIRST_PAUSE;
        for attempt in 1..=ATTEMPTS {
            let mut call = self.0.post(hook).body(request.body.clone());
            for (name, value) in &request.headers {
                call = call.header(name, value);
            }
            let asked = match call.send().await {
                Ok(answer) if answer.status().is_success() => return true,
                Ok(answer) => {
                    answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok()).map(Duration::from_secs)
                }
                Err(_) => None,
            };
            if attempt < ATTEMPTS {
                tokio::time::sleep(asked.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        false
    }
}
