//! AAC in an MP4 file.

use syom::{EncodeContainer, EncodeOptions, Encoder};

use super::{Listener, RATE, Unplayable};

/// Bits a second: plenty for speech and pleasant for music in one channel.
const BITS: u32 = 64_000;

/// Writes what it hears.
pub struct Writer {
    encoder: Encoder,
    units: Vec<Vec<u8>>,
    heard: u64,
}

impl Writer {
    /// An empty file.
    pub fn new() -> Result<Self, Unplayable> {
        let mut options = EncodeOptions::default();
        options.container = EncodeContainer::Raw;
        options.bitrate_bps = BITS;
        let encoder = Encoder::new(RATE, 1, &options).map_err(Unplayable::damaged)?;
        Ok(Self { encoder, units: Vec::new(), heard: 0 })
    }

    /// The whole file.
    pub fn finish(mut self) -> Result<Vec<u8>, Unplayable> {
        if self.heard == 0 {
            return Err(Unplayable::Empty);
        }
        let units = &mut self.units;
        self.encoder
            .finish(|frame| {
                units.push(frame.payload.to_vec());
                Ok(())
            })
            .map_err(Unplayable::damaged)?;
        let units: Vec<&[u8]> = self.units.iter().map(Vec::as_slice).collect();
        syom::mux_raw_lc_m4a(&units, RATE, 1, self.heard).map_err(Unplayable::damaged)
    }
}

impl Listener for Writer {
    fn hear(&mut self, samples: &[f32]) -> Result<(), Unplayable> {
        let units = &mut self.units;
        self.encoder
            .feed(&[samples], |frame| {
                units.push(frame.payload.to_vec());
                Ok(())
            })
            .map_err(Unplayable::damaged)?;
        self.heard += samples.len() as u64;
        Ok(())
    }
}
