//! How fast each channel checks and reads what its service sends, against the one thing nobody can do without: an HMAC of the same bytes.

use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use shopbell_core::connector::{Channel, Request, Said, Settings};

use crate::load;
use crate::report::Report;

/// How long one measurement takes.
const MEASURED: Duration = Duration::from_millis(100);
/// What a customer writes.
const WORDS: &str = "Bom dia! Vocês fazem bolo de cenoura sem lactose para sábado de manhã? É para o aniversário da minha filha, umas quinze \
    pessoas. Queria saber o preço, se dá tempo de encomendar hoje e se posso pagar na retirada. Obrigada desde já!";

/// One line per channel whose service signs or brings a secret: a text message as its stand-in sends it.
pub async fn connectors(report: &Report, rounds: usize) {
    for connector in shopbell_connectors::all() {
        let (Some(channel), Some(start)) = (connector.channel(), connector.simulator()) else { continue };
        let simulator = start().await.unwrap();
        let said = Said::text("5511987654321", "Ana", WORDS);
        let Some(request) = simulator.signed_for(&said, "https://shop.example/hooks/0123456789abcdef").pop() else { continue };
        let settings = connector.settings(simulator.config()).unwrap();
        let (mut alone, mut whole) = (Vec::new(), Vec::new());
        // In turns, so that what else happens on the machine hits both.
        for _ in 0..rounds.max(3) {
            alone.push(per_second(|| hmac(&request.body)));
            whole.push(per_second(|| read(channel, &settings, &request)));
        }
        let [alone, whole] = [alone, whole].map(|rates| load::percentile(&rates, 50));
        let name = format!("{}: verify + parse, {} bytes", connector.about().kind, request.body.len());
        report.line(&name, whole, "1/s", Some((alone / whole, "× the HMAC alone")));
    }
}

fn hmac(body: &[u8]) -> usize {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"0123456789abcdef0123456789abcdef").unwrap();
    mac.update(body);
    mac.finalize().into_bytes().len()
}

fn read(channel: &dyn Channel<Settings>, settings: &Settings, request: &Request) -> usize {
    channel.verify(settings, request).unwrap();
    let events = channel.parse(settings, request).unwrap();
    assert!(!events.is_empty(), "a message came out");
    events.len()
}

/// How often `work` can be done in a second. What it gives is looked at, so that it is done.
fn per_second(mut work: impl FnMut() -> usize) -> f64 {
    let began = Instant::now();
    let mut times = 0_u32;
    while began.elapsed() < MEASURED {
        for _ in 0..16 {
            assert!(std::hint::black_box(work()) > 0);
        }
        times += 16;
    }
    f64::from(times) / began.elapsed().as_secs_f64()
}
