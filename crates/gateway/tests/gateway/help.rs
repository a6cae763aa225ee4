//! What errors mean, and what may be wrong.

use cardoon_doctor::{Patient, Surroundings};
use cardoon_gateway::GatewayOptions;
use cardoon_runtime::Clock;

use crate::world::World;

#[tokio::test]
async fn the_page_of_a_code_is_shown_in_the_language_of_its_reader() {
    let world = World::new().await;
    let english = world.look("/api/v1/errors/CD1001").await;
    assert!(english["page"].as_str().unwrap().starts_with("# CD1001: "));
    let chinese = world.ask("GET", "/api/v1/errors/CD1001", &[("Accept-Language", "zh-CN,zh")], None).await;
    assert!(chinese.json()["page"].as_str().unwrap().contains("## 下一步"));
    let all = world.look("/api/v1/errors").await;
    assert!(all["items"].as_array().unwrap().iter().all(|item| item["page"].is_null()));
    let unknown = world.get("/api/v1/errors/CD0000").await;
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "CD4005"));
}

#[tokio::test]
async fn the_doctor_examines_the_stores_that_the_gateway_was_told_of() {
    let folder = cardoon_testkit::folder().unwrap();
    let patient = Patient {
        broker: format!("sqlite://{}", folder.path().join("nowhere/cardoon.db").display()),
        results: None,
        surroundings: Surroundings::of_system(),
        clock: Clock::real(),
    };
    let options = GatewayOptions { patient: Some(patient), ..GatewayOptions::default() };
    let found = World::with(options).await.look("/api/v1/doctor").await;
    let items = found["items"].as_array().unwrap();
    assert_eq!((&items[0]["check"], &items[0]["severity"]), (&"broker".into(), &"fine".into()));
    let wrong = items.iter().find(|item| item["severity"] == "error").unwrap();
    assert!(wrong["error"]["code"].is_string() && wrong["error"]["hint"].is_string(), "{wrong}");
}

#[tokio::test]
async fn a_gateway_that_does_not_know_where_its_stores_are_says_so() {
    let world = World::new().await;
    assert_eq!(world.get("/api/v1/doctor").await.status, 404);
}
