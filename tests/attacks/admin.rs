//! The admin side: nothing of it on the public port, and no request that breaks it.

use shopbell_core::api::COMMANDS;

use crate::world::{TOKEN, World, ask, raw};

#[tokio::test]
async fn no_admin_route_is_reachable_through_the_public_port() {
    let world = World::new().await;
    let nonce = world.doors.sign_in.as_ref().unwrap().nonce();
    let cookie = world.doors.sign_in.as_ref().unwrap().redeem(&nonce).await.unwrap().unwrap();
    let (bearer, cookie) = (format!("Bearer {TOKEN}"), format!("shopbell_session={cookie}"));
    let admin_host = world.admin().to_string();
    let nothing = ask(world.public(), "GET", "/no/such/thing", &[], b"").await;
    assert_eq!((nothing.status, nothing.body.as_str()), (404, "Not found.\n"));
    let mut paths: Vec<String> = COMMANDS.iter().map(|name| format!("/api/v1/{name}")).collect();
    for more in [
        "/",
        "/index.html",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v1/login",
        "/api/v1/logout",
        "/api/v1/openapi.json",
        "/api/v1/changes",
        "/api/v1/media/med_1",
        "//api/v1/health",
        "/./api/v1/health",
        "/widget/v1/../../api/v1/health",
        "/hooks/../api/v1/health",
        "/hooks/x/../../api/v1/health",
        "/%61pi/v1/health",
        "/api%2fv1%2fhealth",
        "/API/V1/health",
        "/widget/v1/%2e%2e/%2e%2e/api/v1/health",
        "/metrics",
        "/debug",
        "/.env",
        "/shopbell.db",
        "/media/../shopbell.db",
        "/media/..%2fshopbell.db",
        "/widget/v1/assets/..%2f..%2fapp.html",
        "/widget/v1/assets/%2e%2e",
        "/.well-known/x",
    ] {
        paths.push(more.to_owned());
    }
    for path in &paths {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "TRACE"] {
            let headers = [
                ("authorization", bearer.as_str()),
                ("cookie", cookie.as_str()),
                ("content-type", "application/json"),
                ("x-forwarded-host", &admin_host),
                ("x-original-url", "/api/v1/health"),
            ];
            let answer = ask(world.public(), method, path, &headers, b"{}").await;
            assert_eq!(answer.status, 404, "{method} {path}");
            if method != "HEAD" {
                assert_eq!(answer.body, nothing.body, "{method} {path}: always the same words");
            }
            assert_eq!(answer.header("server"), "", "no word about what we are");
        }
    }
    for host in [admin_host.as_str(), "localhost:7410", "evil.example", ""] {
        let answer = ask(world.public(), "POST", "/api/v1/list_connections", &[("host", host), ("authorization", &bearer)], b"{}").await;
        assert!(matches!(answer.status, 400 | 404), "{host}: {}", answer.status);
    }
    let whole = format!(
        "POST http://{admin_host}/api/v1/list_connections HTTP/1.1\r\nhost: {admin_host}\r\nauthorization: {bearer}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}"
    );
    assert_eq!(raw(world.public(), whole.as_bytes()).await.status, 404, "a whole address in the request line");
    let answer = world.command("list_connections", "{}").await;
    assert_eq!(answer.status, 200, "and the admin port answers: {}", answer.body);
    world.hub.stop().await;
}

#[tokio::test]
async fn every_command_takes_hostile_json_with_a_sentence() {
    let world = World::new().await;
    let long = "x".repeat(200_000);
    let deep = format!(r#"{{"config":{}1{}}}"#, r#"{"a":"#.repeat(100), "}".repeat(100));
    let all = |value: &str| {
        let names = [
            "id",
            "connection",
            "conversation",
            "agent",
            "name",
            "query",
            "cursor",
            "limit",
            "connector",
            "config",
            "content",
            "status",
            "owner",
            "label",
            "settings",
            "tools",
            "passphrase",
            "url",
            "text",
        ];
        format!("{{{}}}", names.map(|name| format!("{name:?}:{value}")).join(","))
    };
    let mut bodies: Vec<String> = [
        "{}",
        "[]",
        "null",
        "7",
        "\"x\"",
        "{",
        "",
        "{\"\":{}}",
        "{\"id\":\"con_x\"}",
        "{\"id\":\"' OR 1=1 --\"}",
        r#"{"limit":-1}"#,
        r#"{"limit":99999999999999999999}"#,
        r#"{"cursor":"\u0000"}"#,
        r#"{"query":"\"((("}"#,
    ]
    .map(str::to_owned)
    .to_vec();
    for value in [
        "null",
        "true",
        "-1",
        "1e308",
        "\"\"",
        "\"\\u0000\"",
        "[]",
        "{}",
        "[[[[]]]]",
        "\"../../etc/passwd\"",
        "\"<script>alert(1)</script>\"",
        "\"\\ud83d\\ude00\"",
    ] {
        bodies.push(all(value));
    }
    bodies.push(format!(r#"{{"id":"{long}","name":"{long}","query":"{long}","cursor":"{long}"}}"#));
    bodies.push(deep);
    bodies.push(format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    bodies.push("{\"a\":1,\"a\":2}".into());
    for command in COMMANDS {
        for body in &bodies {
            let answer = world.command(command, body).await;
            let shown: String = body.chars().take(80).collect();
            assert!(answer.status != 500 && answer.status != 0, "{command} {shown} answered {} {}", answer.status, answer.body);
            let json = answer.json();
            if answer.status >= 400 {
                assert!(json["error"]["code"].is_string(), "{command} {shown}: {}", answer.body);
                let message = json["error"]["message"].as_str().unwrap_or_default();
                assert!(!message.is_empty() && message.len() < 2000, "{command} {shown}: a sentence, not {message:.200}");
            }
            for inside in ["panicked", ".rs:", "rusqlite", "SELECT ", "no such table", "stack backtrace"] {
                assert!(!answer.body.contains(inside), "{command} {shown} tells {inside:?}: {}", answer.body);
            }
        }
    }
    assert_eq!(world.command("list_connections", "{}").await.status, 200, "it goes on");
    world.hub.stop().await;
}

#[tokio::test]
async fn a_locked_vault_is_said_and_hooks_are_asked_to_come_again() {
    let world = World::new().await.restarted(None).await;
    let hook = ask(world.public(), "POST", &format!("/hooks/{}", world.probe), &[], b"{}").await;
    assert_eq!(hook.status, 503);
    assert!(hook.header("retry-after").parse::<u32>().is_ok());
    let session = ask(
        world.public(),
        "POST",
        "/widget/v1/sessions",
        &[("origin", "http://localhost")],
        format!(r#"{{"key":"{}"}}"#, world.website).as_bytes(),
    )
    .await;
    assert_eq!(session.status, 503, "{}", session.body);
    assert_eq!(session.json()["error"], "desk_offline");
    for command in COMMANDS.iter().filter(|name| !matches!(**name, "health" | "create_vault" | "unlock_vault")) {
        let answer = world.command(command, "{}").await;
        assert_eq!(answer.status, 423, "{command}: {}", answer.body);
        assert_eq!(answer.json()["error"]["code"], "vault_locked", "{command}");
    }
    world.hub.stop().await;
}
