//! From what the owner chose to the driver that does it.

use std::path::PathBuf;
use std::sync::Arc;

use super::bore::Bore;
use super::cloudflared::{Cloudflared, Tunnel};
use super::ngrok::Ngrok;
use super::own::Own;
use super::rows::{Secrets, Setting};
use super::ssh::{Address, Ssh};
use super::{Driver, DriverKind, Hop, Trouble, fetching};
use crate::gateway::doors::public_url;
use crate::say;
use crate::store::Store;

/// What drivers stand on.
pub struct Ground {
    /// The data directory.
    pub data: PathBuf,
    /// The database.
    pub store: Arc<Store>,
}

/// The driver of a setting. Off has none; the supervisor does not ask for it.
///
/// # Errors
/// When something is missing.
pub fn choose(setting: &Setting, secrets: &Secrets, ground: &Ground) -> Result<Arc<dyn Driver>, Trouble> {
    Ok(match setting.driver {
        DriverKind::Off => return Err(missing()),
        DriverKind::Own => Arc::new(Own { url: address(setting)? }),
        DriverKind::Ngrok if secrets.authtoken.is_empty() => {
            return Err(Trouble::fatal(Hop::Setting, say!("Type the authtoken of your ngrok account.")));
        }
        DriverKind::Ngrok => Arc::new(Ngrok { authtoken: secrets.authtoken.clone(), domain: setting.domain.clone() }),
        DriverKind::CloudflareQuick => Arc::new(cloudflared(setting, ground, Tunnel::Quick)?),
        DriverKind::CloudflareNamed if secrets.token.is_empty() => {
            return Err(Trouble::fatal(Hop::Setting, say!("Type the token of your tunnel at Cloudflare.")));
        }
        DriverKind::CloudflareNamed => {
            let tunnel = Tunnel::Named { token: secrets.token.clone(), url: address(setting)? };
            Arc::new(cloudflared(setting, ground, tunnel)?)
        }
        DriverKind::SshServer => {
            let (host, port) = server(setting, 22)?;
            Arc::new(Ssh {
                host,
                port,
                user: setting.user.trim().to_owned(),
                password: secrets.password.clone(),
                key: secrets.key.clone(),
                // Beside the web server that passes the address on, and not open to everybody.
                bind: "localhost",
                remote_port: setting.remote_port,
                address: Address::Typed(address(setting)?),
                store: ground.store.clone(),
                ..Ssh::localhost_run(crate::secret::Secret::default(), ground.store.clone())
            })
        }
        DriverKind::LocalhostRun => Arc::new(Ssh::localhost_run(crate::secret::Secret::default(), ground.store.clone())),
        DriverKind::Pinggy => Arc::new(Ssh::pinggy(&secrets.password, ground.store.clone())),
        DriverKind::Bore => {
            let (host, _) = server(setting, super::bore::CONTROL_PORT)?;
            Arc::new(Bore { host, remote_port: setting.remote_port, word: secrets.password.clone() })
        }
    })
}

fn missing() -> Trouble {
    Trouble::fatal(Hop::Setting, say!("Choose a way to a public address first."))
}

fn address(setting: &Setting) -> Result<String, Trouble> {
    public_url(&setting.url).map_err(|error| Trouble::fatal(Hop::Setting, error.message))
}

fn cloudflared(setting: &Setting, ground: &Ground, tunnel: Tunnel) -> Result<Cloudflared, Trouble> {
    let program = fetching::found(&setting.program, &ground.data).ok_or_else(fetching::by_hand)?;
    Ok(Cloudflared::new(program, &ground.data, tunnel))
}

/// Host and port of a server as its owner typed it.
pub fn server(setting: &Setting, usual: u16) -> Result<(String, u16), Trouble> {
    let wrong = || Trouble::fatal(Hop::Setting, say!("Type the server as a name, or as name:port."));
    let text = setting.server.trim();
    let url = url::Url::parse(&format!("ssh://{text}")).map_err(|_| wrong())?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    let only = url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    if !only || !matches!(url.path(), "" | "/") {
        return Err(wrong());
    }
    Ok((host.trim_matches(['[', ']']).to_owned(), url.port().unwrap_or(usual)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_name_or_a_name_and_a_port() {
        let read = |text: &str| server(&Setting { server: text.into(), ..Setting::default() }, 22).ok();
        assert_eq!(read("vps.example.com"), Some(("vps.example.com".into(), 22)));
        assert_eq!(read(" vps.example.com:2222 "), Some(("vps.example.com".into(), 2222)));
        assert_eq!(read("[::1]:22"), Some(("::1".into(), 22)));
        for bad in ["", "user@vps.example.com", "vps.example.com/x", "vps.example.com:port", "ssh://vps", "a b"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
