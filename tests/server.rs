//! A real `shopbell-server` process, to be asked, killed and started again.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::disallowed_methods,
    reason = "a test drives the process from outside and stops where something is wrong"
)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The token of the admin side.
pub const TOKEN: &str = "canary-token-of-the-admin-side-0123456789";

/// Where a server runs and with what.
pub struct Server {
    directory: PathBuf,
    admin: u16,
    public: u16,
    passphrase: String,
    environment: Vec<(String, String)>,
    around: Vec<String>,
    client: reqwest::Client,
    child: Option<Child>,
    log: PathBuf,
}

/// The program as its sources are now: built, once per test process, into the directory this test was built into.
pub fn program() -> PathBuf {
    static BUILT: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    BUILT
        .get_or_init(|| {
            let exe = std::env::current_exe().unwrap();
            let profile = exe.ancestors().find(|folder| folder.ends_with("debug") || folder.ends_with("release")).unwrap();
            let mut build = Command::new(env!("CARGO"));
            build.args(["build", "--quiet", "-p", "shopbell-server", "--target-dir"]).arg(profile.parent().unwrap());
            if profile.ends_with("release") {
                build.arg("--release");
            }
            let built = build.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
            assert!(built.success(), "shopbell-server must build");
            profile.join("shopbell-server")
        })
        .clone()
}

/// A port nobody uses just now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn new_client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap()
}

impl Server {
    /// A server of `directory`, started and ready.
    pub fn start(directory: &Path, passphrase: &str) -> Self {
        Self::with_environment(directory, passphrase, &[])
    }

    /// One that a command is put around, which ends in running what follows it.
    pub fn inside(around: &[&str], directory: &Path, passphrase: &str) -> Self {
        Self::new(around, directory, passphrase, &[])
    }

    /// The same with more in its environment.
    pub fn with_environment(directory: &Path, passphrase: &str, environment: &[(&str, &str)]) -> Self {
        Self::new(&[], directory, passphrase, environment)
    }

    fn new(around: &[&str], directory: &Path, passphrase: &str, environment: &[(&str, &str)]) -> Self {
        let mut server = Self {
            directory: directory.to_owned(),
            admin: free_port(),
            public: free_port(),
            passphrase: passphrase.to_owned(),
            environment: environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            around: around.iter().map(|word| (*word).to_owned()).collect(),
            client: new_client(),
            child: None,
            log: directory.join("server.log"),
        };
        server.up();
        server
    }

    /// Starts the process and waits for its line.
    pub fn up(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(&self.log).unwrap();
        let program = program();
        let mut command = match self.around.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        let mut child = command
            .args(["--data-dir", self.directory.to_str().unwrap()])
            .args(["--admin", &format!("127.0.0.1:{}", self.admin)])
            .args(["--public", &format!("127.0.0.1:{}", self.public)])
            .env("SHOPBELL_TOKEN", TOKEN)
            .env("SHOPBELL_PASSPHRASE", &self.passphrase)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not ready, see {}: {line}", self.log.display()));
        assert_eq!(ready["ready"], true);
        self.child = Some(child);
        // What the old client kept open led to the process before this one.
        self.client = new_client();
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Ends it as a service manager would; it must be gone in ten seconds with exit code 0.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        let started = Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                assert_eq!(status.code(), Some(0), "SIGTERM ends it with 0");
                return;
            }
            assert!(started.elapsed() < Duration::from_secs(10), "SIGTERM must end it within ten seconds");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The process's number, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// The admin side.
    pub fn admin(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.admin)
    }

    /// The public side.
    pub fn public(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.public)
    }

    /// The client that everything here is asked with.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Asks a command; status and answer.
    pub async fn try_ask(&self, command: &str, request: Value) -> reqwest::Result<(u16, Value)> {
        let answer = self.client.post(self.admin(&format!("/api/v1/{command}"))).bearer_auth(TOKEN).json(&request).send().await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }

    /// Asks a command, and expects an answer.
    pub async fn ask(&self, command: &str, request: Value) -> Value {
        let (status, answer) = self.try_ask(command, request).await.unwrap();
        assert_eq!(status, 200, "{command}: {answer}");
        answer
    }

    /// A new connection: its answer.
    pub async fn connect(&self, connector: &str, config: Value) -> Value {
        self.ask("create_connection", json!({ "connector": connector, "name": connector, "config": config })).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}
