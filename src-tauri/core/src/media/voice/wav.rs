//! WAV: a header that is often wrong about the length, and plain samples.

use super::mono::Mono;
use super::{Listener, Stop, Unplayable};

const PCM: u16 = 1;
const FLOAT: u16 = 3;
const A_LAW: u16 = 6;
const MU_LAW: u16 = 7;
const EXTENSIBLE: u16 = 0xFFFE;
/// Frames that are mixed at once.
const FRAMES: usize = 4096;

struct Layout {
    format: u16,
    channels: usize,
    rate: u32,
    bits: u16,
}

/// Plays a WAV file. What is there counts, not what the header says of its length: recorders that were cut off leave 0 or the most.
pub fn decode(bytes: &[u8], stop: &Stop, listener: &mut dyn Listener) -> Result<(), Unplayable> {
    let mut layout = None;
    let mut rest = bytes.get(12..).unwrap_or_default();
    while let Some((head, body)) = rest.split_at_checked(8) {
        let declared = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        match &head[..4] {
            b"fmt " => layout = Some(read_layout(body)?),
            b"data" => {
                let layout = layout.ok_or_else(|| Unplayable::damaged("samples without a format"))?;
                let length = if declared == 0 { body.len() } else { declared.min(body.len()) };
                return play(&body[..length], &layout, stop, listener);
            }
            _ => {}
        }
        rest = body.get(declared.saturating_add(declared % 2)..).unwrap_or_default();
    }
    Err(Unplayable::damaged("a WAV file without samples"))
}

fn read_layout(body: &[u8]) -> Result<Layout, Unplayable> {
    let field = body.get(..16).ok_or_else(|| Unplayable::damaged("a short format"))?;
    let two = |at: usize| u16::from_le_bytes([field[at], field[at + 1]]);
    let mut format = two(0);
    if format == EXTENSIBLE {
        // The real format is the beginning of a GUID behind the extension's head.
        let inner = body.get(24..26).ok_or_else(|| Unplayable::damaged("a short format"))?;
        format = u16::from_le_bytes([inner[0], inner[1]]);
    }
    let layout =
        Layout { format, channels: usize::from(two(2)), rate: u32::from_le_bytes([field[4], field[5], field[6], field[7]]), bits: two(14) };
    if layout.channels == 0 || layout.channels > 32 {
        return Err(Unplayable::damaged(format!("{} channels", layout.channels)));
    }
    Ok(layout)
}

fn play(data: &[u8], layout: &Layout, stop: &Stop, listener: &mut dyn Listener) -> Result<(), Unplayable> {
    let sample: fn(&[u8]) -> f32 = match (layout.format, layout.bits) {
        (PCM, 8) => |b| (f32::from(b[0]) - 128.0) / 128.0,
        (PCM, 16) => |b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32_768.0,
        (PCM, 24) => |b| i32::from_le_bytes([0, b[0], b[1], b[2]]) as f32 / 2_147_483_648.0,
        (PCM, 32) => |b| i32::from_le_bytes([b[0], b[1], b[2], b[3]]) as f32 / 2_147_483_648.0,
        (FLOAT, 32) => |b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]),
        (FLOAT, 64) => |b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32,
        (A_LAW, 8) => |b| a_law(b[0]),
        (MU_LAW, 8) => |b| mu_law(b[0]),
        _ => return Err(Unplayable::Unknown),
    };
    let width = usize::from(layout.bits / 8);
    let mut mono = Mono::new(layout.rate, stop, listener)?;
    let mut samples = Vec::with_capacity(FRAMES * layout.channels);
    for piece in data.chunks(width * layout.channels * FRAMES) {
        samples.clear();
        samples.extend(piece.chunks_exact(width).map(sample));
        mono.interleaved(&samples, layout.channels)?;
    }
    mono.finish()
}

/// ITU-T G.711, μ-law.
fn mu_law(code: u8) -> f32 {
    let code = !code;
    let magnitude = ((i32::from(code & 0x0F) << 3) + 0x84) << ((code >> 4) & 7);
    let value = magnitude - 0x84;
    (if code & 0x80 == 0 { value } else { -value }) as f32 / 32_768.0
}

/// ITU-T G.711, A-law.
fn a_law(code: u8) -> f32 {
    let code = code ^ 0x55;
    let (step, low) = ((code >> 4) & 7, i32::from(code & 0x0F) << 4);
    let value = match step {
        0 => low + 8,
        step => (low + 0x108) << (step - 1),
    };
    (if code & 0x80 == 0 { -value } else { value }) as f32 / 32_768.0
}
