//! From what a decoder gives (any rate, any channels) to what is heard: one channel at 48 kHz.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

use super::{LONGEST, Listener, RATE, Stop, Unplayable};

/// How many input samples are resampled at once, about.
const CHUNK: usize = 1024;
/// Below it nobody is understood, above it nobody hears; what claims to be outside of it is damaged.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// Mixes, resamples and hands on.
pub struct Mono<'a> {
    listener: &'a mut dyn Listener,
    stop: &'a Stop,
    rate: u32,
    resampler: Option<Fft<f32>>,
    /// Mixed samples that are fewer than the resampler takes.
    waiting: Vec<f32>,
    resampled: Vec<f32>,
    /// Samples that came in, at their own rate.
    taken: u64,
    /// Samples handed on.
    given: u64,
    /// Samples of the resampler's own delay that are still to be dropped.
    late: usize,
}

impl<'a> Mono<'a> {
    /// Nothing heard yet.
    pub fn new(rate: u32, stop: &'a Stop, listener: &'a mut dyn Listener) -> Result<Self, Unplayable> {
        if !RATES.contains(&rate) {
            return Err(Unplayable::damaged(format!("{rate} samples a second")));
        }
        let resampler = if rate == RATE {
            None
        } else {
            Some(Fft::new(rate as usize, RATE as usize, CHUNK, 1, FixedSync::Both).map_err(Unplayable::damaged)?)
        };
        let late = resampler.as_ref().map_or(0, Resampler::output_delay);
        Ok(Self { listener, stop, rate, resampler, waiting: Vec::new(), resampled: Vec::new(), taken: 0, given: 0, late })
    }

    /// The rate it was made for.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Takes samples whose channels lie side by side.
    pub fn interleaved(&mut self, samples: &[f32], channels: usize) -> Result<(), Unplayable> {
        let share = 1.0 / channels.max(1) as f32;
        self.take(samples.chunks_exact(channels.max(1)).map(|frame| frame.iter().sum::<f32>() * share))
    }

    /// Takes samples whose channels lie one after the other.
    pub fn planar(&mut self, channels: &[impl AsRef<[f32]>]) -> Result<(), Unplayable> {
        let length = channels.iter().map(|channel| channel.as_ref().len()).min().unwrap_or(0);
        let share = 1.0 / channels.len().max(1) as f32;
        self.take((0..length).map(|at| channels.iter().map(|channel| channel.as_ref()[at]).sum::<f32>() * share))
    }

    /// Takes mixed samples.
    pub fn take(&mut self, samples: impl Iterator<Item = f32>) -> Result<(), Unplayable> {
        self.stop.check()?;
        let before = self.waiting.len();
        // A damaged float may be anything, and an encoder trusts its input.
        self.waiting.extend(samples.map(|sample| if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 }));
        self.taken += (self.waiting.len() - before) as u64;
        if self.taken > u64::from(self.rate) * LONGEST {
            return Err(Unplayable::TooLong);
        }
        match self.resampler.as_ref().map(Resampler::input_frames_next) {
            None => {
                self.given = self.taken;
                self.listener.hear(&self.waiting)?;
                self.waiting.clear();
            }
            Some(needed) => {
                let whole = self.waiting.len() / needed * needed;
                let rest = self.waiting.split_off(whole);
                let chunks = std::mem::replace(&mut self.waiting, rest);
                for chunk in chunks.chunks_exact(needed) {
                    self.resample(chunk, u64::MAX)?;
                }
            }
        }
        Ok(())
    }

    /// Hands on what is left. The length is the one that came in, to the sample.
    pub fn finish(mut self) -> Result<(), Unplayable> {
        let Some(needed) = self.resampler.as_ref().map(Resampler::input_frames_next) else { return Ok(()) };
        let total = self.taken * u64::from(RATE) / u64::from(self.rate);
        let mut rest = std::mem::take(&mut self.waiting);
        while self.given < total {
            rest.resize(needed, 0.0);
            self.resample(&rest, total)?;
            rest.clear();
        }
        Ok(())
    }

    fn resample(&mut self, chunk: &[f32], total: u64) -> Result<(), Unplayable> {
        self.stop.check()?;
        let Some(resampler) = &mut self.resampler else { return Ok(()) };
        let length = resampler.output_frames_next();
        self.resampled.resize(length, 0.0);
        let input = InterleavedSlice::new(chunk, 1, chunk.len()).map_err(Unplayable::damaged)?;
        let mut output = InterleavedSlice::new_mut(&mut self.resampled, 1, length).map_err(Unplayable::damaged)?;
        resampler.process_into_buffer(&input, &mut output, None).map_err(Unplayable::damaged)?;
        let late = self.late.min(length);
        self.late -= late;
        let fits = usize::try_from(total - self.given.min(total)).unwrap_or(usize::MAX);
        let heard = &mut self.resampled[late..];
        let length = heard.len().min(fits);
        for sample in &mut heard[..length] {
            // A filter may swing a little over the edge.
            *sample = sample.clamp(-1.0, 1.0);
        }
        self.given += length as u64;
        self.listener.hear(&heard[..length])
    }
}
