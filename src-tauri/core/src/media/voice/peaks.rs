//! The wave form of a player.

use super::{Listener, RATE, Shape, Unplayable};

/// The bars of a wave form.
pub const STEPS: usize = 64;
/// Samples per measured piece: 10 ms.
const PIECE: u64 = RATE as u64 / 100;
/// What is quieter than this (−60 dB) everywhere is silence, and not blown up to look loud.
const SILENCE: f32 = 0.001;

/// The loudest sample of every 10 ms.
#[derive(Default)]
pub struct Peaks {
    pieces: Vec<f32>,
    heard: u64,
}

impl Peaks {
    /// How many samples were heard.
    pub fn heard(&self) -> u64 {
        self.heard
    }

    /// What was heard, as a player shows it.
    pub fn shape(&self) -> Shape {
        let loudest = self.pieces.iter().copied().fold(SILENCE, f32::max);
        let wave = (0..STEPS)
            .map(|step| {
                let from = step * self.pieces.len() / STEPS;
                let to = ((step + 1) * self.pieces.len() / STEPS).max(from + 1).min(self.pieces.len());
                let peak = self.pieces.get(from..to).unwrap_or_default().iter().copied().fold(0.0, f32::max);
                (peak / loudest * 255.0).round() as u8
            })
            .collect();
        Shape { duration_ms: self.heard * 1000 / u64::from(RATE), wave }
    }
}

impl Listener for Peaks {
    fn hear(&mut self, samples: &[f32]) -> Result<(), Unplayable> {
        for sample in samples {
            if self.heard.is_multiple_of(PIECE) {
                self.pieces.push(0.0);
            }
            if let Some(last) = self.pieces.last_mut() {
                *last = last.max(sample.abs());
            }
            self.heard += 1;
        }
        Ok(())
    }
}
