//! `make bench`: how fast the hub is, as ratios against bare servers measured in the same run.
//!
//! Absolute times of a shared machine mean little; a ratio to a server that does the least possible thing on the same machine, in the
//! same minute, with the same client, means something. Every server runs as a process of its own (this program with `--serve`).

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench drives processes from outside and prints what it found"
)]

use std::time::{Duration, Instant};

mod bare;
mod load;
mod ours;
mod pipe;
mod report;

use load::{Load, update};
use report::Report;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match arguments.iter().position(|argument| argument == "--serve").map(|at| arguments[at + 1].as_str()) {
        Some("group") => runtime.block_on(bare::serve(bare::Commit::Grouped)),
        Some("single") => runtime.block_on(bare::serve(bare::Commit::Each)),
        Some("pipe") => runtime.block_on(pipe::serve(&arguments[arguments.len() - 1])),
        Some("hub") => runtime.block_on(ours::serve(&arguments[arguments.len() - 1])),
        Some(other) => panic!("nothing called {other}"),
        None => runtime.block_on(bench(&arguments)),
    }
}

async fn bench(arguments: &[String]) {
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let mut report = Report::default();
    arrivals(&mut report, if quick { 4_000 } else { 30_000 }).await;
    steady(&mut report, if quick { 400 } else { 3_000 }).await;
    answers(&mut report, if quick { 100 } else { 600 }, if quick { 200 } else { 1_000 }).await;
    start_and_memory(&mut report).await;
    report.print();
}

/// Webhooks per second, each durable before its 200; and through to a searchable inbox.
async fn arrivals(report: &mut Report, count: usize) {
    let mut rates = Vec::new();
    for kind in ["group", "single"] {
        let server = ours::Served::start(kind, "").await;
        let count = if kind == "single" { count / 4 } else { count };
        let took = Load::new(64).run(&server.hook, (0..count).map(|n| update(n, n % 500)).collect()).await;
        rates.push(count as f64 / took.as_secs_f64());
        server.end().await;
    }
    let server = ours::Served::start("hub", "").await;
    let started = Instant::now();
    let took = Load::new(64).run(&server.hook, (0..count).map(|n| update(n, n % 500)).collect()).await;
    let ours = count as f64 / took.as_secs_f64();
    server.wait_for_messages(count).await;
    let through = count as f64 / started.elapsed().as_secs_f64();
    server.end().await;
    report.line("webhooks/s durable, bare group commit", rates[0], "1/s", None);
    report.line("webhooks/s durable, one commit each", rates[1], "1/s", Some((rates[1] / rates[0], "of group commit")));
    report.goal("webhooks/s durable, Shopbell", ours, "1/s", ours / rates[0], "of bare group commit", 0.5, true);
    report.line("  against one commit each", ours / rates[1], "×", None);
    report.goal("through to a searchable inbox", through, "1/s", through / rates[0], "of bare group commit", 0.15, true);
}

/// Latency at 200 webhooks per second.
async fn steady(report: &mut Report, count: usize) {
    let mut both = Vec::new();
    for kind in ["group", "hub"] {
        let server = ours::Served::start(kind, "").await;
        let latencies = Load::new(16).paced(&server.hook, (0..count).map(|n| update(n, n % 200)).collect(), Duration::from_millis(5)).await;
        both.push((load::percentile(&latencies, 50), load::percentile(&latencies, 99)));
        server.end().await;
    }
    report.line("200/s, bare group commit: p50", both[0].0, "ms", None);
    report.line("200/s, bare group commit: p99", both[0].1, "ms", None);
    report.goal("200/s, Shopbell: p50", both[1].0, "ms", both[1].0 / both[0].0, "× bare", 2.0, false);
    report.goal("200/s, Shopbell: p99", both[1].1, "ms", both[1].1 / both[0].1, "× bare", 3.0, false);
}

/// From a webhook in to the provider's call out with an instant model, and a burst of people.
async fn answers(report: &mut Report, one_by_one: usize, people: usize) {
    let mut found = Vec::new();
    for kind in ["pipe", "hub"] {
        let provider = pipe::Provider::start().await;
        let server = ours::Served::start(kind, &provider.base_url()).await;
        let latencies = provider.one_by_one(&server.hook, one_by_one).await;
        let burst = provider.burst(&server.hook, people).await;
        found.push((load::percentile(&latencies, 50), load::percentile(&latencies, 99), burst));
        server.end().await;
    }
    let (bare, ours) = (&found[0], &found[1]);
    report.line("webhook in → call out, bare pipe: p50", bare.0, "ms", None);
    report.goal("webhook in → call out, Shopbell: p50", ours.0, "ms", ours.0 / bare.0, "× bare pipe", 4.0, false);
    report.line("webhook in → call out, Shopbell: p99", ours.1, "ms", Some((ours.1 / bare.1, "× bare pipe")));
    report.line("replies/s after a burst, bare pipe", bare.2.rate, "1/s", None);
    report.goal("replies/s after a burst, Shopbell", ours.2.rate, "1/s", ours.2.rate / bare.2.rate, "of bare pipe", 0.1, true);
    report.must("people answered exactly once", ours.2.once, people);
}

/// The real program: how soon it is ready, and what it takes when nothing happens.
async fn start_and_memory(report: &mut Report) {
    let directory = tempfile::tempdir().unwrap();
    // The first start makes the database and derives the key; the second is the usual one.
    let mut server = shopbell_tests::server::Server::start(directory.path(), "bench");
    server.stop();
    let started = Instant::now();
    server.up();
    let ready = started.elapsed().as_secs_f64() * 1000.0;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let rss = report::resident_mib(server.pid().unwrap());
    let bare_rss = {
        let bare = ours::Served::start("group", "").await;
        let rss = report::resident_mib(bare.pid());
        bare.end().await;
        rss
    };
    server.stop();
    report.goal("cold start to ready (passphrase vault)", ready, "ms", ready, "ms", 300.0, false);
    report.goal("idle memory of shopbell-server", rss, "MiB", rss, "MiB", 30.0, false);
    report.line("  bare group commit server", bare_rss, "MiB", Some((rss / bare_rss, "× bare")));
}
