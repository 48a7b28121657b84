use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use shopbell_core::secret::Secret;
use shopbell_core::tunnel::cloudflared::{Cloudflared, Tunnel};
use shopbell_core::tunnel::{Driver, Hop, child};
use shopbell_tests::hub::PASSPHRASE;
use shopbell_tests::server::Server;
use tokio::sync::mpsc;

/// A program that behaves as cloudflared does: its port for metrics, its log, a child of its own.
const FAKE: &str = r#"#!/usr/bin/env python3
import http.server, json, os, subprocess, sys
args = sys.argv[1:]
folder = os.path.dirname(os.path.abspath(sys.argv[0]))
open(os.path.join(folder, "args"), "w").write("\n".join(args))
inner = subprocess.Popen(["sleep", "600"])
open(os.path.join(folder, "pids"), "w").write(f"{os.getpid()} {inner.pid}")
mode = open(os.path.join(folder, "mode")).read().strip()
if "--token-file" in args:
    open(os.path.join(folder, "token"), "w").write(open(args[args.index("--token-file") + 1]).read())
if mode == "bad":
    print(json.dumps({"level": "error", "message": "Provided Tunnel token is not valid."}), file=sys.stderr, flush=True)
class Metrics(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = {"/ready": {"status": 200, "readyConnections": 1}, "/quicktunnel": {"hostname": "brave-otter.trycloudflare.com"}}.get(self.path)
        self.send_response(200 if body and mode == "good" else 503)
        self.end_headers()
        self.wfile.write(json.dumps(body or {}).encode())
    def log_message(self, *_): pass
host, port = args[args.index("--metrics") + 1].split(":")
http.server.HTTPServer((host, int(port)), Metrics).serve_forever()
"#;

fn fake(folder: &Path, mode: &str) -> PathBuf {
    let program = folder.join("cloudflared");
    std::fs::write(&program, FAKE).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(folder.join("mode"), mode).unwrap();
    program
}

fn pids(folder: &Path) -> Vec<u32> {
    let text = std::fs::read_to_string(folder.join("pids")).unwrap_or_default();
    text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

fn lives(pid: u32) -> bool {
    // A zombie has ended; only nobody has asked for it yet.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.rsplit_once(')').unwrap().1.trim_start().starts_with('Z'))
}

async fn ended(pids: &[u32]) {
    let began = Instant::now();
    while pids.iter().any(|pid| lives(*pid)) {
        assert!(began.elapsed() < Duration::from_secs(10), "still there: {pids:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn driver(program: PathBuf, data: &Path, tunnel: Tunnel) -> Cloudflared {
    Cloudflared { settle: Duration::ZERO, ..Cloudflared::new(program, data, tunnel) }
}

#[tokio::test]
async fn its_name_is_asked_for_and_dropping_it_ends_the_whole_group() {
    let folder = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let driver = driver(fake(folder.path(), "good"), data.path(), Tunnel::Quick);
    let (told, mut addresses) = mpsc::channel(1);
    let running = tokio::spawn(async move { driver.run(([127, 0, 0, 1], 9).into(), told).await });
    assert_eq!(addresses.recv().await.unwrap(), "https://brave-otter.trycloudflare.com");
    let pids = pids(folder.path());
    assert!(pids.len() == 2 && pids.iter().all(|pid| lives(*pid)));
    running.abort();
    ended(&pids).await;
    assert!(!Cloudflared::note(data.path()).exists());
}

#[tokio::test]
async fn a_token_is_in_a_file_of_ours_and_never_on_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let named = Tunnel::Named { token: Secret::new("canary-token-7d1f"), url: "https://shop.example.com".into() };
    let driver = driver(fake(folder.path(), "good"), data.path(), named);
    let (told, mut addresses) = mpsc::channel(1);
    let running = tokio::spawn(async move { driver.run(([127, 0, 0, 1], 9).into(), told).await });
    assert_eq!(addresses.recv().await.unwrap(), "https://shop.example.com");
    assert_eq!(std::fs::read_to_string(folder.path().join("token")).unwrap(), "canary-token-7d1f");
    assert!(!std::fs::read_to_string(folder.path().join("args")).unwrap().contains("canary-token"));
    let mode = std::fs::metadata(data.path().join("tunnel/token")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    running.abort();
}

#[tokio::test]
async fn a_wrong_token_stops_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let named = Tunnel::Named { token: Secret::new("x"), url: "https://shop.example.com".into() };
    let driver = driver(fake(folder.path(), "bad"), data.path(), named);
    let (told, _addresses) = mpsc::channel(1);
    let trouble = tokio::time::timeout(Duration::from_secs(20), driver.run(([127, 0, 0, 1], 9).into(), told)).await.unwrap();
    assert_eq!((trouble.hop, trouble.fatal), (Hop::Token, true));
    ended(&pids(folder.path())).await;
}

#[tokio::test]
async fn what_an_earlier_run_left_behind_is_ended_and_nothing_else() {
    let data = tempfile::tempdir().unwrap();
    let note = data.path().join("note");
    let program = child::on_path("sleep").unwrap();
    let mut left = child::start(&program, &["600".to_owned()], &note).unwrap();
    let pid = left.child().id().unwrap();
    // As after a power cut: nobody dropped it.
    let kept = std::fs::read_to_string(&note).unwrap();
    std::mem::forget(left);
    let (id, born) = kept.split_once(' ').unwrap();
    std::fs::write(&note, format!("{id} {}", born.parse::<u64>().unwrap() + 1)).unwrap();
    child::reap(&note);
    assert!(lives(pid), "another process with the same number is left alone");
    std::fs::write(&note, kept).unwrap();
    child::reap(&note);
    ended(&[pid]).await;
}

#[tokio::test]
async fn it_does_not_outlive_a_hub_that_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let program = fake(folder.path(), "good");
    let mut server = Server::start(directory.path(), PASSPHRASE);
    server.ask("set_tunnel", json!({ "driver": "cloudflare_quick", "program": program.display().to_string() })).await;
    let began = Instant::now();
    while pids(folder.path()).len() < 2 {
        assert!(began.elapsed() < Duration::from_secs(20), "the program was started");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let left = pids(folder.path());
    server.kill();
    ended(&left[..1]).await;
    server.up();
    ended(&left[..1]).await;
    let began = Instant::now();
    while pids(folder.path()).first() == left.first() {
        assert!(began.elapsed() < Duration::from_secs(20), "the next run starts its own");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let now = pids(folder.path());
    server.stop();
    ended(&now[..1]).await;
}
