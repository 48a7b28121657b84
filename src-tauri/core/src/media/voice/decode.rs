//! Which decoder a file belongs to, by what its bytes are.

use std::io::Cursor;

use claxon::FlacReader;
use lewton::inside_ogg::OggStreamReader;
use matroska_demuxer::{MatroskaFile, TrackType};
use nanomp3::SliceReader;
use syom::{AacError, DecodeOptions};

use super::mono::Mono;
use super::opus::Packets;
use super::{LARGEST, LONGEST, Listener, RATE, Stop, Unplayable, opus, wav};

/// Plays a file to its end.
pub fn decode(bytes: &[u8], stop: &Stop, listener: &mut dyn Listener) -> Result<(), Unplayable> {
    if bytes.len() > LARGEST {
        return Err(Unplayable::TooLarge);
    }
    match bytes {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => wav::decode(bytes, stop, listener),
        [b'O', b'g', b'g', b'S', ..] if bytes.get(28..36) == Some(b"OpusHead") => opus::decode(bytes, stop, listener),
        [b'O', b'g', b'g', b'S', ..] if bytes.get(29..35) == Some(b"vorbis") => vorbis(bytes, stop, listener),
        [b'f', b'L', b'a', b'C', ..] => flac(bytes, stop, listener),
        [0x1A, 0x45, 0xDF, 0xA3, ..] => webm(bytes, stop, listener),
        _ if syom::sniff_aac(behind_tag(bytes)) => aac(bytes, stop, listener),
        _ if nanomp3::detect(bytes) => mp3(bytes, stop, listener),
        _ => Err(Unplayable::Unknown),
    }
}

/// What follows an ID3v2 tag, which MP3 and ADTS files alike may begin with. Its length is in four times seven bits.
fn behind_tag(bytes: &[u8]) -> &[u8] {
    match bytes {
        [b'I', b'D', b'3', _, _, flags, a, b, c, d, ..] => {
            let length = [a, b, c, d].iter().fold(0, |length, part| length << 7 | usize::from(**part & 0x7F));
            let footer = if flags & 0x10 == 0 { 0 } else { 10 };
            bytes.get(10 + length + footer..).unwrap_or_default()
        }
        _ => bytes,
    }
}

fn vorbis(bytes: &[u8], stop: &Stop, listener: &mut dyn Listener) -> Result<(), Unplayable> {
    let mut reader = OggStreamReader::new(Cursor::new(bytes)).map_err(Unplayable::damaged)?;
    let mut mono = Mono::new(reader.ident_hdr.audio_sample_rate, stop, listener)?;
    while let Some(packet) = reader.read_dec_packet_generic::<Vec<Vec<f32>>>().map_err(Unplayable::damaged)? {
        mono.planar(&packet)?;
    }
    mono.finish()
}

fn flac(bytes: &[u8], stop: &Stop, listener: &mut dyn Listener) -> Result<(), Unplayable> {
    let mut reader = FlacReader::new(Cursor::new(bytes)).map_err(Unplayable::damaged)?;
    let about = reader.streaminfo();
    if !(4..=32).contains(&about.bits_per_sample) {
        return Err(Unplayable::damaged(format!("{} bits", about.bits_per_sample)));
    }
    let scale = 1.0 / (1u64 << (about.bits_per_sample - 1)) as f32;
    let mut mono = Mono::new(about.sample_rate, stop, listener)?;
    let mut blocks = reader.blocks();
    let mut buffer = Vec::new();
    while let Some(block) = blocks.read_next_or_eof(buffer).map_err(Unplayable::damaged)? {
        let channels: Vec<&[i32]> = (0..block.channels()).map(|channel| block.channel(channel)).collect();
        let share = scale / channels.len().max(1) as f32;
        mono.take((0..block.len() as usize).map(|at| channels.iter().map(|channel| channel[at] as f32).sum::<f32>() * share))?;
        buffer = block.into_buffer();
    }
    mono.finish()
}

fn mp3(bytes: &[u8], stop: &Stop, listener: &mut dyn Listener) -> Result<(), Unplayable> {
    let mut reader: SliceReader<'_, f32> = SliceReader::with_options(bytes, nanomp3::Options::default().skip_scan(true));
    let channels = match reader.channels() {
        Some(nanomp3::Channels::Mono) => 1,
        Some(nanomp3::Channels::Stereo) => 2,
        None => return Err(Unplayable::damaged("no MPEG frames")),
    };
    let mut mono = Mono::new(reader.sample_rate(), stop, listener)?;
    while let Some(samples) = reader.read_frame().map_err(Unplayable::damaged)? {
        mono.interleaved(samples, channels)?;
    }
    mono.finish()
}

/// ADTS, LATM and MP4 files, plain and fragmented (what Safari records).
fn aac(bytes: &[u8], stop: &Stop, listener: &mut dyn Listener) -> Result<(), Unplayable> {
    let options = DecodeOptions::speech().with_max_duration_secs(LONGEST as f64);
    let mut mono: Option<Mono<'_>> = None;
    let mut listener = Some(listener);
    // The decoder takes only its own errors back: ours waits here.
    let mut ours = None;
    let outcome = syom::decode_streaming(bytes, &options, |frame| {
        let mut hear = || {
            if mono.is_none()
                && let Some(listener) = listener.take()
            {
                mono = Some(Mono::new(frame.sample_rate, stop, listener)?);
            }
            match &mut mono {
                Some(mono) if mono.rate() == frame.sample_rate => mono.planar(frame.planar),
                _ => Err(Unplayable::damaged("the rate changes")),
            }
        };
        hear().map_err(|error| {
            ours = Some(error);
            AacError::Decode(String::new())
        })
    });
    match (outcome, ours) {
        (_, Some(error)) => Err(error),
        (Ok(_), None) => mono.map_or(Ok(()), Mono::finish),
        (Err(AacError::TooLong { .. }), None) => Err(Unplayable::TooLong),
        (Err(AacError::Unsupported(_) | AacError::NotAac), None) => Err(Unplayable::Unknown),
        (Err(error), None) => Err(Unplayable::damaged(error)),
    }
}

/// What browsers record: Opus in WebM.
fn webm(bytes: &[u8], stop: &Stop, listener: &mut dyn Listener) -> Result<(), Unplayable> {
    let mut file = MatroskaFile::open(Cursor::new(bytes)).map_err(Unplayable::damaged)?;
    let track = file.tracks().iter().find(|track| track.track_type() == TrackType::Audio).ok_or(Unplayable::Empty)?;
    if track.codec_id() != "A_OPUS" {
        return Err(Unplayable::Unknown);
    }
    let number = track.track_number().get();
    let mut packets = Packets::new(track.codec_private().unwrap_or_default())?;
    let mut mono = Mono::new(RATE, stop, listener)?;
    let mut frame = matroska_demuxer::Frame::default();
    while file.next_frame(&mut frame).map_err(Unplayable::damaged)? {
        stop.check()?;
        if frame.track == number {
            mono.take(packets.next(&frame.data)?.iter().copied())?;
        }
    }
    mono.finish()
}
