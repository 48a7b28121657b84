//! Real files of every kind, made here. What we write is read by other people's code: `opus-rs` for Opus (we write with `ropus`), an
//! Ogg reader of these tests' own, which checks every page's sum.

use proptest::prelude::*;

use super::*;

pub mod files;

use files::*;

fn heard(bytes: &[u8]) -> Shape {
    shape(bytes, &Stop::default()).unwrap()
}

fn note(bytes: &[u8]) -> Converted {
    convert(bytes, Format::Opus, MediaKind::Voice, &Stop::default()).unwrap()
}

fn close(actual: u64, expected: u64) -> bool {
    actual.abs_diff(expected) <= 20
}

#[test]
fn every_kind_of_wav_is_as_long_as_it_is() {
    for (rate, channels, bits, float) in [
        (8_000, 1, 8, false),
        (11_025, 1, 16, false),
        (16_000, 1, 16, false),
        (22_050, 2, 16, false),
        (44_100, 2, 16, false),
        (44_100, 2, 24, false),
        (48_000, 1, 32, true),
        (96_000, 2, 32, false),
        (47_999, 1, 16, false),
    ] {
        let shape = heard(&wav(&sine(440.0, rate, 1.5), rate, channels, bits, float));
        assert!(close(shape.duration_ms, 1500), "{rate} Hz, {channels} channels, {bits} bits: {shape:?}");
        assert!(shape.wave.iter().all(|bar| *bar > 225), "a steady tone is steady at {rate} Hz: {shape:?}");
    }
}

#[test]
fn a_voice_note_sounds_like_its_source_to_another_decoder() {
    for (rate, channels) in [(44_100, 2), (48_000, 1), (16_000, 1)] {
        let source = wav(&sine(440.0, rate, 2.0), rate, channels, 16, false);
        let note = note(&source);
        assert!(is_voice_note(&note.bytes));
        let samples = other_opus(&note.bytes);
        assert!(close(samples.len() as u64 / 48, 2000), "{} samples", samples.len());
        let (wanted, got) = (rms(&sine(440.0, 48_000, 2.0)), rms(&samples));
        assert!((got / wanted - 1.0).abs() < 0.1, "energy {got}, wanted {wanted}");
        assert!((pitch(&samples) - 440.0).abs() < 3.0, "pitch {}", pitch(&samples));
        assert!(close(note.shape.duration_ms, 2000));
        assert!(close(heard(&note.bytes).duration_ms, 2000), "and so do we");
    }
}

#[test]
fn a_sound_keeps_its_place_in_time() {
    // A click after one second is a click after one second.
    let mut samples = vec![0.0; 96_000];
    samples[48_000..48_480].iter_mut().enumerate().for_each(|(n, s)| *s = if n % 8 < 4 { 0.8 } else { -0.8 });
    let decoded = other_opus(&note(&wav(&samples, 48_000, 1, 16, false)).bytes);
    let (at, _) = decoded.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).unwrap();
    assert!((47_900..48_700).contains(&at), "{at}");
    assert_eq!(decoded.len(), 96_000, "to the sample");
}

#[test]
fn the_pages_of_a_voice_note_are_as_the_standard_says() {
    let bytes = note(&wav(&sine(300.0, 48_000, 2.51), 48_000, 1, 16, false)).bytes;
    let pages = pages(&bytes);
    assert!(pages.iter().all(|page| page.sum_is_right));
    assert_eq!((pages[0].flags, pages[0].packets.len(), pages[0].granule), (2, 1, 0), "the head opens the stream, alone on its page");
    assert_eq!((&pages[1].packets[0][..8], pages[1].packets.len(), pages[1].granule), (&b"OpusTags"[..], 1, 0));
    let head = &pages[0].packets[0];
    assert_eq!((&head[..8], head[8], head[9], head[18]), (&b"OpusHead"[..], 1, 1, 0));
    let run_up = u64::from(u16::from_le_bytes([head[10], head[11]]));
    assert_eq!(run_up, 312);
    assert_eq!(&head[12..16], 48_000u32.to_le_bytes());
    let last = pages.last().unwrap();
    assert_eq!((last.flags, last.granule), (4, run_up + 48_000 * 251 / 100), "the last page ends the stream where the sound ends");
    let mut packets = 0;
    for page in &pages[2..pages.len() - 1] {
        packets += page.packets.len() as u64;
        assert_eq!((page.flags, page.granule), (0, packets * 960), "positions are those of a page's end");
    }
    assert!(pages.iter().enumerate().all(|(n, page)| page.number as usize == n));
}

#[test]
fn aac_for_services_without_opus_is_as_long_and_as_loud() {
    let source = wav(&sine(440.0, 44_100, 2.0), 44_100, 2, 16, false);
    let made = convert(&source, Format::Aac, MediaKind::Audio, &Stop::default()).unwrap();
    assert_eq!(crate::media::sniffed(&made.bytes, ""), "audio/mp4");
    assert!(close(heard(&made.bytes).duration_ms, 2000));
    // And back again: what a phone sends as M4A becomes a voice note.
    let samples = other_opus(&note(&made.bytes).bytes);
    assert!(close(samples.len() as u64 / 48, 2000));
    assert!((rms(&samples) / rms(&sine(440.0, 48_000, 2.0)) - 1.0).abs() < 0.1);
    assert!((pitch(&samples) - 440.0).abs() < 3.0);
    let adts = syom::encode(&[sine(440.0, 44_100, 1.0)], 44_100).unwrap();
    assert!(close(heard(&adts).duration_ms, 1000), "{:?}", heard(&adts));
}

#[test]
fn what_a_browser_records_becomes_a_voice_note() {
    let packets: Vec<Vec<u8>> = audio_packets(&note(&wav(&sine(440.0, 48_000, 2.0), 48_000, 1, 16, false)).bytes);
    let recorded = webm(&packets);
    assert_eq!(crate::media::sniffed(&recorded, "video/webm"), "audio/webm");
    assert!(close(heard(&recorded).duration_ms, 2000), "{:?}", heard(&recorded));
    let samples = other_opus(&note(&recorded).bytes);
    assert!((rms(&samples) / rms(&sine(440.0, 48_000, 2.0)) - 1.0).abs() < 0.1);
}

#[test]
fn mp3_and_flac_are_heard() {
    let silence = mp3(100);
    let shape = heard(&silence);
    assert!(close(shape.duration_ms, 100 * 1152 * 1000 / 44_100), "{shape:?}");
    assert_eq!(shape.wave, [0; 64], "silence is not blown up to look loud");
    let flac = flac(&sine(440.0, 44_100, 1.0));
    assert!(close(heard(&flac).duration_ms, 1000), "{:?}", heard(&flac));
    let samples = other_opus(&note(&flac).bytes);
    assert!((rms(&samples) / rms(&sine(440.0, 48_000, 1.0)) - 1.0).abs() < 0.1);
}

#[test]
fn a_wav_header_that_lies_about_its_length_is_not_believed() {
    let honest = wav(&sine(440.0, 16_000, 1.0), 16_000, 1, 16, false);
    for lie in [0, u32::MAX, 0x7FFF_FFF0] {
        let mut file = honest.clone();
        file[40..44].copy_from_slice(&lie.to_le_bytes());
        assert!(close(heard(&file).duration_ms, 1000), "{lie}");
        assert!(close(note(&file).shape.duration_ms, 1000), "{lie}");
    }
}

#[test]
fn telephone_laws_are_those_of_the_standard() {
    // G.711: the loudest, the quietest and a middle code of both laws, in 16 bits.
    let law = |format: u16, codes: &[u8]| {
        let mut file = wav(&[], 48_000, 1, 8, false);
        file[20..22].copy_from_slice(&format.to_le_bytes());
        file.extend(codes);
        let mut all = Collected::default();
        decode::decode(&file, &Stop::default(), &mut all).unwrap();
        all.0.iter().map(|sample| (sample * 32_768.0).round() as i32).collect::<Vec<_>>()
    };
    assert_eq!(law(7, &[0xFF, 0x7F, 0x80, 0x00, 0xC0]), [0, 0, 32_124, -32_124, 1_884]);
    assert_eq!(law(6, &[0xD5, 0x55, 0xAA, 0x2A, 0x95]), [8, -8, 32_256, -32_256, 2_112]);
}

#[test]
fn a_wave_form_follows_the_sound() {
    let mut samples = vec![0.0; 48_000];
    samples.extend(sine(440.0, 48_000, 1.0));
    let wave = heard(&wav(&samples, 48_000, 1, 16, false)).wave;
    assert_eq!((wave.len(), *wave.iter().max().unwrap()), (64, 255));
    assert!(wave[..31].iter().all(|bar| *bar == 0) && wave[33..].iter().all(|bar| *bar > 225), "{wave:?}");
    assert_eq!(heard(&wav(&sine(440.0, 48_000, 0.005), 48_000, 1, 16, false)).wave.len(), 64, "shorter than a bar");
}

#[test]
fn nothing_aliases_when_the_rate_falls() {
    // 30 kHz is above what 48 kHz can hold: it must vanish, not come back as 18 kHz.
    let mut all = Collected::default();
    decode::decode(&wav(&sine(30_000.0, 96_000, 1.0), 96_000, 1, 16, false), &Stop::default(), &mut all).unwrap();
    let middle = &all.0[4_800..43_200];
    assert!(20.0 * (rms(middle) / 0.35).log10() < -50.0, "{} dB", 20.0 * (rms(middle) / 0.35).log10());
}

#[test]
fn refusals_say_why() {
    let refused = |bytes: &[u8]| convert(bytes, Format::Opus, MediaKind::Voice, &Stop::default()).unwrap_err();
    assert_eq!(refused(b""), Unplayable::Unknown);
    assert_eq!(refused(b"#!AMR\n\x3c\x91\x17\x16\xbe\x66\x79\xe1\xe0"), Unplayable::Unknown, "nobody decodes AMR in Rust yet");
    assert_eq!(refused(&wav(&[], 48_000, 1, 16, false)), Unplayable::Empty);
    assert!(matches!(refused(b"RIFF\0\0\0\0WAVE"), Unplayable::Damaged(_)));
    assert!(matches!(refused(b"OggS and then nothing of the kind OpusHead"), Unplayable::Unknown | Unplayable::Damaged(_)));
    let whole = note(&wav(&sine(440.0, 48_000, 3.0), 48_000, 1, 16, false)).bytes;
    let mut broken = whole.clone();
    let at = broken.len() / 2;
    broken[at] ^= 0xFF;
    assert!(matches!(refused(&broken), Unplayable::Damaged(_)), "half a message is no message");
    assert!((900..2_000).contains(&heard(&broken).duration_ms), "but a received one is drawn as far as it goes");
    let stop = Stop::default();
    stop.now();
    assert_eq!(convert(&whole, Format::Opus, MediaKind::Voice, &stop).unwrap_err(), Unplayable::Stopped);
    let mut endless = wav(&[], 4_000, 1, 8, false);
    endless.resize(endless.len() + 4_000 * 60 * 31, 128);
    assert_eq!(shape(&endless, &stop), Err(Unplayable::Stopped));
    assert_eq!(shape(&endless, &Stop::default()), Err(Unplayable::TooLong));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// A damaged file ends in a sentence or in a sound, whatever is damaged. `guarded` is left out, so that a panic shows.
    #[test]
    fn a_mutated_file_never_ends_the_program(
        which in 0usize..7,
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..24),
        cut in any::<prop::sample::Index>(),
        shall_cut in any::<bool>(),
    ) {
        let mut bytes = samples()[which].clone();
        for (at, value) in hits {
            let at = at.index(bytes.len().min(4096));
            bytes[at] = value;
        }
        if shall_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let stop = Stop::default();
        if let Err(error) = convert(&bytes, Format::Opus, MediaKind::Voice, &stop) {
            prop_assert!(!error.sentence().to_string().is_empty());
        }
        prop_assert!(shape(&bytes, &stop).map_or(true, |shape| shape.wave.len() == 64 && shape.duration_ms <= LONGEST * 1000));
    }
}
