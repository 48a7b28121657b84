use std::collections::BTreeMap;

use super::*;

fn whatsapp_like() -> ChannelRules {
    ChannelRules {
        media_types: BTreeMap::from([
            ("image", &["image/jpeg", "image/png"][..]),
            ("audio", &["audio/aac", "audio/mp4", "audio/mpeg", "audio/ogg"][..]),
            ("document", &["application/pdf", "text/plain"][..]),
        ]),
        ..ChannelRules::default()
    }
}

#[test]
fn a_file_is_what_its_bytes_are_under_the_usual_name() {
    let riff = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0";
    assert_eq!(sniffed(riff, "audio/mpeg"), "audio/wav");
    assert_eq!(sniffed(b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead\x01\x01", "video/mp4"), "audio/ogg");
    assert_eq!(sniffed(b"%PDF-1.7", "image/png"), "application/pdf", "a document that lies about its type");
    assert_eq!(sniffed(b"a;b\n1;2", "text/csv; charset=utf-8"), "text/csv");
    assert_eq!(sniffed(&[0, 1, 2, 255], "image/png"), "application/octet-stream");
}

#[test]
fn a_film_and_a_recording_in_the_same_box_are_told_apart() {
    let mp4 = |tracks: &[&[u8; 4]]| {
        let mut moov = Vec::new();
        for track in tracks {
            moov.extend([&[0, 0, 0, 32][..], b"hdlr", &[0; 8], &track[..], &[0; 12]].concat());
        }
        let size = u32::try_from(moov.len() + 8).unwrap().to_be_bytes();
        [b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x0cmdatabcd", &size[..], b"moov", &moov].concat()
    };
    assert_eq!(sniffed(&mp4(&[b"soun"]), ""), "audio/mp4");
    assert_eq!(sniffed(&mp4(&[b"soun", b"vide"]), ""), "video/mp4");
    assert_eq!(sniffed(&mp4(&[]), ""), "video/mp4");
    assert_eq!(sniffed(b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x01moov\xff\xff", ""), "video/mp4", "a length that is cut off");
}

#[test]
fn a_type_that_a_channel_does_not_take_is_refused_with_those_that_it_does() {
    let rules = whatsapp_like();
    let said = |kind, mime| refusal(kind, mime, &rules).map(|sentence| sentence.to_string());
    assert_eq!(said(MediaKind::Image, "image/png"), None);
    assert_eq!(said(MediaKind::Audio, "audio/x-m4a"), None, "by any of its names");
    assert_eq!(said(MediaKind::Document, "text/plain; charset=utf-8"), None);
    assert_eq!(said(MediaKind::Image, "image/webp").unwrap(), "This file is WEBP. This channel takes JPEG, PNG here.");
    assert_eq!(said(MediaKind::Image, "application/pdf").unwrap(), "This file is PDF. This channel takes JPEG, PNG here.");
    assert_eq!(said(MediaKind::Audio, "audio/amr").unwrap(), "This file is AMR. This channel takes AAC, M4A, MP3, OGG here.");
    assert_eq!(
        said(MediaKind::Document, "application/octet-stream").unwrap(),
        "Shopbell cannot tell what kind of file this is. This channel takes PDF, TXT here."
    );
    assert_eq!(said(MediaKind::Video, "video/mp4"), None, "a kind without types takes any film");
    assert_eq!(
        said(MediaKind::Video, "application/pdf").unwrap(),
        "This file is not what it seems to be: it is PDF. Send it as a document."
    );
}
