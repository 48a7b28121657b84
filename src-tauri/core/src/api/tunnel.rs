//! The public address: how it is made, how it is, and which ones there were.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::asked::{Empty, Wrong};
use crate::clock::Timestamp;
use crate::error::{Code, Error, Result};
use crate::gateway::doors::public_url;
use crate::hub::Hub;
use crate::model::Change;
use crate::say;
use crate::secret::Secret;
use crate::tunnel::rows::{self, OWNER, Secrets, Setting, TunnelAddress};
use crate::tunnel::{DriverKind, Hop, Phase, choosing, fetching, ssh};

/// The longest name or address that is kept.
const LONGEST: usize = 500;

/// Whether a secret is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct SecretMark {
    /// It is.
    pub set: bool,
}

/// The public address.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[schemars(rename = "TunnelState")]
#[ts(rename = "TunnelState", optional_fields = nullable)]
pub struct TunnelRow {
    /// How it is made.
    pub driver: DriverKind,
    /// It was named when Shopbell was started, and cannot be changed here.
    pub fixed: bool,
    /// Where it stands.
    pub phase: Phase,
    /// The address that the tunnel has.
    pub url: Option<String>,
    /// The address that services are told; proven, or the owner's own.
    pub public_url: Option<String>,
    /// Where on the way something is wrong.
    pub hop: Option<Hop>,
    /// What is wrong, in a sentence.
    pub trouble: Option<String>,
    /// Since when it stands there.
    pub since_at: Timestamp,
    /// When the address was last proven from outside.
    pub proven_at: Option<Timestamp>,
    /// When it is tried again.
    pub next_try_at: Option<Timestamp>,
    /// What was typed.
    pub settings: TunnelSettings,
    /// The line that lets Shopbell into an SSH server of the owner's.
    pub public_key: Option<String>,
    /// Cloudflare's program.
    pub cloudflared: CloudflaredRow,
    /// The addresses there were, newest first.
    pub history: Vec<TunnelAddress>,
}

/// What was typed for the ways; fields of other ways are kept.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct TunnelSettings {
    /// The owner's own address.
    pub url: String,
    /// The name at ngrok.
    pub domain: String,
    /// The SSH or bore server.
    pub server: String,
    /// The user there.
    pub user: String,
    /// The port there.
    pub remote_port: u16,
    /// Where cloudflared is.
    pub program: String,
    /// It may be fetched.
    pub may_download: bool,
    /// ngrok's authtoken.
    pub authtoken: SecretMark,
    /// The token of a tunnel at Cloudflare.
    pub token: SecretMark,
    /// The password.
    pub password: SecretMark,
}

/// Cloudflare's program.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct CloudflaredRow {
    /// Where it was found.
    pub found: Option<String>,
    /// It can be fetched for this computer.
    pub can_download: bool,
    /// In which version.
    pub version: String,
}

/// Another way to a public address; what is missing stays.
#[derive(Debug, Default, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(optional_fields = nullable)]
pub struct SetTunnel {
    /// Which.
    pub driver: Option<DriverKind>,
    /// The owner's own address; also that of a server or a named tunnel.
    pub url: Option<String>,
    /// The name at ngrok; empty = the account's own.
    pub domain: Option<String>,
    /// The SSH or bore server: a name, or name:port.
    pub server: Option<String>,
    /// The user there.
    pub user: Option<String>,
    /// The port that the server opens; 0 = any.
    pub remote_port: Option<u16>,
    /// Where cloudflared is; empty = wherever this computer has it.
    pub program: Option<String>,
    /// Cloudflared may be fetched.
    pub may_download: Option<bool>,
    /// ngrok's authtoken; empty forgets it.
    #[ts(type = "string | null", optional)]
    pub authtoken: Option<Secret>,
    /// The token of a tunnel at Cloudflare; empty forgets it.
    #[ts(type = "string | null", optional)]
    pub token: Option<Secret>,
    /// The password at a server, or Pinggy's token; empty forgets it.
    #[ts(type = "string | null", optional)]
    pub password: Option<Secret>,
    /// The server's key was changed by its owner: the next one it shows is kept.
    pub trust_host_key: Option<bool>,
}

/// How the public address is.
pub async fn tunnel_state(hub: &Arc<Hub>, _: Empty) -> Result<TunnelRow> {
    let vault = hub.vault.clone();
    let (stored, secrets, history) =
        hub.store.read(move |db| Ok((rows::setting(db)?, rows::secrets(&vault, db)?, rows::addresses(db)?))).await?;
    let (state, reach) = (hub.tunnel.state(), hub.reach());
    let mark = |secret: &Secret| SecretMark { set: !secret.is_empty() };
    let driver = if hub.tunnel.is_fixed() { DriverKind::Own } else { stored.driver };
    Ok(TunnelRow {
        driver,
        fixed: hub.tunnel.is_fixed(),
        phase: state.phase,
        url: state.url,
        public_url: reach.public_url,
        hop: state.trouble.as_ref().map(|trouble| trouble.hop),
        trouble: state.trouble.as_ref().map(|trouble| hub.say(&trouble.sentence)),
        since_at: state.since_at,
        proven_at: state.proven_at,
        next_try_at: state.next_try_at,
        public_key: ssh::public_line(&secrets.key),
        cloudflared: CloudflaredRow {
            found: fetching::found(&stored.program, hub.store.directory()).map(|path| path.display().to_string()),
            can_download: fetching::offer().is_some(),
            version: fetching::VERSION.to_owned(),
        },
        settings: TunnelSettings {
            url: stored.url,
            domain: stored.domain,
            server: stored.server,
            user: stored.user,
            remote_port: stored.remote_port,
            program: stored.program,
            may_download: stored.may_download,
            authtoken: mark(&secrets.authtoken),
            token: mark(&secrets.token),
            password: mark(&secrets.password),
        },
        history,
    })
}

/// Chooses another way to a public address, or tries the present one again.
pub async fn set_tunnel(hub: &Arc<Hub>, request: SetTunnel) -> Result<TunnelRow> {
    if hub.tunnel.is_fixed() {
        return Err(Error::new(
            Code::Conflict,
            say!("The public address was named when Shopbell was started (--public-url). Start it without that to choose here."),
        ));
    }
    let vault = hub.vault.clone();
    let (before, secrets) = hub.store.read(move |db| Ok((rows::setting(db)?, rows::secrets(&vault, db)?))).await?;
    let setting = changed(&before, &request);
    if hub.lab.is_some() && setting.driver != DriverKind::Off {
        return Err(Error::new(Code::Conflict, say!("The Lab stays on this computer and has no public address.")));
    }
    let given = |field: &Option<Secret>, kept: Secret| field.clone().unwrap_or(kept);
    let mut after = Secrets {
        authtoken: given(&request.authtoken, secrets.authtoken),
        token: given(&request.token, secrets.token),
        password: given(&request.password, secrets.password),
        key: secrets.key,
    };
    let new_key = setting.driver == DriverKind::SshServer && after.key.is_empty();
    if new_key {
        after.key = ssh::new_key().map_err(Error::from)?.0;
    }
    check(&setting, &after, hub).map_err(|wrong| *wrong)?;
    let server = choosing::server(&setting, 22).ok().map(|(host, port)| format!("{host}:{port}"));
    let forget = request.trust_host_key == Some(true);
    let vault = hub.vault.clone();
    hub.store
        .write(move |tx| {
            rows::keep(tx, &setting)?;
            for (field, secret, typed) in [
                ("authtoken", &after.authtoken, request.authtoken.is_some()),
                ("token", &after.token, request.token.is_some()),
                ("password", &after.password, request.password.is_some()),
                ("key", &after.key, new_key),
            ] {
                match (typed, secret.is_empty()) {
                    (true, true) => vault.remove_field(tx, OWNER, field)?,
                    (true, false) => vault.seal_into(tx, OWNER, field, secret)?,
                    (false, _) => {}
                }
            }
            if forget {
                for known in [server.as_deref(), Some("localhost.run:22"), Some("a.pinggy.io:443")].into_iter().flatten() {
                    rows::forget_host_key(tx, known)?;
                }
            }
            tx.changed(Change::Settings);
            Ok(())
        })
        .await?;
    hub.tunnel.again();
    tunnel_state(hub, Empty {}).await
}

fn changed(before: &Setting, request: &SetTunnel) -> Setting {
    let text = |field: &Option<String>, kept: &String| field.as_ref().map_or_else(|| kept.clone(), |text| text.trim().to_owned());
    Setting {
        driver: request.driver.unwrap_or(before.driver),
        url: text(&request.url, &before.url),
        domain: text(&request.domain, &before.domain),
        server: text(&request.server, &before.server),
        user: text(&request.user, &before.user),
        remote_port: request.remote_port.unwrap_or(before.remote_port),
        program: text(&request.program, &before.program),
        may_download: request.may_download.unwrap_or(before.may_download),
    }
}

/// Says what is missing at its field, before anything is stored.
fn check(setting: &Setting, secrets: &Secrets, hub: &Hub) -> std::result::Result<(), Box<Error>> {
    let mut wrong = Wrong::default();
    for (field, text) in [
        ("url", &setting.url),
        ("domain", &setting.domain),
        ("server", &setting.server),
        ("user", &setting.user),
        ("program", &setting.program),
    ] {
        wrong.at_most(field, text, LONGEST);
    }
    let needs_address = matches!(setting.driver, DriverKind::Own | DriverKind::CloudflareNamed | DriverKind::SshServer);
    if needs_address && let Err(error) = public_url(&setting.url) {
        wrong.add("url", error.message);
    }
    match setting.driver {
        DriverKind::Off | DriverKind::Own | DriverKind::LocalhostRun | DriverKind::Pinggy => {}
        DriverKind::Ngrok => {
            if secrets.authtoken.reveal().trim().is_empty() {
                wrong.add("authtoken", say!("Type the authtoken of your ngrok account."));
            }
            if setting.domain.contains(['/', ':', ' ']) {
                wrong.add("domain", say!("Type the name alone, as in shop.ngrok-free.app."));
            }
        }
        DriverKind::CloudflareNamed | DriverKind::CloudflareQuick => {
            if setting.driver == DriverKind::CloudflareNamed && secrets.token.reveal().trim().is_empty() {
                wrong.add("token", say!("Type the token of your tunnel at Cloudflare."));
            }
            let there = fetching::found(&setting.program, hub.store.directory()).is_some();
            let fetched = setting.may_download && setting.program.is_empty() && fetching::offer().is_some();
            if !there && !fetched {
                let field = if setting.program.is_empty() { "may_download" } else { "program" };
                wrong.add(field, fetching::by_hand().sentence);
            }
        }
        DriverKind::SshServer | DriverKind::Bore => {
            if let Err(trouble) = choosing::server(setting, 22) {
                wrong.add("server", trouble.sentence);
            }
            if setting.driver == DriverKind::SshServer && setting.user.is_empty() {
                wrong.add("user", say!("Type the user's name at the server."));
            }
            let near = choosing::server(setting, 22).is_ok_and(|(host, _)| public_url(&format!("http://{host}")).is_ok());
            if setting.driver == DriverKind::Bore && !near {
                wrong.add("server", say!("bore does not encrypt. Use it only with a server in your own network."));
            }
        }
    }
    wrong.done().map_err(Box::new)
}
