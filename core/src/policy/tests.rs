//! The decision table, kept as a golden file, and what a policy may not say.

use super::*;
use crate::plan::Plan;
use crate::testing::{checkpoint, pull, release, tag};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

const POLICY: &str = r#"
version = 3

[[rule]]
name = "releases"
operation = "publish_release"
repository = "owner/repo"
repository_id = 123456
tag = "v*"
approvers = ["alice", "bob", "carol"]
threshold = 2
longest_lifetime = "1h"
exclude_requester = true

[[rule]]
name = "tags"
operation = "tag_repo"
repository = "owner/repo"
repository_id = 123456
tag = "v1.*"
approvers = ["alice"]
threshold = 1
longest_lifetime = "30m"
exclude_requester = false

[[rule]]
name = "all pull requests"
operation = "open_pr"
repository = "owner/repo"
repository_id = 123456
branch = "*"
approvers = ["alice", "bob"]
threshold = 1
longest_lifetime = "24h"
exclude_requester = false

[[rule]]
name = "pull requests into main"
operation = "open_pr"
repository = "owner/repo"
repository_id = 123456
branch = "main"
approvers = ["alice", "bob"]
threshold = 2
longest_lifetime = "24h"
exclude_requester = true
"#;

fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap()
}

/// `alice` is `alice=alice-gh`; without a login just `alice`.
fn approvals(people: &[&str]) -> Vec<Approval> {
    let approval = |person: &&str| {
        let (name, login) = person
            .split_once('=')
            .map_or((*person, None), |(name, login)| (name, Some(login)));
        Approval {
            name: name.into(),
            login: login.map(|login| login.parse().unwrap()),
        }
    };
    people.iter().map(approval).collect()
}

/// One row of the table as text.
fn row(
    operation: &Operation,
    people: &[&str],
    requesters: &[&str],
    reviewers: &[&str],
    lifetime: &str,
    policy: &Policy,
) -> String {
    let logins = |logins: &[&str]| {
        logins
            .iter()
            .map(|login| login.parse().unwrap())
            .collect::<Vec<_>>()
    };
    let request = Request {
        operation,
        approvals: &approvals(people),
        requesters: &logins(requesters),
        reviewers: &logins(reviewers),
        lifetime: lifetime.parse().unwrap(),
    };
    let decision = decide_one(&request, policy);
    let rule = decision.rule.clone().unwrap_or("-".into());
    let verdict = match (decision.allows(), decision.waits_for_others()) {
        (true, _) => "YES",
        (_, true) => "not yet",
        _ => "no",
    };
    let reasons: Vec<String> = decision
        .reasons
        .iter()
        .map(|reason| format!("\n    {}: {reason}", reason.code()))
        .collect();
    format!(
        "{} {}, {lifetime}, approved by [{}], asked for by [{}], let on by [{}]\n  {verdict}, rule {rule}{}\n",
        operation.kind(),
        subject(operation),
        people.join(", "),
        requesters.join(", "),
        reviewers.join(", "),
        reasons.concat()
    )
}

fn table() -> String {
    let all = policy(POLICY);
    let none = policy("version = 1\n");
    let (release, tag, pull) = (release(), tag(), pull());
    let other_repository = policy(&POLICY.replace("123456", "123457"));
    let other_tags = policy(&POLICY.replace("\"v*\"", "\"w*\""));
    let people = [
        "alice=alice-gh",
        "bob=bob-gh",
        "carol=carol-gh",
        "mallory=mallory-gh",
    ];
    let [alice, bob, carol, mallory] = people;
    [
        row(&release, &[alice, bob], &["dana"], &[], "1h", &all),
        row(&release, &[alice], &["dana"], &[], "1h", &all),
        row(&release, &[], &["dana"], &[], "1h", &all),
        row(&release, &[alice, alice], &["dana"], &[], "1h", &all),
        row(
            &release,
            &[alice, "bob=ALICE-gh"],
            &["dana"],
            &[],
            "1h",
            &all,
        ),
        row(&release, &[alice, mallory], &["dana"], &[], "1h", &all),
        row(&release, &[mallory], &["dana"], &[], "1h", &all),
        row(&release, &[alice, bob], &["alice-gh"], &[], "1h", &all),
        row(&release, &[alice, bob], &["ALICE-GH"], &[], "1h", &all),
        row(
            &release,
            &[alice, bob, carol],
            &["alice-gh"],
            &[],
            "1h",
            &all,
        ),
        row(&release, &[alice], &["alice-gh"], &[], "1h", &all),
        row(&release, &[alice, "bob"], &["dana"], &[], "1h", &all),
        row(&release, &[alice, bob], &[], &[], "1h", &all),
        row(
            &release,
            &[alice, bob],
            &["dana", "bob-gh"],
            &[],
            "1h",
            &all,
        ),
        row(&release, &[alice, bob], &["dana"], &["dana"], "1h", &all),
        row(&release, &[alice, bob], &["dana"], &["erin"], "1h", &all),
        row(
            &release,
            &[alice, bob],
            &["dependabot[bot]"],
            &[],
            "1h",
            &all,
        ),
        row(
            &release,
            &[alice, bob],
            &["github-actions[bot]"],
            &[],
            "1h",
            &all,
        ),
        row(&release, &[alice, bob], &["dana"], &[], "3601s", &all),
        row(&release, &[alice], &["alice-gh"], &[], "2h", &all),
        row(&tag, &[alice], &["alice-gh"], &[], "30m", &all),
        row(&tag, &["alice"], &[], &[], "30m", &all),
        row(&tag, &[bob], &["dana"], &[], "30m", &all),
        row(&tag, &[alice], &["dana"], &[], "1801s", &all),
        row(&pull, &[alice, bob], &["dana"], &[], "1h", &all),
        row(
            &release,
            &[alice, bob],
            &["dana"],
            &[],
            "1h",
            &other_repository,
        ),
        row(&release, &[alice, bob], &["dana"], &[], "1h", &other_tags),
        row(&release, &[alice, bob], &["dana"], &[], "1h", &none),
    ]
    .join("\n")
}

#[test]
fn the_decision_table_is_as_it_was() {
    let golden = include_str!("decisions.golden");
    let table = table();
    // `BLESS=… cargo test` writes the table anew, for a look at what changed.
    if let Some(path) = option_env!("BLESS_DECISIONS") {
        std::fs::write(path, &table).unwrap();
    }
    assert_eq!(table, golden);
}

#[test]
fn a_plan_is_decided_operation_by_operation() {
    use crate::plan::{PlannedOperation, Surroundings};
    let operations = [release(), tag(), pull()].map(|operation| {
        PlannedOperation::alone(operation, Surroundings::with_ledger(checkpoint()))
    });
    let mut plan = Plan::new("17".parse().unwrap(), operations.into());
    plan.requested_by = ["dana".parse().unwrap()].into();
    let decisions = decide(
        &plan,
        &approvals(&["alice=alice-gh"]),
        "30m".parse().unwrap(),
        &policy(POLICY),
    );
    let told: Vec<_> = decisions
        .iter()
        .map(|decision| (decision.allows(), decision.waits_for_others()))
        .collect();
    assert_eq!(told, [(false, true), (true, false), (false, false)]);
    assert_eq!(decisions[1].operation, tag().digest());
}

#[test]
fn every_mistake_in_a_policy_has_its_place() {
    for (from, to, problem) in [
        (
            "version = 3",
            "version = 0",
            "line 2, column 11: expected a version from 1 to 1000000",
        ),
        (
            "version = 3",
            "",
            "line 1, column 1: the member `version` is missing",
        ),
        (
            "threshold = 2",
            "threshold = 0",
            "line 11, column 13: expected a whole number from 1",
        ),
        (
            "threshold = 2",
            "threshold = \"2\"",
            "line 11, column 13: expected a whole number, found text",
        ),
        (
            "threshold = 2",
            "treshold = 2",
            "line 11, column 1: the member `treshold` is unknown here; is `threshold` meant?",
        ),
        (
            "tag = \"v*\"",
            "tag = \"v*\"\nsigned = true",
            "line 10, column 1: the member `signed` is unknown here",
        ),
        (
            "tag = \"v*\"",
            "branch = \"v*\"",
            "line 4, column 1: the member `tag` is missing",
        ),
        (
            "[\"alice\", \"bob\", \"carol\"]",
            "[]",
            "line 10, column 13: expected at least one approver, each once",
        ),
        (
            "[\"alice\", \"bob\", \"carol\"]",
            "[\"alice\", \"alice\"]",
            "line 10, column 13: expected at least one approver, each once",
        ),
        (
            "\"1h\"",
            "\"25h\"",
            "line 12, column 20: `25h` is no lifetime: expected 1s to 24h, for example 90s, 30m or 1h",
        ),
        (
            "\"tags\"",
            "\"releases\"",
            "line 15, column 1: another rule has this name already",
        ),
        (
            "\"publish_release\"",
            "\"release\"",
            "line 6, column 13: `release` is no operation: expected `publish_release`, `tag_repo` or `open_pr`",
        ),
        (
            "exclude_requester = true",
            "exclude_requester = 1",
            "line 13, column 21: expected true or false, found a whole number",
        ),
        (
            "[[rule]]",
            "[[rules]]",
            "line 4, column 3: the member `rules` is unknown here",
        ),
        (
            "tag = \"v*\"",
            "tag = \"v[0-9]\"",
            "line 9, column 7: `v[0-9]` is no pattern",
        ),
    ] {
        let told = Policy::parse(&POLICY.replacen(from, to, 1))
            .map(|_| ())
            .map_err(|error| error.to_string());
        assert!(
            told.as_ref().is_err_and(|told| told.starts_with(problem)),
            "{to}: {told:?}"
        );
    }
}

#[test]
fn a_denial_tells_every_reason_and_what_to_do_about_the_first() {
    let request = Request {
        operation: &tag(),
        approvals: &approvals(&["mallory"]),
        requesters: &[],
        reviewers: &[],
        lifetime: "1h".parse().unwrap(),
    };
    let denial = decide_one(&request, &policy(POLICY)).verdict().unwrap_err();
    let codes: Vec<_> = denial.reasons().iter().map(Reason::code).collect();
    assert_eq!(
        codes,
        [
            "policy_lifetime",
            "policy_not_an_approver",
            "policy_threshold_unmet"
        ]
    );
    assert_eq!(
        denial.to_string(),
        "the policy's rule `tags` gives no leave: the receipt lasts 1h, the rule allows 30m; `mallory` is no approver of this rule; \
        0 approver(s) of `alice` signed, 1 must"
    );
    assert_eq!(
        denial.remedy(),
        "Ask for a receipt that lasts no longer than the policy allows: `countersign authorize --expires-in`."
    );
}

#[test]
fn a_policy_has_256_rules_at_most_and_a_version_up_to_a_million() {
    let rule = POLICY.split("\n\n").nth(2).unwrap();
    let rules = |count: usize| {
        (0..count)
            .map(|number| rule.replace("\"tags\"", &format!("\"{number}\"")))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let read = |text: &str| {
        Policy::parse(text)
            .map(|policy| policy.rules.len())
            .map_err(|error| error.to_string())
    };
    assert_eq!(read(&format!("version = 1\n{}", rules(256))), Ok(256));
    assert_eq!(
        read(&format!("version = 1\n{}", rules(257))),
        Err("line 1, column 1: more than 256 rules".into())
    );
    assert_eq!(read("version = 1000000"), Ok(0));
    assert_eq!(
        read("version = 1000001"),
        Err("line 1, column 11: expected a version from 1 to 1000000".into())
    );
}

#[test]
fn a_lint_finds_rules_that_never_decide_and_that_nobody_satisfies() {
    let owner = |name: &str, login: &str| Owner {
        name: name.into(),
        login: login.parse().ok(),
    };
    let told = |text: &str, keys: Option<&[Owner]>| -> Vec<String> {
        lint(&policy(text), keys)
            .into_iter()
            .map(|finding| format!("{} {}: {}", finding.rule, finding.code, finding.problem))
            .collect()
    };
    let keys = [owner("alice", "alice-gh"), owner("bob", "")];
    assert_eq!(
        told(POLICY, Some(&keys)),
        [
            "releases unknown_login: the rule excludes the requester, but the login of `bob` is not known",
            "releases unknown_key: no trusted key that counts now has the name `carol`",
            "pull requests into main threshold_without_requester: all 2 approvers must agree, so what one of them asks for can never be approved",
            "pull requests into main unknown_login: the rule excludes the requester, but the login of `bob` is not known",
            "pull requests into main unreachable_rule: wherever it matches, `all pull requests` matches too, and two are as good as none",
        ]
    );
    let above = POLICY
        .replacen("threshold = 2", "threshold = 4", 1)
        .replace("\"main\"", "\"m*\"")
        .replace("\"*\"", "\"*n\"");
    let told = told(&above, None);
    assert_eq!(
        told[0],
        "releases threshold_above_approvers: 4 approvers must agree, but the rule names 3"
    );
    let twins = [owner("alice", "a"), owner("bob", "A"), owner("carol", "a")];
    assert!(
        super::lint(&policy(POLICY), Some(&twins))
            .iter()
            .any(|finding| finding.code == "same_login"
                && finding.problem.ends_with("they are 1 people")),
    );
    let two_people = [owner("alice", "a"), owner("bob", "A"), owner("carol", "c")];
    let all_three = POLICY.replacen("threshold = 2", "threshold = 3", 1);
    let same = super::lint(&policy(&all_three), Some(&two_people))
        .into_iter()
        .find(|finding| finding.code == "same_login");
    assert_eq!(
        same.map(|same| same.problem).as_deref(),
        Some("3 approvers must agree, but by their logins they are 2 people")
    );
    assert_eq!(
        super::lint(&policy("version = 1"), None)[0].code,
        "no_rules"
    );
    assert_eq!(
        told[1],
        "all pull requests overlapping_rules: some names match `pull requests into main` too, and two are as good as none"
    );
}
