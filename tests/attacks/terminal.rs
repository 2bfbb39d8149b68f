//! Names and titles from elsewhere that are to look like a row of ours on a terminal.

use serde_json::json;

use crate::{
    Scene,
    harness::{
        RUN, Stage,
        by_hand::{guarded, path},
        terminal::{assert_no_row, drawing},
    },
};

pub const SCENES: &[Scene] = &[
    (
        "the name of an artifact is to say who asked for the run",
        an_artifacts_name,
    ),
    (
        "the title of a pull request is to say that an audit found nothing",
        a_pull_requests_title,
    ),
];

/// Where the text begins on the terminal shows first, and then a row is drawn to fit.
fn draws_no_row(show: impl Fn(&str) -> Vec<String>, row: &str) {
    let plain = show("QQQQ");
    let heading = plain.iter().find_map(|line| line.find("QQQQ"));
    let heading = heading.unwrap_or_else(|| panic!("it is not shown: {plain:#?}"));

    let shown = show(&drawing("QQQQ", heading, &[row]));
    let last = row.rsplit(' ').next().unwrap();
    assert!(
        shown.iter().any(|line| line.contains(last)),
        "it is not shown: {shown:#?}"
    );
    assert_no_row(&shown, &[row]);
}

fn an_artifacts_name() {
    let stage = Stage::new();
    stage.with_approver();
    let plan = stage.tag().dry_run();
    let show = |name: &str| {
        let id = stage.leave_plan_as(name, &plan, |text| text);
        (1..id).for_each(|before| stage.sim.expire_artifact(before));
        let by = format!("--run {RUN} --repository octo/hello --key approver");
        stage.read_on_a_terminal(&format!("authorize {by}"))
    };
    draws_no_row(show, "asked for by  the release managers");
}

fn a_pull_requests_title() {
    let stage = guarded();
    stage.sim.commit("docs", &[("docs.md", b"docs")]);
    let show = |title: &str| {
        for pull in stage.sim.pulls() {
            stage.sim.close_pull(pull.number);
        }
        let docs = json!({"title": title, "head": "docs", "base": "main"});
        stage.post(&path(&stage, "pulls"), &docs);
        stage.read_on_a_terminal("audit --trusted-keys keys --repository octo/hello")
    };
    let row = "found          nothing: everything has its receipt, and every receipt its effect";
    draws_no_row(show, row);
}
