//! Opens the doors of a hub: takes the ports, tells the hub where it can be reached, and answers until the hub stops.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use axum::Extension;
use serde_json::Value;
use tokio::net::TcpListener;
use url::{Host, Url};

use super::admin::{Admin, Desk, only_loopback};
use super::files::Pages;
use super::hosts::Hosts;
use super::public::{Public, Tunnelled};
use super::serve::{Limits, listen, serve};
use super::sign_in::SignIn;
use crate::error::{ApiError, Code, Error, Result};
use crate::hub::{Hub, Reach};
use crate::say;
use crate::secret::Secret;
use crate::store::DirectoryLock;

/// Where to stand.
pub struct Places {
    /// The admin side; `None` = there is a window instead.
    pub admin: Option<SocketAddr>,
    /// The public side.
    pub public: SocketAddr,
}

/// The ports, taken before anything else happens: two programs on one port would be found out too late otherwise.
pub struct Ports {
    admin: Option<TcpListener>,
    public: TcpListener,
}

impl Ports {
    /// Takes them.
    ///
    /// # Errors
    /// [`Code::PortTaken`]; [`Code::Invalid`] for an admin side that others could reach.
    pub async fn take(places: &Places) -> Result<Self> {
        let admin = match places.admin {
            Some(address) => {
                only_loopback(address)?;
                Some(listen(address).await?)
            }
            None => None,
        };
        Ok(Self { admin, public: listen(places.public).await? })
    }

    /// Takes them for the hub of `directory`. When a port is taken, most often it is this very Shopbell that has it: then it says so.
    ///
    /// # Errors
    /// As [`Ports::take`]; [`Code::AlreadyOpen`] when the directory is open elsewhere too.
    pub async fn take_for(places: &Places, directory: &Path) -> Result<Self> {
        match Self::take(places).await {
            Err(error) if error.code == Code::PortTaken && directory.is_dir() => {
                Err(DirectoryLock::take(directory).err().filter(|other| other.code == Code::AlreadyOpen).unwrap_or(error))
            }
            taken => taken,
        }
    }
}

/// The open doors.
pub struct Doors {
    /// Where the admin side stands.
    pub admin: Option<SocketAddr>,
    /// Where the public side stands.
    pub public: SocketAddr,
    /// Makes sign-in links for browsers; there where the admin side is.
    pub sign_in: Option<Arc<SignIn>>,
    /// The names of the public side; a tunnel adds its own.
    pub hosts: Arc<Hosts>,
}

impl Doors {
    /// A link that signs one browser in, within ten minutes.
    pub fn sign_in_link(&self) -> Option<String> {
        let (address, sign_in) = (self.admin?, self.sign_in.as_ref()?);
        Some(format!("http://{address}/#login={}", sign_in.nonce()))
    }
}

/// Opens the doors of `hub` on `ports` until it stops. `admin` brings the token and the screens of the admin side.
///
/// # Errors
/// What the store says.
pub async fn open(hub: &Arc<Hub>, ports: Ports, public_url: Option<String>, admin: Option<(Secret, Arc<dyn Pages>)>) -> Result<Doors> {
    let public_address = ports.public.local_addr().context("ask for our own address")?;
    let admin_address = ports.admin.as_ref().map(TcpListener::local_addr).transpose().context("ask for our own address")?;
    // A port of its own, so that what comes by the tunnel is told from what anybody on this computer may send.
    let tunnel = listen(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let tunnel_address = tunnel.local_addr().context("ask for our own address")?;
    let hosts = Arc::new(Hosts::of(public_address));
    hub.set_hosts(hosts.clone());
    hub.set_reach(Reach {
        public_url: public_url.clone(),
        public: Some(public_address),
        admin: admin_address,
        tunnel: Some(tunnel_address),
    });
    if let Some(url) = public_url {
        hosts.add(&url);
        hub.tunnel.fix(url);
    }
    let public = Arc::new(Public::new(hub.clone(), hosts.clone()));
    hub.spawn(serve(ports.public, public.clone().router(), Limits::default(), hub.stopping()));
    hub.spawn(serve(tunnel, public.router().layer(Extension(Tunnelled)), Limits::default(), hub.stopping()));
    hub.tunnel.again();
    let mut signs_in = None;
    if let (Some(listener), Some((token, pages)), Some(address)) = (ports.admin, admin, admin_address) {
        let sign_in = SignIn::load(&token, hub.store.clone(), hub.store.clock().clone()).await?;
        let admin = Admin {
            desk: Arc::new(HubDesk(hub.clone())),
            store: hub.store.clone(),
            sign_in: sign_in.clone(),
            pages,
            hosts: Hosts::of(address),
            stop: hub.stopping(),
        };
        hub.spawn(serve(listener, Arc::new(admin).router(), Limits { connections: 128, ..Limits::default() }, hub.stopping()));
        hub.set_sign_in(sign_in.clone());
        signs_in = Some(sign_in);
    }
    Ok(Doors { admin: admin_address, public: public_address, sign_in: signs_in, hosts })
}

/// The hub behind the admin side.
struct HubDesk(Arc<Hub>);

#[async_trait]
impl Desk for HubDesk {
    async fn call(&self, command: &str, request: Value) -> std::result::Result<Value, ApiError> {
        self.0.call(command, request).await
    }

    fn openapi(&self) -> Value {
        crate::api::openapi::document()
    }

    fn language(&self) -> String {
        self.0.language()
    }
}

/// Reads the address under which the public side is reached from outside.
///
/// # Errors
/// A sentence when it is none: services call https, and plain http only on this computer or network.
pub fn public_url(text: &str) -> Result<String> {
    let wrong = || Error::field("public_url", say!("{url} is not a public address. It looks like https://shop.example.com.", url = text));
    let url = Url::parse(text.trim()).map_err(|_| wrong())?;
    let private = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_private(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost") || !name.contains('.'),
        None => return Err(wrong()),
    };
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && private);
    if !scheme || !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// The name of the file in which the admin token is kept.
pub const TOKEN_FILE: &str = "admin-token";

/// The token that an earlier start made in `directory`, or a new one. It is no key to the vault: it opens the admin side, also to unlock
/// the vault, and so it cannot lie inside. Only the owner of the folder may read it.
///
/// # Errors
/// When the folder cannot be written.
pub fn kept_token(directory: &Path) -> Result<Secret> {
    let path = directory.join(TOKEN_FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) if text.trim().len() >= 32 => return Ok(Secret::new(text.trim())),
        Ok(_) => tracing::warn!("The kept admin token was damaged; a new one was made."),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(Error::from(anyhow::Error::new(error).context("read the admin token"))),
    }
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("the computer has no randomness: {error}"))?;
    let token = hex::encode(bytes);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).context("write the admin token")?;
    std::io::Write::write_all(&mut file, token.as_bytes()).and_then(|()| file.sync_all()).context("write the admin token")?;
    Ok(Secret::new(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_is_https_or_near() {
        for (given, read) in [
            ("https://shop.example.com/", "https://shop.example.com"),
            ("https://shop.example.com:8443", "https://shop.example.com:8443"),
            ("https://example.com/shopbell/", "https://example.com/shopbell"),
            ("http://127.0.0.1:7411", "http://127.0.0.1:7411"),
            ("http://localhost:1", "http://localhost:1"),
        ] {
            assert_eq!(public_url(given).unwrap(), read);
        }
        for bad in [
            "",
            "shop.example.com",
            "http://shop.example.com",
            "https://a:b@shop.example.com",
            "https://shop.example.com/?a",
            "ftp://x.y",
            "https://",
        ] {
            assert!(public_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_token_is_made_once_and_is_the_owners_alone() {
        let directory = tempfile::tempdir().unwrap();
        let first = kept_token(directory.path()).unwrap();
        assert_eq!(kept_token(directory.path()).unwrap().reveal(), first.reveal());
        assert_eq!(first.reveal().len(), 64);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(directory.path().join(TOKEN_FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
