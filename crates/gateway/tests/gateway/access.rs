use std::net::Ipv4Addr;
use std::path::Path;

use cardoon::App;
use cardoon_core::Timestamp;
use cardoon_errors::Code;
use cardoon_gateway::auth::{Scope, TokenFile, TokenPlace};
use cardoon_gateway::{Gateway, GatewayOptions};
use cardoon_protocol::Limits;
use cardoon_runtime::Clock;
use cardoon_testkit::eventually;

use crate::world::{DEADLINE, World};

fn make(path: &Path, name: &str, scopes: &[Scope]) -> String {
    let file = TokenFile::open(path, &Clock::real()).unwrap();
    file.change(|tokens| tokens.create(name, scopes, Timestamp(0))).unwrap()
}

/// A gateway on loopback with the tokens of a file.
async fn world_with(path: &Path) -> World {
    let tokens = Some(TokenPlace::Usual(path.to_owned()));
    World::with(GatewayOptions { tokens, ..GatewayOptions::default() }).await
}

async fn status(world: &World, method: &str, path: &str, token: Option<&str>) -> u16 {
    let header = token.map(|token| format!("Bearer {token}"));
    let headers: Vec<_> = header.iter().map(|header| ("Authorization", header.as_str())).collect();
    world.ask(method, path, &headers, (method == "POST").then_some("{}")).await.status
}

#[tokio::test]
async fn each_scope_opens_its_own_paths() {
    let folder = cardoon_testkit::folder().unwrap();
    let path = folder.path().join("tokens.json");
    let tokens: Vec<_> = Scope::ALL.iter().map(|scope| make(&path, scope.as_str(), &[*scope])).collect();
    let all = make(&path, "all", &Scope::ALL);
    let world = world_with(&path).await;
    let paths = [
        (Scope::Send, "POST", "/api/v1/tasks"),
        (Scope::Send, "POST", "/api/v1/tasks/batch"),
        (Scope::Read, "GET", "/api/v1/tasks"),
        (Scope::Read, "GET", "/api/v1/tasks/a"),
        (Scope::Read, "GET", "/api/v1/tasks/a/why"),
        (Scope::Read, "GET", "/api/v1/queues"),
        (Scope::Read, "GET", "/api/v1/queues/q/messages"),
        (Scope::Read, "GET", "/api/v1/dead"),
        (Scope::Read, "GET", "/api/v1/workers"),
        (Scope::Read, "GET", "/api/v1/doctor"),
        (Scope::Read, "GET", "/metrics"),
        (Scope::Control, "POST", "/api/v1/tasks/a/retry"),
        (Scope::Control, "POST", "/api/v1/tasks/revoke"),
        (Scope::Control, "POST", "/api/v1/queues/q/pause"),
        (Scope::Control, "POST", "/api/v1/queues/q/resume"),
        (Scope::Control, "POST", "/api/v1/queues/q/purge"),
        (Scope::Control, "POST", "/api/v1/dead/redrive"),
        (Scope::Control, "POST", "/api/v1/dead/purge"),
        (Scope::Control, "POST", "/api/v1/workers/w/drain"),
        (Scope::Control, "POST", "/api/v1/workers/w/stop"),
    ];
    for (needed, method, path) in paths {
        assert_eq!(status(&world, method, path, None).await, 401, "{path}");
        assert_eq!(status(&world, method, path, Some("cdn_0000")).await, 401, "{path}");
        for (scope, token) in Scope::ALL.iter().zip(&tokens) {
            let status = status(&world, method, path, Some(token)).await;
            assert_eq!(status == 403, *scope != needed, "{path} with {scope}: {status}");
            assert_ne!(status, 401);
        }
        assert!(![401, 403].contains(&status(&world, method, path, Some(&all)).await), "{path}");
    }
    for open in ["/livez", "/readyz", "/api/v1/openapi.json", "/api/v1/errors", "/api/v1/errors/CD1001"] {
        assert_eq!(status(&world, "GET", open, None).await, 200, "{open}");
    }
}

#[tokio::test]
async fn every_path_of_the_description_asks_for_a_token() {
    let folder = cardoon_testkit::folder().unwrap();
    let path = folder.path().join("tokens.json");
    make(&path, "a", &[Scope::Send]);
    let world = world_with(&path).await;
    let description = serde_json::to_value(cardoon_gateway::description()).unwrap();
    for (path, operations) in description["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let expected = match path.as_str() {
                "/livez" | "/readyz" | "/api/v1/errors" => 200,
                "/api/v1/errors/{code}" => 404,
                _ => 401,
            };
            let path = path.replace(['{', '}'], "");
            assert_eq!(
                status(&world, &method.to_uppercase(), &path, None).await,
                expected,
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn a_revoked_token_is_refused_by_the_gateway_that_runs() {
    let folder = cardoon_testkit::folder().unwrap();
    let path = folder.path().join("tokens.json");
    let token = make(&path, "a", &[Scope::Read]);
    make(&path, "b", &[Scope::Read]);
    let world = world_with(&path).await;
    assert_eq!(status(&world, "GET", "/api/v1/tasks", Some(&token)).await, 200);
    TokenFile::open(&path, &Clock::real()).unwrap().change(|tokens| Ok(tokens.revoke("a"))).unwrap();
    eventually("it is refused", DEADLINE, async || {
        status(&world, "GET", "/api/v1/tasks", Some(&token)).await == 401
    })
    .await;
}

#[tokio::test]
async fn an_address_that_others_reach_needs_a_token() {
    let folder = cardoon_testkit::folder().unwrap();
    let path = folder.path().join("tokens.json");
    let app = App::builder().with_stores(cardoon_connect::memory(&Clock::real()));
    let bind = async |tokens| {
        let listen = (Ipv4Addr::UNSPECIFIED, 0).into();
        let options = GatewayOptions { listen, tokens, ..GatewayOptions::default() };
        Gateway::bind(app.clone(), Limits::default(), &options, &Clock::real()).await
    };
    let usual = || Some(TokenPlace::Usual(path.clone()));
    for tokens in [None, usual()] {
        assert_eq!(bind(tokens).await.err().unwrap().code(), Code::OpenAddress);
    }
    make(&path, "a", &[Scope::Read]);
    assert!(bind(usual()).await.unwrap().needs_token());
}

#[tokio::test]
async fn without_its_last_token_a_gateway_lets_nobody_in() {
    let folder = cardoon_testkit::folder().unwrap();
    let path = folder.path().join("tokens.json");
    let world = world_with(&path).await;
    let is = async |expected, token| status(&world, "GET", "/api/v1/tasks", token).await == expected;
    assert!(is(200, None).await, "nobody has made a token");
    let token = make(&path, "a", &[Scope::Read]);
    eventually("it is asked for", DEADLINE, async || is(401, None).await && is(200, Some(&token)).await)
        .await;
    TokenFile::open(&path, &Clock::real()).unwrap().change(|tokens| Ok(tokens.revoke("a"))).unwrap();
    eventually("it is refused", DEADLINE, async || is(401, Some(&token)).await).await;
    assert!(is(401, None).await);
    let again = make(&path, "a", &[Scope::Read]);
    eventually("another is known", DEADLINE, async || is(200, Some(&again)).await).await;
    std::fs::remove_file(&path).unwrap();
    eventually("the file is gone", DEADLINE, async || is(401, Some(&again)).await).await;
    assert!(is(401, None).await);
}

#[tokio::test]
async fn a_file_of_tokens_that_somebody_named_is_not_done_without() {
    let folder = cardoon_testkit::folder().unwrap();
    let path = folder.path().join("tokens.json");
    let app = App::builder().with_stores(cardoon_connect::memory(&Clock::real()));
    let bind = async || {
        let tokens = Some(TokenPlace::Named(path.clone()));
        let options =
            GatewayOptions { listen: (Ipv4Addr::LOCALHOST, 0).into(), tokens, ..GatewayOptions::default() };
        Gateway::bind(app.clone(), Limits::default(), &options, &Clock::real()).await
    };
    assert_eq!(bind().await.err().unwrap().code(), Code::BadTokenFile);
    make(&path, "a", &[Scope::Read]);
    assert!(bind().await.unwrap().needs_token());
}

#[tokio::test]
async fn an_address_that_is_taken_says_so() {
    let world = World::new().await;
    let options = GatewayOptions { listen: world.address, ..GatewayOptions::default() };
    let bound = Gateway::bind(world.app.clone(), Limits::default(), &options, &Clock::real()).await;
    assert_eq!(bound.err().unwrap().code(), Code::CannotListen);
}

#[tokio::test]
async fn pages_of_other_sites_and_other_names_of_the_host_are_kept_out() {
    let world = World::new().await;
    let send = async |headers: &[(&str, &str)]| {
        world.ask("POST", "/api/v1/tasks", headers, Some(r#"{"task": "t"}"#)).await
    };
    for headers in [
        &[("Origin", "http://evil.example")][..],
        &[("Origin", "null")],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Host", "evil.example")],
        &[("Host", "evil.example"), ("Origin", "http://evil.example"), ("Sec-Fetch-Site", "same-origin")],
    ] {
        let reply = send(headers).await;
        assert_eq!((reply.status, reply.code()), (403, "CD7003".to_owned()), "{headers:?}");
    }
    let plain = send(&[("Content-Type", "text/plain")]).await;
    assert_eq!((plain.status, plain.code()), (415, "CD7005".to_owned()));
    assert_eq!(world.look("/api/v1/queues/celery").await["ready"], 0);
    let own = send(&[("Origin", "http://localhost"), ("Sec-Fetch-Site", "same-origin")]).await;
    assert_eq!(own.status, 201);
}

#[tokio::test]
async fn a_host_or_an_origin_is_named_in_one_way() {
    let world = World::new().await;
    let ask = async |target, headers: &[(&str, &str)]| world.ask("GET", target, headers, None).await;
    for (target, headers) in [
        ("/livez", &[("Host", "localhost"), ("Host", "evil.example")][..]),
        ("/livez", &[("Origin", "http://localhost"), ("Origin", "http://evil.example")]),
        ("/livez", &[("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "cross-site")]),
        ("http://evil.example/livez", &[]),
    ] {
        let reply = ask(target, headers).await;
        assert_eq!((reply.status, reply.code()), (403, "CD7003".to_owned()), "{target} {headers:?}");
    }
    assert_eq!(ask("http://localhost/livez", &[]).await.status, 200);
}

#[tokio::test]
async fn headers_are_many_and_large_up_to_a_bound() {
    let world = World::new().await;
    let status = async |headers: &[(&str, &str)]| world.ask("GET", "/livez", headers, None).await.status;
    assert_eq!(status(&[("X", &"x".repeat(65_000))]).await, 200);
    // With the host, which is there too.
    assert_eq!(status(&[("X", "x"); 99]).await, 200);
    assert_eq!(status(&[("X", "x"); 100]).await, 431);
}
