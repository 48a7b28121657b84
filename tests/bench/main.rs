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
mod connectors;
mod inbox;
mod load;
mod ours;
mod pipe;
mod report;

use load::{Load, update};
use report::Report;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let towards = arguments.last().and_then(|argument| pipe::Towards::read(argument));
    match arguments.iter().position(|argument| argument == "--serve").map(|at| arguments[at + 1].as_str()) {
        Some("group") => runtime.block_on(bare::serve(bare::Commit::Grouped)),
        Some("single") => runtime.block_on(bare::serve(bare::Commit::Each)),
        Some("pipe") => runtime.block_on(pipe::serve(&towards.expect("the pipe calls somebody"))),
        Some("hub") => runtime.block_on(ours::serve(towards)),
        Some(other) => panic!("nothing called {other}"),
        None => runtime.block_on(bench(&arguments)),
    }
}

/// How much of everything.
struct Scale {
    /// Webhooks as fast as they go.
    flood: usize,
    /// Webhooks at 200 a second.
    steady: usize,
    /// People one after the other.
    one_by_one: usize,
    /// People at once.
    people: usize,
    /// How often ours and the bare server take turns.
    rounds: usize,
}

async fn bench(arguments: &[String]) {
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let scale = if quick {
        Scale { flood: 8_000, steady: 400, one_by_one: 100, people: 1_000, rounds: 1 }
    } else {
        Scale { flood: 30_000, steady: 2_000, one_by_one: 400, people: 1_000, rounds: 5 }
    };
    let only = arguments.iter().position(|argument| argument == "--only").map(|at| arguments[at + 1].as_str());
    let wanted = |part: &str| only.is_none_or(|only| only == part);
    let mut report = Report::default();
    if wanted("arrivals") {
        arrivals(&mut report, &scale).await;
    }
    if wanted("steady") {
        steady(&mut report, &scale).await;
    }
    if wanted("answers") {
        answers(&mut report, &scale).await;
    }
    if wanted("connectors") {
        connectors::connectors(&report, scale.rounds).await;
    }
    if wanted("inbox") && !quick {
        inbox::inbox(&mut report, 1_000_000).await;
    }
    if wanted("start") {
        start_and_memory(&mut report).await;
    }
    report.print();
}

/// The kinds of server in the order of a round: they take turns, so that what else happens on the machine hits both.
fn turns(round: usize, kinds: [&'static str; 2]) -> [&'static str; 2] {
    if round.is_multiple_of(2) { kinds } else { [kinds[1], kinds[0]] }
}

/// Webhooks per second, each durable before its 200; and through to a searchable inbox.
async fn arrivals(report: &mut Report, scale: &Scale) {
    let flood = |count: usize| (0..count).map(|n| update(n, n % 500)).collect();
    let (mut group, mut durable, mut through) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..scale.rounds {
        for kind in turns(round, ["group", "hub"]) {
            let server = ours::Served::start(kind, "").await;
            let bodies = flood(scale.flood);
            let started = Instant::now();
            let took = Load::new(64).run(&server.hook, bodies).await;
            let rate = scale.flood as f64 / took.as_secs_f64();
            if kind == "hub" {
                durable.push(rate);
                server.wait_for_messages(scale.flood).await;
                through.push(scale.flood as f64 / started.elapsed().as_secs_f64());
            } else {
                group.push(rate);
            }
            server.end().await;
        }
    }
    let single = {
        let server = ours::Served::start("single", "").await;
        let took = Load::new(64).run(&server.hook, flood(scale.flood / 4)).await;
        server.end().await;
        (scale.flood / 4) as f64 / took.as_secs_f64()
    };
    let [bare, ours, inbox] = [&group, &durable, &through].map(|rates| load::percentile(rates, 50));
    report.line("webhooks/s durable, bare group commit", bare, "1/s", None);
    report.line("webhooks/s durable, one commit each", single, "1/s", Some((single / bare, "of group commit")));
    report.goal("webhooks/s durable, Shopbell", ours, "1/s", ratio(&durable, &group), "of bare group commit", 0.5, true);
    report.line("  against one commit each", ours / single, "×", None);
    report.goal("through to a searchable inbox", inbox, "1/s", ratio(&through, &group), "of bare group commit", 0.15, true);
}

/// The median over the rounds of ours to theirs.
fn ratio(ours: &[f64], theirs: &[f64]) -> f64 {
    load::percentile(&ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect::<Vec<_>>(), 50)
}

/// Latency at 200 webhooks per second.
async fn steady(report: &mut Report, scale: &Scale) {
    let mut found: [[Vec<f64>; 2]; 2] = Default::default();
    for round in 0..scale.rounds {
        for kind in turns(round, ["group", "hub"]) {
            let server = ours::Served::start(kind, "").await;
            let bodies = (0..scale.steady).map(|n| update(n, n % 200)).collect();
            let latencies = Load::new(16).paced(&server.hook, bodies, Duration::from_millis(5)).await;
            let of = &mut found[usize::from(kind == "hub")];
            of[0].push(load::percentile(&latencies, 50));
            of[1].push(load::percentile(&latencies, 99));
            server.end().await;
        }
    }
    let [bare, ours] = &found;
    let median = |values: &[f64]| load::percentile(values, 50);
    report.line("200/s, bare group commit: p50", median(&bare[0]), "ms", None);
    report.line("200/s, bare group commit: p99", median(&bare[1]), "ms", None);
    report.goal("200/s, Shopbell: p50", median(&ours[0]), "ms", ratio(&ours[0], &bare[0]), "× bare", 2.0, false);
    report.goal("200/s, Shopbell: p99", median(&ours[1]), "ms", ratio(&ours[1], &bare[1]), "× bare", 3.0, false);
}

/// What one kind of server came to with answers.
#[derive(Default)]
struct Answered {
    p50: Vec<f64>,
    p99: Vec<f64>,
    /// Replies per second after a burst.
    rate: Vec<f64>,
    /// Calls out for each person who came alone.
    calls: Vec<f64>,
    /// The fewest people of a burst who were answered exactly once.
    once: usize,
}

/// From a webhook in to the provider's call out with an instant model, and a burst of people.
async fn answers(report: &mut Report, scale: &Scale) {
    let mut found: [Answered; 2] = Default::default();
    found.iter_mut().for_each(|answered| answered.once = usize::MAX);
    for round in 0..scale.rounds {
        for kind in turns(round, ["pipe", "hub"]) {
            let world = pipe::World::start().await;
            let server = ours::Served::start(kind, &world.towards().argument()).await;
            let of = &mut found[usize::from(kind == "hub")];
            // Both have their connections open when it counts.
            world.one_by_one(&server.hook, 0..20).await;
            let before = world.calls();
            let latencies = world.one_by_one(&server.hook, 1_000..1_000 + scale.one_by_one).await;
            of.calls.push((world.calls() - before) as f64 / scale.one_by_one as f64);
            of.p50.push(load::percentile(&latencies, 50));
            of.p99.push(load::percentile(&latencies, 99));
            let burst = world.burst(&server.hook, scale.people).await;
            of.rate.push(burst.rate);
            of.once = of.once.min(burst.once);
            server.end().await;
        }
    }
    let [bare, ours] = &found;
    let median = |values: &[f64]| load::percentile(values, 50);
    report.line("calls out for an answer, bare pipe", median(&bare.calls), "", None);
    report.line("calls out for an answer, Shopbell", median(&ours.calls), "", None);
    report.line("webhook in → call out, bare pipe: p50", median(&bare.p50), "ms", None);
    report.goal("webhook in → call out, Shopbell: p50", median(&ours.p50), "ms", ratio(&ours.p50, &bare.p50), "× bare pipe", 4.0, false);
    report.line("webhook in → call out, bare pipe: p99", median(&bare.p99), "ms", None);
    report.line("webhook in → call out, Shopbell: p99", median(&ours.p99), "ms", Some((ratio(&ours.p99, &bare.p99), "× bare pipe")));
    report.line("replies/s after a burst, bare pipe", median(&bare.rate), "1/s", None);
    report.goal("replies/s after a burst, Shopbell", median(&ours.rate), "1/s", ratio(&ours.rate, &bare.rate), "of bare pipe", 0.1, true);
    report.must("people answered exactly once", ours.once, scale.people);
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
