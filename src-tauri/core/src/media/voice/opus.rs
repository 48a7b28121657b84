//! Opus in Ogg, as RFC 7845 lays it out: read by anybody's phone, written for every messenger.

use std::io::Cursor;

use ogg::{PacketReader, PacketWriteEndInfo, PacketWriter};
use ropus::{Application, Bitrate, Channels, DecodeMode, Decoder, Encoder};

use super::mono::Mono;
use super::{Listener, RATE, Stop, Unplayable};
use crate::model::MediaKind;

/// Samples of a packet: 20 ms.
const FRAME: usize = RATE as usize / 50;
/// Samples of the longest packet there is: 120 ms.
const LONGEST_PACKET: usize = RATE as usize * 120 / 1000;
/// Packets of a page: one second.
const PAGE: usize = 50;
/// The most bytes of a packet.
const PACKET: usize = 1275;
const SPEECH_BITS: u32 = 32_000;
const MUSIC_BITS: u32 = 64_000;
/// Tells our stream from others in a file; there are no others.
const SERIAL: u32 = 0x5B0B_E111;

/// Decodes packets to mono, whatever they hold.
pub struct Packets {
    decoder: Decoder,
    samples: Vec<f32>,
    /// Samples at the beginning that are the encoder's run-up.
    skip: usize,
}

impl Packets {
    /// Reads the head: `skip` samples are not to be heard.
    pub fn new(head: &[u8]) -> Result<Self, Unplayable> {
        let head = head.get(..19).filter(|head| head.starts_with(b"OpusHead")).ok_or_else(|| Unplayable::damaged("no Opus head"))?;
        // Version 0.x and 1; one or two channels. More of them are of several streams, which nobody records a voice with.
        if head[8] & 0xF0 != 0 || head[9] == 0 || head[9] > 2 || head[18] != 0 {
            return Err(Unplayable::Unknown);
        }
        Ok(Self {
            decoder: Decoder::new(RATE, Channels::Mono).map_err(Unplayable::damaged)?,
            samples: vec![0.0; LONGEST_PACKET],
            skip: usize::from(u16::from_le_bytes([head[10], head[11]])),
        })
    }

    /// What is heard of a packet.
    pub fn next(&mut self, packet: &[u8]) -> Result<&[f32], Unplayable> {
        let length = self.decoder.decode_float(packet, &mut self.samples, DecodeMode::Normal).map_err(Unplayable::damaged)?;
        let skipped = self.skip.min(length);
        self.skip -= skipped;
        self.samples.get(skipped..length).ok_or_else(|| Unplayable::damaged("a packet that is too long"))
    }
}

/// Plays the first Opus stream of an Ogg file.
pub fn decode(bytes: &[u8], stop: &Stop, listener: &mut dyn Listener) -> Result<(), Unplayable> {
    let mut pages = PacketReader::new(Cursor::new(bytes));
    let head = pages.read_packet_expected().map_err(Unplayable::damaged)?;
    let serial = head.stream_serial();
    let mut packets = Packets::new(&head.data)?;
    let run_up = packets.skip as u64;
    let mut mono = Mono::new(RATE, stop, listener)?;
    let (mut heard, mut first) = (0u64, true);
    while let Some(packet) = pages.read_packet().map_err(Unplayable::damaged)? {
        if packet.stream_serial() != serial {
            continue;
        }
        // The tags.
        if std::mem::take(&mut first) {
            continue;
        }
        let mut samples = packets.next(&packet.data)?;
        if packet.last_in_stream() {
            // The last position says how much of the last packet is padding.
            let left = packet.absgp_page().saturating_sub(run_up).saturating_sub(heard);
            samples = &samples[..samples.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
        }
        heard += samples.len() as u64;
        mono.take(samples.iter().copied())?;
    }
    mono.finish()
}

/// Writes what it hears.
pub struct Writer {
    encoder: Encoder,
    pages: PacketWriter<'static, Vec<u8>>,
    waiting: Vec<f32>,
    /// The last packet: only the one after it tells that it was not the end.
    held: Option<Vec<u8>>,
    packets: u64,
    heard: u64,
    run_up: u64,
}

impl Writer {
    /// A file with its head and tags.
    pub fn new(kind: MediaKind) -> Result<Self, Unplayable> {
        let (application, bits) = match kind {
            MediaKind::Audio => (Application::Audio, MUSIC_BITS),
            MediaKind::Voice | MediaKind::Image | MediaKind::Video | MediaKind::Document | MediaKind::Sticker => {
                (Application::Voip, SPEECH_BITS)
            }
        };
        let encoder =
            Encoder::builder(RATE, Channels::Mono, application).bitrate(Bitrate::Bits(bits)).build().map_err(Unplayable::damaged)?;
        let run_up = u16::try_from(encoder.lookahead()).map_err(Unplayable::damaged)?;
        let mut head = b"OpusHead\x01\x01".to_vec();
        head.extend(run_up.to_le_bytes());
        head.extend(RATE.to_le_bytes());
        head.extend([0, 0, 0]);
        let mut tags = b"OpusTags".to_vec();
        for text in ["Shopbell", ""] {
            // The writer's name; then no comments, whose count looks like an empty text.
            tags.extend((text.len() as u32).to_le_bytes());
            tags.extend(text.as_bytes());
        }
        let mut pages = PacketWriter::new(Vec::new());
        for packet in [head, tags] {
            pages.write_packet(packet, SERIAL, PacketWriteEndInfo::EndPage, 0).map_err(Unplayable::damaged)?;
        }
        Ok(Self { encoder, pages, waiting: Vec::new(), held: None, packets: 0, heard: 0, run_up: u64::from(run_up) })
    }

    /// The whole file.
    pub fn finish(mut self) -> Result<Vec<u8>, Unplayable> {
        if self.heard == 0 {
            return Err(Unplayable::Empty);
        }
        // The encoder answers late by its run-up: silence pushes the last samples out.
        let end = self.run_up + self.heard;
        while self.packets * (FRAME as u64) < end {
            self.waiting.resize(FRAME, 0.0);
            let frame = std::mem::take(&mut self.waiting);
            self.encode(&frame)?;
        }
        if let Some(last) = self.held.take() {
            self.pages.write_packet(last, SERIAL, PacketWriteEndInfo::EndStream, end).map_err(Unplayable::damaged)?;
        }
        Ok(self.pages.into_inner())
    }

    fn encode(&mut self, frame: &[f32]) -> Result<(), Unplayable> {
        let mut packet = vec![0; PACKET];
        let length = self.encoder.encode_float(frame, &mut packet).map_err(Unplayable::damaged)?;
        packet.truncate(length);
        if let Some(before) = self.held.replace(packet) {
            let end = if self.packets.is_multiple_of(PAGE as u64) { PacketWriteEndInfo::EndPage } else { PacketWriteEndInfo::NormalPacket };
            self.pages.write_packet(before, SERIAL, end, self.packets * FRAME as u64).map_err(Unplayable::damaged)?;
        }
        self.packets += 1;
        Ok(())
    }
}

impl Listener for Writer {
    fn hear(&mut self, samples: &[f32]) -> Result<(), Unplayable> {
        self.heard += samples.len() as u64;
        self.waiting.extend_from_slice(samples);
        let whole = self.waiting.len() / FRAME * FRAME;
        let rest = self.waiting.split_off(whole);
        let frames = std::mem::replace(&mut self.waiting, rest);
        for frame in frames.chunks_exact(FRAME) {
            self.encode(frame)?;
        }
        Ok(())
    }
}
