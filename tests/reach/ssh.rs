use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, Session};
use russh::{Channel, ChannelId};
use serde_json::json;
use shopbell_core::gateway::doors::{self, Places, Ports};
use shopbell_core::secret::Secret;
use shopbell_core::tunnel::ssh::{Address, Ssh};
use shopbell_core::tunnel::{Driver, Hop, Phase};
use shopbell_tests::hub::TestHub;
use shopbell_tests::server::free_port;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::scripted::{proven, until};

/// A real OpenSSH server on loopback; ended when dropped.
struct Sshd {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn host_key(folder: &Path) -> PathBuf {
    let path = folder.join("host_key");
    drop(std::fs::remove_file(&path));
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&path).status().unwrap();
    assert!(made.success());
    path
}

impl Sshd {
    /// `None` where OpenSSH's server is not installed.
    fn start() -> Option<Self> {
        if !Path::new("/usr/sbin/sshd").exists() {
            eprintln!("skipped: openssh-server is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all("/run/sshd").ok();
        let port = free_port();
        let child = Self::spawn(folder.path(), port);
        Some(Self { child, folder, port })
    }

    fn spawn(folder: &Path, port: u16) -> Child {
        let config = folder.join("sshd_config");
        let text = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nAuthorizedKeysFile {}\nStrictModes no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nAllowTcpForwarding remote\nPermitRootLogin yes\n",
            host_key(folder).display(),
            folder.join("authorized_keys").display()
        );
        std::fs::write(&config, text).unwrap();
        let child = Command::new("/usr/sbin/sshd").args(["-D", "-e", "-f"]).arg(&config).stderr(Stdio::null()).spawn().unwrap();
        for _ in 0..200 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        child
    }

    /// The same server with another key.
    fn changes_its_key(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = Self::spawn(self.folder.path(), self.port);
    }

    fn lets_in(&self, line: &str) {
        std::fs::write(self.folder.path().join("authorized_keys"), format!("{line}\n")).unwrap();
    }
}

async fn open_doors(hub: &TestHub) {
    let ports = Ports::take(&Places { admin: None, public: ([127, 0, 0, 1], 0).into() }).await.unwrap();
    doors::open(&hub.hub, ports, None, None).await.unwrap();
}

#[tokio::test]
async fn a_real_ssh_server_forwards_to_us_and_another_key_than_the_first_is_refused() {
    let Some(mut sshd) = Sshd::start() else { return };
    let user = std::env::var("USER").unwrap_or_else(|_| "root".into());
    let hub = TestHub::with(Vec::new()).await;
    open_doors(&hub).await;
    let remote = free_port();
    let setting = json!({
        "driver": "ssh_server", "server": format!("127.0.0.1:{}", sshd.port), "user": user,
        "url": format!("http://127.0.0.1:{remote}"), "remote_port": remote,
    });
    let made = hub.ask("set_tunnel", setting).await;
    let failed = until(&hub, "it is not let in", |state| state.phase == Phase::Failed).await;
    assert_eq!(failed.trouble.unwrap().hop, Hop::Token, "its key is not there yet");
    sshd.lets_in(made["public_key"].as_str().unwrap());
    hub.ask("set_tunnel", json!({})).await;
    assert_eq!(proven(&hub, None).await, format!("http://127.0.0.1:{remote}"));
    sshd.changes_its_key();
    // What is open stays open at the old server; the next visit finds the new key.
    hub.hub.tunnel.disturb();
    let failed = until(&hub, "the new key is refused", |state| state.phase == Phase::Failed).await;
    assert!(failed.trouble.unwrap().sentence.to_string().contains("another key"));
    hub.ask("set_tunnel", json!({ "trust_host_key": true })).await;
    proven(&hub, None).await;
}

/// A free service as seen from outside: it lets everybody in, opens any port and says the address in a greeting.
#[derive(Clone)]
struct Service {
    greeting: Arc<Mutex<String>>,
    /// Takes the connection and says nothing any more, not even signs of life.
    silent: Arc<AtomicBool>,
    forwarded: Arc<AtomicU32>,
}

impl Handler for Service {
    type Error = russh::Error;

    async fn auth_none(&mut self, _: &str) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(&mut self, _: Channel<Msg>, reply: ChannelOpenHandle, _: &mut Session) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        let greeting = self.greeting.lock().unwrap().clone();
        session.data(channel, greeting.into_bytes())?;
        Ok(())
    }

    async fn tcpip_forward(&mut self, _: &str, port: &mut u32, session: &mut Session) -> Result<bool, Self::Error> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let bound = u32::from(listener.local_addr()?.port());
        self.forwarded.store(bound, Ordering::SeqCst);
        let (handle, asked) = (session.handle(), *port);
        tokio::spawn(async move {
            while let Ok((mut caller, from)) = listener.accept().await {
                let opened = handle.channel_open_forwarded_tcpip("localhost", asked, from.ip().to_string(), u32::from(from.port())).await;
                let Ok(channel) = opened else { return };
                tokio::spawn(async move {
                    let mut stream = channel.into_stream();
                    drop(tokio::io::copy_bidirectional(&mut caller, &mut stream).await);
                });
            }
        });
        Ok(true)
    }
}

async fn service(greeting: &str) -> (Service, u16) {
    let service = Service { greeting: Arc::new(Mutex::new(greeting.into())), silent: Arc::default(), forwarded: Arc::default() };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]));
    let config = Arc::new(russh::server::Config { keys: vec![key], auth_rejection_time: Duration::ZERO, ..Default::default() });
    let serving = service.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (config, service) = (config.clone(), serving.clone());
            tokio::spawn(async move {
                // A relay that can fall silent without closing, as a computer does that was unplugged.
                let (mut near, far) = tokio::io::duplex(1 << 16);
                let silent = service.silent.clone();
                tokio::spawn(async move {
                    let mut stream = stream;
                    let waits = async {
                        while !silent.load(Ordering::SeqCst) {
                            tokio::time::sleep(Duration::from_millis(10)).await;
                        }
                    };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut stream, &mut near) => {}
                        () = waits => std::future::pending().await,
                    }
                });
                if let Ok(session) = russh::server::run_stream(config, far, service).await {
                    drop(session.await);
                }
            });
        }
    });
    (service, port)
}

fn driver(hub: &TestHub, port: u16) -> Ssh {
    Ssh {
        host: "127.0.0.1".into(),
        port,
        address: Address::Greeted(&["lhr.life"], &[]),
        keepalive: Duration::from_millis(200),
        ..Ssh::localhost_run(Secret::default(), hub.hub.store.clone())
    }
}

#[tokio::test]
async fn the_address_stands_in_the_greeting_of_a_free_service_and_its_callers_arrive() {
    let (service, port) = service("Welcome to https://localhost.run!\r\nabc123.lhr.life tunneled, https://abc123.lhr.life\r\n").await;
    let hub = TestHub::with(Vec::new()).await;
    let door = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (told, mut addresses) = mpsc::channel(1);
    let (driver, address) = (driver(&hub, port), door.local_addr().unwrap());
    let running = tokio::spawn(async move { driver.run(address, told).await });
    assert_eq!(addresses.recv().await.unwrap(), "https://abc123.lhr.life");
    let outside = u16::try_from(service.forwarded.load(Ordering::SeqCst)).unwrap();
    let mut caller = TcpStream::connect(("127.0.0.1", outside)).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut caller, b"hello").await.unwrap();
    let (mut arrived, _) = door.accept().await.unwrap();
    let mut words = [0; 5];
    tokio::io::AsyncReadExt::read_exact(&mut arrived, &mut words).await.unwrap();
    assert_eq!(&words, b"hello");
    running.abort();
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up_after_three_signs_of_life() {
    let (service, port) = service("https://abc123.lhr.life\r\n").await;
    let hub = TestHub::with(Vec::new()).await;
    let (told, mut addresses) = mpsc::channel(1);
    let driver = driver(&hub, port);
    let running = tokio::spawn(async move { driver.run(([127, 0, 0, 1], 9).into(), told).await });
    addresses.recv().await.unwrap();
    service.silent.store(true, Ordering::SeqCst);
    let trouble = tokio::time::timeout(Duration::from_secs(10), running).await.expect("it was given up").unwrap();
    assert_eq!((trouble.hop, trouble.fatal), (Hop::Tunnel, false));
}

#[tokio::test]
async fn a_greeting_without_an_address_of_the_service_is_no_tunnel() {
    let (_, port) = service("https://evil.example\r\nhttps://abc.lhr.life.evil.example\r\n").await;
    let hub = TestHub::with(Vec::new()).await;
    let (told, mut addresses) = mpsc::channel(1);
    let driver = driver(&hub, port);
    let running = tokio::spawn(async move { driver.run(([127, 0, 0, 1], 9).into(), told).await });
    let waited = tokio::time::timeout(Duration::from_secs(1), addresses.recv()).await;
    assert!(waited.is_err(), "nothing is believed");
    running.abort();
}
