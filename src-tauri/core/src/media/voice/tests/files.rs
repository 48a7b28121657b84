//! Files of every kind, written by hand, and readers that share nothing with ours.

use std::sync::OnceLock;

use super::super::*;

/// Keeps what it hears.
#[derive(Default)]
pub struct Collected(pub Vec<f32>);

impl Listener for Collected {
    fn hear(&mut self, samples: &[f32]) -> Result<(), Unplayable> {
        self.0.extend_from_slice(samples);
        Ok(())
    }
}

pub fn sine(hertz: f64, rate: u32, seconds: f64) -> Vec<f32> {
    let length = (f64::from(rate) * seconds).round() as usize;
    (0..length).map(|n| (0.5 * (std::f64::consts::TAU * hertz * n as f64 / f64::from(rate)).sin()) as f32).collect()
}

pub fn rms(samples: &[f32]) -> f64 {
    (samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
}

/// By its rising edges, at 48 kHz, the uncertain ends left out.
pub fn pitch(samples: &[f32]) -> f64 {
    let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
    let edges = middle.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
    edges as f64 * 48_000.0 / middle.len() as f64
}

pub fn wav(mono: &[f32], rate: u32, channels: u16, bits: u16, float: bool) -> Vec<u8> {
    let mut data = Vec::new();
    for sample in mono {
        for _ in 0..channels {
            match (bits, float) {
                (8, _) => data.push((sample * 127.0 + 128.0) as u8),
                (16, _) => data.extend(((sample * 32_767.0) as i16).to_le_bytes()),
                (24, _) => data.extend(&((sample * 8_388_607.0) as i32).to_le_bytes()[..3]),
                (_, false) => data.extend(((f64::from(*sample) * 2_147_483_647.0) as i32).to_le_bytes()),
                (_, true) => data.extend(sample.to_le_bytes()),
            }
        }
    }
    let frame = channels * bits / 8;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0");
    file.extend((if float { 3u16 } else { 1 }).to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(frame)).to_le_bytes());
    file.extend(frame.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

/// Frames of silence: MPEG-1 layer III, 128 kbit/s, 44.1 kHz, mono, nothing in them.
pub fn mp3(frames: usize) -> Vec<u8> {
    let mut frame = vec![0xFF, 0xFB, 0x90, 0xC4];
    frame.resize(417, 0);
    frame.repeat(frames)
}

fn sum(bytes: &[u8], width: u32, polynomial: u32) -> u32 {
    let top = 1u32 << (width - 1);
    let mask = if width == 32 { u32::MAX } else { (1 << width) - 1 };
    bytes.iter().fold(0u32, |sum, byte| {
        (0..8).fold(sum ^ (u32::from(*byte) << (width - 8)), |sum, _| {
            (if sum & top == 0 { sum << 1 } else { (sum << 1) ^ polynomial }) & mask
        })
    })
}

/// One channel at 44.1 kHz, 16 bits, samples as they are (verbatim subframes).
pub fn flac(mono: &[f32]) -> Vec<u8> {
    const BLOCK: usize = 4096;
    let mut file = b"fLaC\x80\0\0\x22".to_vec();
    file.extend([16, 0, 16, 0, 0, 0, 0, 0, 0, 0]);
    // 20 bits of rate, 3 of channels − 1, 5 of bits − 1, 36 of samples.
    let packed = (44_100u64 << 44) | (15 << 36) | mono.len() as u64;
    file.extend(packed.to_be_bytes());
    file.extend([0; 16]);
    for (number, block) in mono.chunks(BLOCK).enumerate() {
        // Block size in 16 bits, 44.1 kHz, mono, 16 bits.
        let mut frame = vec![0xFF, 0xF8, 0x79, 0x08, u8::try_from(number).unwrap()];
        frame.extend(u16::try_from(block.len() - 1).unwrap().to_be_bytes());
        frame.push(sum(&frame, 8, 0x07) as u8);
        frame.push(0x02);
        for sample in block {
            frame.extend(((sample * 32_767.0) as i16).to_be_bytes());
        }
        frame.extend((sum(&frame, 16, 0x8005) as u16).to_be_bytes());
        file.extend(frame);
    }
    file
}

fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    let mut bytes = id.to_vec();
    bytes.extend((0x0100_0000_0000_0000u64 | body.len() as u64).to_be_bytes());
    bytes.extend(body);
    bytes
}

/// As a browser's recorder writes it: nothing has a known length, because it was written while it was recorded.
pub fn webm(packets: &[Vec<u8>]) -> Vec<u8> {
    const UNKNOWN: [u8; 8] = [0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
    let head = b"OpusHead\x01\x01\x38\x01\x80\xBB\0\0\0\0\0";
    let header = [
        element(&[0x42, 0x86], &[1]),
        element(&[0x42, 0xF7], &[1]),
        element(&[0x42, 0xF2], &[4]),
        element(&[0x42, 0xF3], &[8]),
        // A short length: what sniffs for WebM looks for exactly that.
        b"\x42\x82\x84webm".to_vec(),
        element(&[0x42, 0x87], &[4]),
        element(&[0x42, 0x85], &[2]),
    ]
    .concat();
    let info =
        [element(&[0x2A, 0xD7, 0xB1], &1_000_000u32.to_be_bytes()), element(&[0x4D, 0x80], b"Chrome"), element(&[0x57, 0x41], b"Chrome")]
            .concat();
    let audio = [element(&[0xB5], &48_000f32.to_be_bytes()), element(&[0x9F], &[1])].concat();
    let track = [
        element(&[0xD7], &[1]),
        element(&[0x73, 0xC5], &[7]),
        element(&[0x83], &[2]),
        element(&[0x86], b"A_OPUS"),
        element(&[0x63, 0xA2], head),
        element(&[0xE1], &audio),
    ]
    .concat();
    let mut file = element(&[0x1A, 0x45, 0xDF, 0xA3], &header);
    file.extend([0x18, 0x53, 0x80, 0x67]);
    file.extend(UNKNOWN);
    file.extend(element(&[0x15, 0x49, 0xA9, 0x66], &info));
    file.extend(element(&[0x16, 0x54, 0xAE, 0x6B], &element(&[0xAE], &track)));
    for (number, second) in packets.chunks(50).enumerate() {
        file.extend([0x1F, 0x43, 0xB6, 0x75]);
        file.extend(UNKNOWN);
        file.extend(element(&[0xE7], &(number as u32 * 1000).to_be_bytes()));
        for (n, packet) in second.iter().enumerate() {
            let mut block = vec![0x81];
            block.extend((n as u16 * 20).to_be_bytes());
            block.push(0x80);
            block.extend(packet);
            file.extend(element(&[0xA3], &block));
        }
    }
    file
}

/// A page of an Ogg file.
pub struct Page {
    pub flags: u8,
    pub granule: u64,
    pub number: u32,
    pub sum_is_right: bool,
    pub packets: Vec<Vec<u8>>,
}

/// Reads pages whose packets do not go on to the next: ours never do.
pub fn pages(mut bytes: &[u8]) -> Vec<Page> {
    let mut pages = Vec::new();
    while !bytes.is_empty() {
        assert_eq!(&bytes[..5], b"OggS\0");
        let lacing = &bytes[27..27 + usize::from(bytes[26])];
        let mut at = 27 + lacing.len();
        let (mut packets, mut packet) = (Vec::new(), Vec::new());
        for length in lacing {
            packet.extend(&bytes[at..at + usize::from(*length)]);
            at += usize::from(*length);
            if *length < 255 {
                packets.push(std::mem::take(&mut packet));
            }
        }
        assert!(packet.is_empty(), "a packet that goes on");
        let mut summed = bytes[..at].to_vec();
        summed[22..26].fill(0);
        pages.push(Page {
            flags: bytes[5],
            granule: u64::from_le_bytes(bytes[6..14].try_into().unwrap()),
            number: u32::from_le_bytes(bytes[18..22].try_into().unwrap()),
            sum_is_right: sum(&summed, 32, 0x04C1_1DB7) == u32::from_le_bytes(bytes[22..26].try_into().unwrap()),
            packets,
        });
        bytes = &bytes[at..];
    }
    pages
}

pub fn audio_packets(ogg: &[u8]) -> Vec<Vec<u8>> {
    pages(ogg).into_iter().skip(2).flat_map(|page| page.packets).collect()
}

/// What another decoder hears in a voice note, cut as its head and its last page say.
pub fn other_opus(ogg: &[u8]) -> Vec<f32> {
    let pages = pages(ogg);
    let head = &pages[0].packets[0];
    let run_up = usize::from(u16::from_le_bytes([head[10], head[11]]));
    let end = usize::try_from(pages.last().unwrap().granule).unwrap();
    let mut decoder = opus_rs::OpusDecoder::new(48_000, 1).unwrap();
    let mut samples = Vec::new();
    for packet in audio_packets(ogg) {
        let mut frame = vec![0.0; 960];
        let length = decoder.decode(&packet, 960, &mut frame).unwrap();
        samples.extend(&frame[..length]);
    }
    assert!(samples.len() >= end && samples.len() - end < 960, "no packet is missing and none is too many");
    samples[run_up..end].to_vec()
}

/// One of every kind, short.
pub fn samples() -> &'static [Vec<u8>; 7] {
    static SAMPLES: OnceLock<[Vec<u8>; 7]> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let source = wav(&sine(440.0, 44_100, 0.3), 44_100, 2, 16, false);
        let stop = Stop::default();
        let opus = convert(&source, Format::Opus, MediaKind::Voice, &stop).unwrap().bytes;
        let m4a = convert(&source, Format::Aac, MediaKind::Voice, &stop).unwrap().bytes;
        let adts = syom::encode(&[sine(440.0, 44_100, 0.3)], 44_100).unwrap();
        let webm = webm(&audio_packets(&opus));
        [source, opus, m4a, adts, webm, mp3(12), flac(&sine(440.0, 44_100, 0.3))]
    })
}
