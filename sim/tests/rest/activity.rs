//! The record of how a ref moved.

use countersign_sim::{Simulator, Switch, pins};
use serde_json::Value;

use crate::support::{Client, Reply};

const LEDGER: &str = "/activity?ref=refs%2Fheads%2Freceipt-ledger";

/// A branch that was made, grown twice, set back and grown again; its commits.
fn moved(sim: &Simulator) -> [String; 4] {
    let root = sim.orphan("receipt-ledger", &[("ledger.json", b"{}")]);
    let first = sim.commit("receipt-ledger", &[("a", b"1")]);
    let second = sim.commit("receipt-ledger", &[("a", b"2")]);
    sim.set_ref("refs/heads/receipt-ledger", &first);
    let third = sim.commit("receipt-ledger", &[("a", b"3")]);
    [root, first, second, third]
}

fn steps(answer: &Reply) -> Vec<(String, String, String)> {
    let word = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    let items = answer.json();
    items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (
                word(item, "activity_type"),
                word(item, "before"),
                word(item, "after"),
            )
        })
        .collect()
}

#[test]
fn moves_of_a_ref_are_listed_newest_first_with_what_was_before_and_after() {
    pins![L6, L8];
    let sim = Simulator::start();
    let [root, first, second, third] = moved(&sim);
    let answer = Client::writer(&sim).get(LEDGER);
    let step = |kind: &str, before: &str, after: &str| {
        (kind.to_owned(), before.to_owned(), after.to_owned())
    };
    assert_eq!(
        steps(&answer),
        [
            step("push", &first, &third),
            step("force_push", &second, &first),
            step("push", &first, &second),
            step("push", &root, &first),
            step("branch_creation", &"0".repeat(40), &root),
        ]
    );
    assert!(answer.header("link").is_none());
}

#[test]
fn a_page_of_moves_names_the_next_one_by_a_cursor_alone() {
    pins![L7];
    let sim = Simulator::start();
    moved(&sim);
    let client = Client::writer(&sim);
    let first = client.get(&format!("{LEDGER}&per_page=2"));
    let numbered = client.get(&format!("{LEDGER}&per_page=2&page=2"));
    assert_eq!(steps(&first), steps(&numbered));

    let link = first.header("link").unwrap();
    let (address, relation) = link.split_once("; ").unwrap();
    assert_eq!(relation, "rel=\"next\"");
    let (_, after) = address
        .trim_matches(['<', '>'])
        .rsplit_once("&after=")
        .unwrap();
    let second = client.get(&format!("{LEDGER}&per_page=2&after={after}"));
    let shown = [steps(&first), steps(&second)].concat();
    assert_eq!(shown, steps(&client.get(LEDGER))[..4]);
}

#[test]
fn the_newest_move_may_show_late_and_a_server_may_have_no_record() {
    pins![L8];
    let sim = Simulator::start();
    sim.turn_on(Switch::ActivityIsLate);
    moved(&sim);
    let client = Client::writer(&sim);
    let looks = [(); 3].map(|()| steps(&client.get(LEDGER)).len());
    assert_eq!(looks, [4, 4, 5]);

    sim.turn_on(Switch::ActivityIsAbsent);
    assert_eq!(client.get(LEDGER).status, 404);
}
