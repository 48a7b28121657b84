//! The program as a person or a script starts it: its one line, its exit codes, its end.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

fn server(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shopbell-server"));
    command.arg("--data-dir").arg(directory).args(arguments).env_remove("SHOPBELL_PASSPHRASE").env_remove("SHOPBELL_TOKEN");
    // No desktop session: the keychain of whoever runs the tests is left alone.
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

const FREE: [&str; 4] = ["--admin", "127.0.0.1:0", "--public", "127.0.0.1:0"];

struct Running {
    child: Child,
    line: Value,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { line: serde_json::from_str(&line).unwrap_or_else(|_| panic!("not a line of JSON: {line:?}")), child }
    }

    fn address(&self, side: &str) -> String {
        self.line[side].as_str().unwrap().strip_prefix("http://").unwrap().to_owned()
    }

    fn post(&self, side: &str, path: &str, token: &str) -> String {
        let address = self.address(side);
        let mut socket = TcpStream::connect(&address).unwrap();
        write!(socket, "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Asks it to stop as the system does, and gives its exit code and what it said.
    fn terminate(mut self) -> (Option<i32>, Duration, String) {
        let started = Instant::now();
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let status = self.child.wait().unwrap();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status.code(), started.elapsed(), said)
    }
}

fn fails(mut command: Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    assert!(output.stdout.is_empty(), "nothing on standard output: {}", String::from_utf8_lossy(&output.stdout));
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn it_says_when_it_is_ready_and_ends_when_it_is_told_to() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = server(directory.path(), &FREE);
    command.env("SHOPBELL_PASSPHRASE", "correct horse");
    let running = Running::start(command);
    assert_eq!((running.line["ready"].as_bool(), running.line["vault"].as_str()), (Some(true), Some("open")));
    let token = std::fs::read_to_string(directory.path().join("admin-token")).unwrap();
    assert!(running.post("admin", "/api/v1/list_connections", &token).starts_with("HTTP/1.1 200"));
    assert!(running.post("admin", "/api/v1/list_connections", "wrong").starts_with("HTTP/1.1 401"));
    assert!(running.post("public", "/api/v1/list_connections", &token).starts_with("HTTP/1.1 404"));

    let (code, said) = fails(server(directory.path(), &FREE));
    assert_eq!(code, Some(4), "the folder is in use: {said}");
    let taken = running.address("public");
    let elsewhere = tempfile::tempdir().unwrap();
    let (code, said) = fails(server(elsewhere.path(), &["--admin", "127.0.0.1:0", "--public", &taken]));
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains(&taken), "{said}");

    let (code, took, said) = running.terminate();
    assert_eq!(code, Some(0), "{said}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(said.contains("/#login="), "{said}");
    assert!(!said.contains(&token) && !said.contains("correct horse"), "no secret in the log");

    let mut wrong = server(directory.path(), &FREE);
    wrong.env("SHOPBELL_PASSPHRASE", "wrong horse");
    let (code, said) = fails(wrong);
    assert_eq!((code, said.contains("passphrase")), (Some(3), true), "{said}");

    let file = directory.path().join("words");
    std::fs::write(&file, "correct horse\n").unwrap();
    let again = Running::start(server(directory.path(), &[&FREE[..], &["--passphrase-file", file.to_str().unwrap()]].concat()));
    assert_eq!(again.line["vault"], "open", "a file opens it as well");
    assert_eq!(again.terminate().0, Some(0));

    let db = rusqlite::Connection::open(directory.path().join("shopbell.db")).unwrap();
    db.pragma_update(None, "user_version", 999).unwrap();
    drop(db);
    let (code, said) = fails(server(directory.path(), &FREE));
    assert_eq!((code, said.contains("newer Shopbell")), (Some(4), true), "{said}");
}

#[test]
fn with_neither_keychain_nor_passphrase_it_starts_locked() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = server(directory.path(), &FREE);
    command.env("SHOPBELL_TOKEN", "tok");
    let running = Running::start(command);
    assert_eq!(running.line["vault"], "locked");
    assert!(running.post("public", "/hooks/0123", "").starts_with("HTTP/1.1 503"), "services come again");
    assert!(running.post("admin", "/api/v1/health", "tok").starts_with("HTTP/1.1 200"));
    let refused = running.post("admin", "/api/v1/list_connections", "tok");
    assert!(refused.starts_with("HTTP/1.1 423") && refused.contains("vault_locked"), "{refused}");
    assert_eq!(running.terminate().0, Some(0));
}

#[test]
fn what_cannot_work_is_said_in_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in
        [&["--bogus"][..], &["--admin", "0.0.0.0:0"], &["--public-url", "http://shop.example.com"], &["--profile", "../x"], &["--admin"]]
    {
        let (code, said) = fails(server(directory.path(), arguments));
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
        assert!(said.starts_with("shopbell-server: ") && !said.contains("panicked"), "{said}");
    }
    std::fs::write(directory.path().join("shopbell.db"), vec![7u8; 9000]).unwrap();
    let (code, said) = fails(server(directory.path(), &FREE));
    assert_eq!(code, Some(4), "{said}");
    let file = directory.path().join("a-file");
    std::fs::write(&file, "x").unwrap();
    let (code, said) = fails(server(&file, &FREE));
    assert_eq!(code, Some(4), "{said}");
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let fresh = tempfile::tempdir().unwrap();
    let (code, said) = fails(server(fresh.path(), &["--admin", &address, "--public", "127.0.0.1:0"]));
    assert_eq!(code, Some(5), "{said}");
    assert!(!fresh.path().join("shopbell.db").exists(), "nothing was made on the way");
}
