//! Fetches Cloudflare's program, after its owner agreed, and believes nothing but its hash.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use reqwest::header::HeaderMap;
use sha2::{Digest, Sha256};

use super::{Hop, Trouble, child};
use crate::http::Network;
use crate::say;

/// The version that is fetched.
pub const VERSION: &str = "2026.5.1";
const LARGEST: usize = 96 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(600);

/// A program to fetch: its name among the files of the release, and its SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    name: &'static str,
    sha256: &'static str,
}

/// What there is for this computer; `None` = its owner installs it by hand. (For macOS it comes packed, and Homebrew has it.)
pub fn offer() -> Option<Offer> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => {
            Some(Offer { name: "cloudflared-linux-amd64", sha256: "3c6a5ba995a258dbe90f98e5fdb2c2620b7be72c3ca761614f6eb52aee252cea" })
        }
        ("linux", "aarch64") => {
            Some(Offer { name: "cloudflared-linux-arm64", sha256: "7b7a8b9a2764acab0fecda633cb54a6c0df42d7f8ca1ec45c78333c2227d8d91" })
        }
        ("windows", "x86_64") => Some(Offer {
            name: "cloudflared-windows-amd64.exe",
            sha256: "8b97b5af442651e07c52caa9c79c6f60032bc10b675c2b36dd11c7690d9942e3",
        }),
        _ => None,
    }
}

/// Where a fetched program lies.
pub fn place(data: &Path) -> PathBuf {
    data.join("tunnel").join(if cfg!(windows) { "cloudflared.exe" } else { "cloudflared" })
}

/// The program: where the owner said, on the search path, or fetched before.
pub fn found(typed: &str, data: &Path) -> Option<PathBuf> {
    if !typed.trim().is_empty() {
        return Some(PathBuf::from(typed.trim())).filter(|path| child::is_program(path));
    }
    child::on_path("cloudflared").or_else(|| Some(place(data)).filter(|path| child::is_program(path)))
}

/// Fetches it.
///
/// # Errors
/// When it cannot be fetched, or is another than the one that was looked at when this version of Shopbell was made.
pub async fn fetch(network: &Network, data: &Path) -> Result<PathBuf, Trouble> {
    let offer = offer().ok_or_else(by_hand)?;
    let url = format!("https://github.com/cloudflare/cloudflared/releases/download/{VERSION}/{}", offer.name);
    fetch_from(network, &url, offer.sha256, data, None).await
}

async fn fetch_from(network: &Network, url: &str, sha256: &str, data: &Path, allowed: Option<&str>) -> Result<PathBuf, Trouble> {
    let fetched = network.client(allowed).get_following_within(url, HeaderMap::new(), LARGEST, PATIENCE).await.map_err(|error| {
        tracing::warn!(%error, "cloudflared could not be fetched.");
        Trouble::passing(Hop::Network, say!("The program cloudflared could not be fetched. Check your internet connection."))
    })?;
    if hex::encode(Sha256::digest(&fetched.bytes)) != sha256 {
        return Err(Trouble::fatal(
            Hop::Setting,
            say!(
                "What came is not the program that was asked for, and was thrown away. Install cloudflared by hand, or choose another way."
            ),
        ));
    }
    let path = place(data);
    keep(&path, &fetched.bytes).map_err(|error| {
        tracing::warn!(error = format!("{error:#}"), "cloudflared could not be kept.");
        Trouble::fatal(
            Hop::Store,
            say!("Shopbell cannot write to its folder. Check that the disk is not write-protected and that the folder is yours."),
        )
    })?;
    Ok(path)
}

/// What is said where there is nothing to fetch.
pub fn by_hand() -> Trouble {
    Trouble::fatal(Hop::Setting, say!("The program cloudflared is not on this computer. Install it from Cloudflare, then try again."))
}

fn keep(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().context("the program lies in a folder")?;
    std::fs::create_dir_all(folder)?;
    let part = path.with_extension("part");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o700);
    let mut file = options.open(&part)?;
    std::io::Write::write_all(&mut file, bytes)?;
    file.sync_all()?;
    drop(file);
    Ok(std::fs::rename(&part, path)?)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;

    use super::*;

    #[tokio::test]
    async fn a_program_with_another_hash_is_thrown_away_and_the_right_one_can_be_run() {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/cloudflared", get(|| async { "#!/bin/sh\nexit 0\n" }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let (data, network) = (tempfile::tempdir().unwrap(), Network::new());
        let url = format!("{base}/cloudflared");
        let wrong = fetch_from(&network, &url, &"0".repeat(64), data.path(), Some(&base)).await.unwrap_err();
        assert!(wrong.fatal && found("", data.path()).is_none_or(|path| path != place(data.path())), "nothing was kept");
        let right = hex::encode(Sha256::digest(b"#!/bin/sh\nexit 0\n"));
        let path = fetch_from(&network, &url, &right, data.path(), Some(&base)).await.unwrap();
        assert!(child::is_program(&path));
    }
}
