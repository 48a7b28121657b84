//! The public side's names and manners.

use crate::world::{SIGNATURE, World, ask, raw};

#[tokio::test]
async fn the_public_side_answers_to_its_own_names_alone() {
    let world = World::new().await;
    world.doors.hosts.add("https://shop.example.com");
    let port = world.public().port();
    let path = format!("/hooks/{}", world.probe);
    for (host, expected) in [
        (format!("127.0.0.1:{port}"), 200),
        (format!("localhost:{port}"), 200),
        (format!("[::1]:{port}"), 200),
        ("shop.example.com".into(), 200),
        ("SHOP.example.com".into(), 200),
        ("evil.example".into(), 404),
        (format!("evil.example:{port}"), 404),
        ("shop.example.com.evil.example".into(), 404),
        ("127.0.0.1:1".into(), 404),
        (format!("127.0.0.1.nip.io:{port}"), 404),
    ] {
        let answer = ask(world.public(), "POST", &path, &[("host", &host), ("x-signature", SIGNATURE)], b"{}").await;
        assert_eq!(answer.status, expected, "{host}");
    }
    world.doors.hosts.remove("https://shop.example.com");
    assert_eq!(
        ask(world.public(), "POST", &path, &[("host", "shop.example.com"), ("x-signature", SIGNATURE)], b"{}").await.status,
        404,
        "a tunnel that is gone"
    );
    let none = format!("POST {path} HTTP/1.1\r\nx-signature: {SIGNATURE}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}");
    assert!(matches!(raw(world.public(), none.as_bytes()).await.status, 400 | 404), "no name at all");
    world.hub.stop().await;
}

#[tokio::test]
async fn nonsense_on_the_wire_harms_nobody() {
    let world = World::new().await;
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(2000));
    let smuggled = format!(
        "POST /hooks/{} HTTP/1.1\r\nhost: {}\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        world.probe,
        world.public()
    );
    let nonsense: [&[u8]; 9] = [
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: \x00\xff\r\n\r\n",
        b"G E T / HTTP/1.1\r\n\r\n",
        long.as_bytes(),
        many.as_bytes(),
        smuggled.as_bytes(),
    ];
    for bytes in nonsense {
        let address = world.public();
        let asked = tokio::time::timeout(std::time::Duration::from_secs(15), raw(address, bytes)).await;
        if let Ok(answer) = asked {
            assert!(
                answer.status == 0 || (400..500).contains(&answer.status),
                "{:?} answered {}",
                String::from_utf8_lossy(&bytes[..bytes.len().min(40)]),
                answer.status
            );
        }
    }
    let answer = ask(world.public(), "POST", &format!("/hooks/{}", world.probe), &[("x-signature", SIGNATURE)], b"{}").await;
    assert_eq!(answer.status, 200, "it goes on");
    world.hub.stop().await;
}
