//! What was made a moment ago and does not show yet.

use countersign_sim::{Simulator, Switch, pins};
use serde_json::{Value, json};

use crate::support::Client;

/// Makes a tag object, then asks for a ref to it three times.
fn tagged(switch: Switch) -> Vec<(u16, String)> {
    let sim = Simulator::start();
    sim.turn_on(switch);
    let client = Client::writer(&sim);
    let head = sim.ref_oid("refs/heads/main").unwrap();
    let body = json!({ "tag": "v1", "message": "m", "object": head, "type": "commit" });
    let tag = client.post("/git/tags", &body).text("sha");

    let body = json!({ "ref": "refs/tags/v1", "sha": tag });
    let tries = (0..3).map(|_| client.post("/git/refs", &body));
    tries
        .map(|answer| {
            let message = answer.json()["message"].as_str().map(str::to_owned);
            (answer.status, message.unwrap_or_default())
        })
        .collect()
}

#[test]
fn a_fresh_object_is_not_found_at_first() {
    pins![U2];
    let refused = (404, "Not Found".to_owned());
    assert_eq!(
        tagged(Switch::FreshObjectsAreNotFound),
        [refused.clone(), refused, (201, String::new())]
    );
}

#[test]
fn a_fresh_object_does_not_exist_at_first() {
    pins![U2];
    let refused = (422, "Object does not exist".to_owned());
    assert_eq!(
        tagged(Switch::FreshObjectsDoNotExist),
        [refused.clone(), refused, (201, String::new())]
    );
}

#[test]
fn an_old_object_is_found_at_once() {
    let sim = Simulator::start();
    sim.turn_on(Switch::FreshObjectsAreNotFound);
    let head = sim.ref_oid("refs/heads/main").unwrap();
    let body = json!({ "ref": "refs/tags/v1", "sha": head });
    assert_eq!(Client::writer(&sim).post("/git/refs", &body).status, 201);
}

#[test]
fn a_fresh_ref_is_missing_for_as_many_looks_as_a_test_says() {
    pins![F2];
    let sim = Simulator::start();
    sim.turn_on(Switch::FreshRefsAreMissing);
    sim.lag(3);
    let client = Client::writer(&sim);
    let head = sim.ref_oid("refs/heads/main").unwrap();
    client.post("/git/refs", &json!({ "ref": "refs/tags/v1", "sha": head }));
    let looks: Vec<u16> = (0..4)
        .map(|_| client.get("/git/ref/tags/v1").status)
        .collect();
    assert_eq!(looks, [404, 404, 404, 200]);
}

#[test]
fn the_tag_that_a_publication_makes_is_missing_at_first() {
    pins![F2];
    let sim = Simulator::start();
    sim.turn_on(Switch::FreshRefsAreMissing);
    let client = Client::writer(&sim);
    client.post("/releases", &json!({ "tag_name": "v1" }));
    let looks: Vec<u16> = (0..3)
        .map(|_| client.get("/git/ref/tags/v1").status)
        .collect();
    assert_eq!(looks, [404, 404, 200]);
}

/// The names of assets that an answer shows.
fn names(assets: &Value) -> Vec<&str> {
    let assets = assets.as_array().unwrap().iter();
    assets
        .map(|asset| asset["name"].as_str().unwrap())
        .collect()
}

#[test]
fn a_publications_answer_and_the_list_lack_the_newest_asset_at_first() {
    pins![U7];
    let sim = Simulator::start();
    sim.turn_on(Switch::FreshAssetsAreMissing);
    let client = Client::writer(&sim);
    let draft = client.post("/releases", &json!({ "tag_name": "v1", "draft": true }));
    for name in ["a", "b"] {
        client.upload(&draft.json(), name, b"1");
    }
    let published = client.call("PATCH", "/releases/1", &json!({ "draft": false }));
    assert_eq!(names(&published.json()["assets"]), ["a"]);
    assert_eq!(names(&client.get("/releases/1/assets").json()), ["a"]);
    assert_eq!(names(&client.get("/releases/1/assets").json()), ["a", "b"]);
    assert_eq!(sim.releases()[0].assets.len(), 2);
}

#[test]
fn a_published_release_is_listed_as_a_draft_at_first() {
    pins![U7];
    let sim = Simulator::start();
    sim.turn_on(Switch::PublishedStillListedAsDraft);
    let client = Client::writer(&sim);
    let published = client.post("/releases", &json!({ "tag_name": "v1" }));
    assert_eq!(published.json()["draft"], false);
    let looks: Vec<Value> = (0..3)
        .map(|_| client.get("/releases").json()[0]["draft"].clone())
        .collect();
    assert_eq!(looks, [json!(true), json!(true), json!(false)]);
}

#[test]
fn turning_a_switch_off_shows_everything() {
    let sim = Simulator::start();
    sim.turn_on(Switch::FreshRefsAreMissing);
    let client = Client::writer(&sim);
    client.post("/releases", &json!({ "tag_name": "v1" }));
    sim.turn_off(Switch::FreshRefsAreMissing);
    assert_eq!(client.get("/git/ref/tags/v1").status, 200);
}
