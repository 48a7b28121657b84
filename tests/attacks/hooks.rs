//! Hooks: what is not from the service, what is too large or too slow, and what we cannot keep.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use shopbell_core::gateway::hosts::Hosts;
use shopbell_core::gateway::pace::Pace;
use shopbell_core::gateway::public::Public;
use shopbell_core::gateway::seats::Seats;
use shopbell_core::gateway::serve;

use crate::world::{SIGNATURE, World, ask, raw, read};

const SIGNED: (&str, &str) = ("x-signature", SIGNATURE);

#[tokio::test]
async fn a_signed_request_is_stored_before_the_200_and_a_forged_one_leaves_a_line() {
    let world = World::new().await;
    let path = format!("/hooks/{}/below?a=b", world.probe);
    let answer = ask(world.public(), "POST", &path, &[SIGNED, ("authorization", "Bearer canary-of-the-hook")], b"{\"n\":1}").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(world.count("SELECT count(*) FROM arrival").await, 1, "it is there when the answer is");
    assert_eq!(
        world.count("SELECT count(*) FROM arrival WHERE path = 'below' AND query = 'a=b' AND body = CAST('{\"n\":1}' AS BLOB)").await,
        1
    );
    assert_eq!(
        world.count("SELECT count(*) FROM arrival WHERE headers LIKE '%canary%' OR headers LIKE '%signed-by%'").await,
        0,
        "secrets are covered"
    );
    let forged: [&[(&str, &str)]; 3] = [&[], &[("x-signature", "signed-by-the-servicf")], &[("x-signature", "")]];
    for headers in forged {
        let answer = ask(world.public(), "POST", &path, headers, b"{\"n\":2}").await;
        assert_eq!(answer.status, 401);
    }
    assert_eq!(world.count("SELECT count(*) FROM arrival").await, 1, "nothing of it is stored");
    assert_eq!(world.count("SELECT count(*) FROM refusal WHERE reason LIKE '%signature%' AND size = 7 AND address = '127.0.0.1'").await, 3);
    world.hub.stop().await;
}

#[tokio::test]
async fn sizes_have_a_limit_and_up_to_it_everything_is_taken() {
    let world = World::new().await;
    let path = format!("/hooks/{}", world.probe);
    let full = vec![b'x'; 3 << 20];
    assert_eq!(ask(world.public(), "POST", &path, &[SIGNED], &full).await.status, 200, "3 MB");
    let more = vec![b'x'; (3 << 20) + 1];
    assert_eq!(ask(world.public(), "POST", &path, &[SIGNED], &more).await.status, 413);
    assert_eq!(
        ask(world.public(), "POST", &path, &[SIGNED, ("content-length", "99999999999")], b"x").await.status,
        413,
        "announced is enough"
    );
    let chunk = format!("100000\r\n{}\r\n", "x".repeat(0x0010_0000));
    let endless = format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\nx-signature: {SIGNATURE}\r\ntransfer-encoding: chunked\r\n\r\n{}",
        world.public(),
        chunk.repeat(5)
    );
    assert_eq!(raw(world.public(), endless.as_bytes()).await.status, 413, "without an announcement");
    assert_eq!(world.count("SELECT count(*) FROM arrival").await, 1);
    world.hub.stop().await;
}

#[tokio::test]
async fn a_service_may_ask_whether_the_hook_is_ours() {
    let world = World::new().await;
    let hook = format!("/hooks/{}", world.probe);
    let answer = ask(world.public(), "GET", &format!("{hook}?challenge=abc"), &[], b"").await;
    assert_eq!((answer.status, answer.body.as_str(), answer.header("content-type")), (200, "abc", "text/plain; charset=utf-8"));
    assert_eq!(ask(world.public(), "GET", &format!("{hook}?challenge=evil"), &[], b"").await.status, 401);
    // "PULL" is our own mark for what a poll fetched, which nobody has to sign.
    for (method, path) in [
        ("GET", hook.clone()),
        ("PULL", hook.clone()),
        ("PUT", hook.clone()),
        ("DELETE", hook.clone()),
        ("POST", "/hooks/".into()),
        ("POST", "/hooks".into()),
    ] {
        assert_eq!(ask(world.public(), method, &path, &[SIGNED], b"").await.status, 404, "{method} {path}");
    }
    world.hub.stop().await;
}

#[tokio::test]
async fn a_flood_of_guesses_is_slowed_and_the_service_still_gets_through() {
    let world = World::new().await;
    let mut slowed = 0;
    for n in 0..200 {
        let answer = ask(world.public(), "POST", &format!("/hooks/{n:032x}"), &[], b"{}").await;
        match answer.status {
            404 => {}
            429 => {
                slowed += 1;
                assert!(answer.header("retry-after").parse::<u32>().is_ok());
            }
            other => panic!("{other}"),
        }
    }
    assert!(slowed > 20, "{slowed} of 200 were slowed");
    let path = format!("/hooks/{}", world.probe);
    for _ in 0..300 {
        assert_eq!(ask(world.public(), "POST", &path, &[SIGNED], b"{}").await.status, 200, "a verified call is never held back");
    }
    world.hub.stop().await;
}

#[tokio::test]
async fn what_cannot_be_kept_is_asked_for_again() {
    let world = World::new().await;
    let path = format!("/hooks/{}", world.probe);
    world.hub.store.close().await;
    let answer = ask(world.public(), "POST", &path, &[SIGNED], b"{}").await;
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").parse::<u32>().is_ok());
    world.hub.stop().await;
}

#[tokio::test]
async fn a_caller_that_dawdles_is_let_go() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let world = World::new().await;
    let started = std::time::Instant::now();
    let mut sockets = Vec::new();
    for _ in 0..50 {
        let mut socket = tokio::net::TcpStream::connect(world.public()).await.unwrap();
        socket.write_all(b"POST /hooks/x HTTP/1.1\r\nhost: 127.").await.unwrap();
        sockets.push(socket);
    }
    let path = format!("/hooks/{}", world.probe);
    assert_eq!(ask(world.public(), "POST", &path, &[SIGNED], b"{}").await.status, 200, "others are answered meanwhile");
    for mut socket in sockets {
        let mut rest = Vec::new();
        tokio::time::timeout(Duration::from_secs(14), socket.read_to_end(&mut rest)).await.expect("let go").unwrap_or_default();
        assert!(rest.is_empty() || read(&rest).status == 408);
    }
    assert!(started.elapsed() < Duration::from_secs(20));
    world.hub.stop().await;
}

/// A second public side of the world's hub, with limits of the test's own.
async fn side(world: &World, change: impl FnOnce(&mut Public)) -> SocketAddr {
    let listener = serve::listen(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut public = Public::new(world.hub.clone(), Arc::new(Hosts::of(address)));
    change(&mut public);
    let router = Arc::new(public).router();
    tokio::spawn(serve::serve(listener, router, serve::Limits::default(), world.hub.stopping()));
    address
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up_and_leaves_nothing() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let world = World::new().await;
    assert_eq!(Public::new(world.hub.clone(), Arc::new(Hosts::of(world.public()))).body_time, Duration::from_secs(20));
    let address = side(&world, |public| public.body_time = Duration::from_millis(300)).await;
    let head = format!("POST /hooks/{} HTTP/1.1\r\nhost: {address}\r\nx-signature: {SIGNATURE}\r\ncontent-length: 10\r\n\r\n", world.probe);
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(b"{\"n\"").await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(5), socket.read_to_end(&mut answer)).await.expect("let go").unwrap_or_default();
    assert_eq!(read(&answer).status, 408, "{}", String::from_utf8_lossy(&answer));
    assert_eq!(world.count("SELECT count(*) FROM arrival").await, 0);
    let path = format!("/hooks/{}", world.probe);
    assert_eq!(ask(address, "POST", &path, &[SIGNED], b"{}").await.status, 200);
    world.hub.stop().await;
}

#[tokio::test]
async fn one_connection_brings_no_more_than_its_share_and_a_forger_uses_up_none_of_it() {
    let world = World::new().await;
    let address = side(&world, |public| public.hooks = Pace::new(5, Duration::from_secs(60))).await;
    let path = format!("/hooks/{}", world.probe);
    for _ in 0..20 {
        assert_eq!(ask(address, "POST", &path, &[("x-signature", "forged")], b"{}").await.status, 401);
    }
    for n in 0..5 {
        assert_eq!(ask(address, "POST", &path, &[SIGNED], b"{}").await.status, 200, "{n}");
    }
    let slowed = ask(address, "POST", &path, &[SIGNED], b"{}").await;
    assert_eq!(slowed.status, 429, "the service comes again");
    assert!(slowed.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    assert_eq!(world.count("SELECT count(*) FROM arrival").await, 5);
    assert_eq!(shopbell_core::gateway::public::HOOKS, 50_000, "as many as a busy service may bring at once");
    world.hub.stop().await;
}

#[tokio::test]
async fn one_caller_behind_our_proxy_cannot_hold_every_answer() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let world = World::new().await;
    world.hub.tunnel.fix("https://shop.example.com".into());
    let address = side(&world, |public| public.reading = Seats::new(3)).await;
    let open = async |from: &str| {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let head = format!(
            "GET /widget/v1/stream HTTP/1.1\r\nhost: {address}\r\nx-forwarded-for: {from}\r\nauthorization: Bearer {}\r\n\r\n",
            world.visitor().await
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut piece = [0; 4096];
        let count = tokio::time::timeout(Duration::from_secs(5), socket.read(&mut piece)).await.unwrap().unwrap();
        (read(&piece[..count]).status, socket)
    };
    let mut held = Vec::new();
    for _ in 0..3 {
        let (status, socket) = open("203.0.113.7").await;
        assert_eq!(status, 200);
        held.push(socket);
    }
    assert_eq!(open("203.0.113.7").await.0, 429);
    assert_eq!(open("203.0.113.8").await.0, 200, "others are not concerned");
    let path = format!("/hooks/{}", world.probe);
    let headers = [SIGNED, ("x-forwarded-for", "203.0.113.7")];
    assert_eq!(ask(address, "POST", &path, &headers, b"{}").await.status, 200, "and a service is never counted");
    drop(held);
    for _ in 0..100 {
        if open("203.0.113.7").await.0 == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(open("203.0.113.7").await.0, 200, "who has gone gives its place back");
    world.hub.stop().await;
}
