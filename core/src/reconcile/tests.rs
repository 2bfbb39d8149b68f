//! Which receipt explains which effect, told for a book and findings that are made by hand.

use std::{string::ToString, vec};

use super::*;
use crate::{
    asset::Outside,
    digest::Digest,
    document::Document,
    evidence::compose,
    ledger::{Entry, EventType, GithubResponse},
    operation::{Operation, Visibility},
    receipt::Terms,
    testing::{self, NOON, commit},
};

fn claim_entry(receipt: &str, sequence: u64, operation: &Operation) -> Entry {
    let terms = Terms {
        receipt_id: receipt.parse().unwrap(),
        operation_kind: operation.kind(),
        operation_digest: operation.digest(),
        ..testing::terms()
    };
    Entry {
        sequence,
        timestamp: NOON,
        receipt: None,
        ..testing::claim_of(operation, &terms)
    }
}

type Ended = (EventType, GithubResponse);

/// A book with one receipt for each operation, claimed at noon; of its outcome, if it has one.
fn book(receipts: &[(&str, Operation, Option<Ended>)]) -> Book {
    let mut book = Book::default();
    let mut sequence = 0;
    for (receipt, operation, outcome) in receipts {
        sequence += 1;
        let claim = claim_entry(receipt, sequence, operation);
        book.take(claim.clone(), None, None);
        if let Some((event_type, response)) = outcome.clone() {
            sequence += 1;
            let entry = Entry {
                sequence,
                event_type,
                receipt: None,
                operation: None,
                github_response: Some(response),
                ..claim
            };
            book.take(entry, None, None);
        }
    }
    book
}

const fn succeeded(response: GithubResponse) -> Ended {
    (EventType::Succeeded, response)
}

fn failed() -> Ended {
    let response = GithubResponse {
        error_code: Some("github_rejected".into()),
        ..GithubResponse::default()
    };
    (EventType::Failed, response)
}

/// The release of `testing::release` as GitHub would show it.
fn as_released() -> FoundRelease {
    FoundRelease {
        id: 7,
        tag_name: "v1.0.0".into(),
        commit: Some(commit('1').to_string()),
        name: "v1.0.0".into(),
        body: "First.\r\n".into(),
        assets: vec![FoundAsset {
            name: "app.tar.gz".into(),
            size: 3,
            digest: Some(
                "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".into(),
            ),
            outside: Outside {
                label: Some(String::new()),
                content_type: "application/gzip".into(),
            },
        }],
        changed_at: Some(NOON),
        ..FoundRelease::default()
    }
}

/// The same release, with other sides of its asset.
fn with_outside(label: Option<&str>, content_type: &str) -> FoundRelease {
    let mut found = as_released();
    found.assets[0].outside = Outside {
        label: label.map(Into::into),
        content_type: content_type.into(),
    };
    found
}

fn as_opened(number: u64) -> FoundPull {
    FoundPull {
        number,
        needs_receipt: true,
        title: "Release 1.0.0".into(),
        head_branch: "release-1.0.0".into(),
        head_sha: commit('1').to_string(),
        base_branch: "main".into(),
        opened_at: Some(NOON),
        ..FoundPull::default()
    }
}

fn releases(found: &[FoundRelease]) -> Found {
    Found {
        releases: Some(found.to_vec()),
        ..Found::default()
    }
}

fn codes(book: &Book, found: &Found, since: Timestamp) -> Vec<&'static str> {
    reconcile(book, found, since)
        .iter()
        .map(|finding| finding.code.as_str())
        .collect()
}

#[test]
fn a_release_as_approved_is_explained_whatever_its_line_ends() {
    let made = GithubResponse {
        release_id: Some(7),
        ..GithubResponse::default()
    };
    let book = book(&[("a", testing::release(), Some(succeeded(made)))]);
    assert_eq!(
        codes(&book, &releases(&[as_released()]), NOON),
        Vec::<&str>::new()
    );
    for (what, found) in [
        (
            "a digest that is not told",
            FoundRelease {
                assets: vec![FoundAsset {
                    digest: None,
                    ..as_released().assets.remove(0)
                }],
                ..as_released()
            },
        ),
        (
            "a label that nobody approved",
            with_outside(Some("app-signed.tar.gz"), "application/gzip"),
        ),
        ("another content type", with_outside(None, "text/html")),
        (
            "another commit",
            FoundRelease {
                commit: Some(commit('2').to_string()),
                ..as_released()
            },
        ),
        (
            "no commit",
            FoundRelease {
                commit: None,
                ..as_released()
            },
        ),
        (
            "another number",
            FoundRelease {
                id: 8,
                ..as_released()
            },
        ),
        (
            "a prerelease",
            FoundRelease {
                prerelease: true,
                ..as_released()
            },
        ),
        (
            "a missing asset",
            FoundRelease {
                assets: Vec::new(),
                ..as_released()
            },
        ),
    ] {
        assert_eq!(
            codes(&book, &releases(&[found]), NOON),
            ["release_differs"],
            "{what}"
        );
    }
}

fn as_draft() -> Operation {
    let Operation::PublishRelease(mut release) = testing::release() else {
        unreachable!()
    };
    release.visibility = Visibility::new(true, false, None).unwrap();
    Operation::PublishRelease(release)
}

#[test]
fn a_draft_is_compared_with_the_receipt_that_made_it_or_allows_one() {
    let made = |number: Option<u64>| {
        (
            EventType::Unknown,
            GithubResponse {
                release_id: number,
                ..GithubResponse::default()
            },
        )
    };
    let draft = FoundRelease {
        id: 9,
        draft: true,
        ..as_released()
    };
    let of_release = |number: Option<u64>| {
        codes(
            &book(&[("a", testing::release(), Some(made(number)))]),
            &releases(core::slice::from_ref(&draft)),
            NOON,
        )
    };
    assert_eq!(
        of_release(Some(9)),
        ["release_differs"],
        "left behind by the attempt itself"
    );
    assert_eq!(
        of_release(Some(8)),
        ["receipt_without_effect", "draft_without_receipt"]
    );
    assert_eq!(
        of_release(None),
        ["receipt_without_effect", "draft_without_receipt"]
    );
    let of_draft = book(&[("a", as_draft(), Some(succeeded(GithubResponse::default())))]);
    let changed = FoundRelease {
        name: "Other".into(),
        ..draft.clone()
    };
    assert_eq!(
        codes(&of_draft, &releases(&[draft]), NOON),
        Vec::<&str>::new()
    );
    assert_eq!(
        codes(&of_draft, &releases(&[changed]), NOON),
        ["release_differs"]
    );
}

#[test]
fn an_asset_that_nobody_approved_is_told_unless_it_is_the_evidence() {
    let book = book(&[(
        "a",
        testing::release(),
        Some(succeeded(GithubResponse::default())),
    )]);
    let shown = |name: &str, digest: Option<String>, outside: Outside| {
        let mut found = as_released();
        found.assets.push(FoundAsset {
            name: name.into(),
            size: 1,
            digest,
            outside,
        });
        reconcile(&book, &releases(&[found]), NOON)
            .into_iter()
            .map(|finding| finding.problem)
            .collect::<Vec<_>>()
    };
    let as_attached = || Outside {
        label: None,
        content_type: crate::evidence::CONTENT_TYPE.into(),
    };
    let with = |name: &str, digest| shown(name, digest, as_attached());
    let claim = claim_entry("a", 1, &testing::release()).to_document();
    let claim = Digest::of(&compose(&claim, &testing::release())).to_string();
    assert_eq!(
        with(crate::evidence::NAME, Some(claim.clone())),
        Vec::<String>::new()
    );
    let labelled = Outside {
        label: Some("installer.exe".into()),
        ..as_attached()
    };
    let page = Outside {
        content_type: "text/html".into(),
        ..as_attached()
    };
    for (outside, problem) in [
        (
            labelled,
            "asset: approved `countersign-receipt.json with the label ```, found `countersign-receipt.json with the label `installer.exe``",
        ),
        (
            page,
            "asset: approved `countersign-receipt.json with the content type `application/json``, found `countersign-receipt.json with the content type `text/html``",
        ),
    ] {
        let problems = shown(crate::evidence::NAME, Some(claim.clone()), outside);
        assert_eq!(problems, [problem]);
    }
    assert_eq!(
        with("more.zip", None),
        ["asset: approved `no such asset`, found `more.zip`"]
    );
    assert_eq!(
        with(crate::evidence::NAME, None),
        [
            "asset: approved `countersign-receipt.json of entry 1`, found `countersign-receipt.json with no digest is told`"
        ]
    );
}

#[test]
fn of_two_texts_the_place_is_shown_where_they_part() {
    let book = book(&[(
        "a",
        testing::release(),
        Some(succeeded(GithubResponse::default())),
    )]);
    let findings = reconcile(
        &book,
        &releases(&[FoundRelease {
            body: "First, at last.".into(),
            ..as_released()
        }]),
        NOON,
    );
    assert_eq!(
        findings[0].problem,
        "text: approved `First.\\u{a}`, found `First, at last.`"
    );
    let long = super::release::different_text(
        &format!("{}one", "a".repeat(100)),
        &format!("{}two", "a".repeat(100)),
    );
    assert_eq!(
        (long.approved, long.found),
        (
            format!("{}one", "a".repeat(20)),
            format!("{}two", "a".repeat(20))
        )
    );
}

#[test]
fn what_was_not_looked_at_is_not_missed() {
    let done = || Some(succeeded(GithubResponse::default()));
    let pull = book(&[("a", testing::pull(), done())]);
    assert_eq!(codes(&pull, &Found::default(), NOON), Vec::<&str>::new());
    assert_eq!(
        codes(
            &pull,
            &Found {
                pulls: Some(Vec::new()),
                ..Found::default()
            },
            NOON
        ),
        ["effect_missing"]
    );
    // A token that sees no draft at all may not be allowed to.
    let draft = book(&[("a", as_draft(), done())]);
    assert_eq!(codes(&draft, &releases(&[]), NOON), Vec::<&str>::new());
    let other = FoundRelease {
        tag_name: "v2".into(),
        draft: true,
        ..FoundRelease::default()
    };
    let findings = reconcile(&draft, &releases(&[other]), NOON);
    let told: Vec<_> = findings
        .iter()
        .map(|finding| {
            (
                finding.code,
                finding.subject.kind,
                finding.subject.name.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (Code::EffectMissing, "draft", "v1.0.0"),
            (Code::DraftWithoutReceipt, "draft", "v2")
        ]
    );
    let release = book(&[("a", testing::release(), done())]);
    assert_eq!(
        reconcile(&release, &releases(&[]), NOON)[0].subject.kind,
        "release"
    );
    assert_eq!(
        [draft.allows_drafts(), release.allows_drafts()],
        [true, false]
    );
}

#[test]
fn a_second_receipt_for_the_same_release_explains_it_after_the_first_failed() {
    let both = book(&[
        ("a", testing::release(), Some(failed())),
        (
            "b",
            testing::release(),
            Some(succeeded(GithubResponse::default())),
        ),
    ]);
    assert_eq!(
        codes(&both, &releases(&[as_released()]), NOON),
        ["receipt_spent_in_vain"]
    );
    let one = book(&[("a", testing::release(), Some(failed()))]);
    let changed = FoundRelease {
        name: "Other".into(),
        ..as_released()
    };
    let findings = reconcile(&one, &releases(&[changed]), NOON);
    let told: Vec<(&str, &str)> = findings
        .iter()
        .map(|finding| (finding.code.as_str(), finding.problem.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                "release_without_receipt",
                "entry 1 spent a receipt on it, but that failed: github_rejected"
            ),
            (
                "receipt_spent_in_vain",
                "it failed, and nothing is there that it made: github_rejected"
            ),
        ]
    );
}

#[test]
fn what_was_done_before_the_day_asked_for_is_not_told_again() {
    let later = NOON.plus(1);
    let nothing = Book::default();
    assert_eq!(
        codes(&nothing, &releases(&[as_released()]), NOON),
        ["release_without_receipt"]
    );
    assert_eq!(
        codes(&nothing, &releases(&[as_released()]), later),
        Vec::<&str>::new()
    );
    // What has no readable date counts as new.
    assert_eq!(
        codes(
            &nothing,
            &releases(&[FoundRelease {
                changed_at: None,
                ..as_released()
            }]),
            later
        ),
        ["release_without_receipt"]
    );
    let open = book(&[("a", testing::release(), None)]);
    assert_eq!(
        codes(&open, &releases(&[]), NOON),
        ["receipt_without_effect"]
    );
    assert_eq!(codes(&open, &releases(&[]), later), Vec::<&str>::new());
    // An old release that was changed since is compared with its old receipt.
    let old = book(&[(
        "a",
        testing::release(),
        Some(succeeded(GithubResponse::default())),
    )]);
    let changed = FoundRelease {
        name: "Other".into(),
        changed_at: Some(later),
        ..as_released()
    };
    assert_eq!(
        codes(&old, &releases(&[changed]), later),
        ["release_differs"]
    );
}

#[test]
fn one_receipt_explains_one_pull_request() {
    let pulls = |found: Vec<FoundPull>| Found {
        pulls: Some(found),
        ..Found::default()
    };
    let unknown = book(&[("a", testing::pull(), None)]);
    let twice = pulls(vec![as_opened(1), as_opened(2)]);
    assert_eq!(
        codes(&unknown, &twice, NOON),
        ["pull_without_receipt", "effect_without_outcome"]
    );
    let known = GithubResponse {
        pull_number: Some(2),
        ..GithubResponse::default()
    };
    let known = book(&[("a", testing::pull(), Some(succeeded(known)))]);
    let findings = reconcile(&known, &twice, NOON);
    assert_eq!(
        findings
            .iter()
            .map(|finding| finding.subject.name.as_str())
            .collect::<Vec<_>>(),
        ["#1 by : Release 1.0.0"]
    );
    // A branch of the same name in a fork is another branch.
    let of_fork = FoundPull {
        head_branch: "mallory:release-1.0.0".into(),
        ..as_opened(1)
    };
    assert_eq!(
        codes(&unknown, &pulls(vec![of_fork]), NOON),
        ["pull_without_receipt", "receipt_without_effect"]
    );
}

#[test]
fn a_pull_request_is_explained_between_its_branches_alone() {
    let pulls = |found: FoundPull| Found {
        pulls: Some([found].into()),
        ..Found::default()
    };
    let open = book(&[("a", testing::pull(), None)]);
    assert_eq!(
        codes(&open, &pulls(as_opened(1)), NOON),
        ["effect_without_outcome"]
    );
    let elsewhere = FoundPull {
        base_branch: "next".into(),
        ..as_opened(1)
    };
    assert_eq!(
        codes(&open, &pulls(elsewhere), NOON),
        ["pull_without_receipt", "receipt_without_effect"]
    );
    let retitled = FoundPull {
        title: "Other".into(),
        ..as_opened(1)
    };
    assert_eq!(
        codes(&open, &pulls(retitled.clone()), NOON),
        ["pull_differs"]
    );
    assert_eq!(
        codes(&open, &pulls(retitled), NOON.plus(1)),
        Vec::<&str>::new()
    );
}

#[test]
fn a_pull_request_of_a_person_or_of_the_past_needs_no_receipt() {
    let told = |found: FoundPull, since: Timestamp| {
        codes(
            &Book::default(),
            &Found {
                pulls: Some([found].into()),
                ..Found::default()
            },
            since,
        )
    };
    assert_eq!(told(as_opened(1), NOON), ["pull_without_receipt"]);
    assert_eq!(told(as_opened(1), NOON.plus(1)), Vec::<&str>::new());
    assert_eq!(
        told(
            FoundPull {
                needs_receipt: false,
                ..as_opened(1)
            },
            NOON
        ),
        Vec::<&str>::new()
    );
}

/// Nobody signs outcomes: whoever may write to the ledger can append them.
#[test]
fn outcomes_that_somebody_appends_explain_no_pull_request_of_another_branch() {
    let named = |number: u64| GithubResponse {
        pull_number: Some(number),
        ..GithubResponse::default()
    };
    let mut book = book(&[("a", testing::pull(), Some((EventType::Unknown, named(1))))]);
    for (sequence, number) in [(3, 2), (4, 3)] {
        let entry = claim_entry("a", sequence, &testing::pull());
        book.take(
            Entry {
                event_type: EventType::Unknown,
                operation: None,
                github_response: Some(named(number)),
                ..entry
            },
            None,
            None,
        );
    }
    let evil = |number: u64| FoundPull {
        head_branch: "evil".into(),
        ..as_opened(number)
    };
    let found = Found {
        pulls: Some(vec![evil(1), evil(2), evil(3)]),
        ..Found::default()
    };
    assert_eq!(
        codes(&book, &found, NOON),
        [
            ["pull_without_receipt"; 3].as_slice(),
            &["receipt_without_effect"]
        ]
        .concat()
    );
}

#[test]
fn what_is_published_anew_with_a_later_receipt_is_not_missed_for_ever() {
    let numbered = |id: u64| GithubResponse {
        release_id: Some(id),
        ..GithubResponse::default()
    };
    let book = book(&[
        ("a", testing::release(), Some(succeeded(numbered(3)))),
        ("b", testing::release(), Some(succeeded(numbered(7)))),
    ]);
    let findings = reconcile(&book, &releases(&[as_released()]), NOON);
    let told: Vec<(&str, &str)> = findings
        .iter()
        .map(|finding| (finding.code.as_str(), finding.problem.as_str()))
        .collect();
    assert_eq!(
        told,
        [("effect_superseded", "it is gone, and entry 3 made it anew")]
    );
    assert_eq!(
        codes(&book, &releases(&[]), NOON),
        ["effect_missing", "effect_missing"]
    );
    let successors: Vec<_> = book
        .spent()
        .map(|spent| book.successor(spent).map(|later| later.sequence))
        .collect();
    assert_eq!(successors, [Some(3), None]);
}

#[test]
fn a_tag_that_somebody_made_after_its_release_failed_is_told() {
    let book = book(&[("a", testing::release(), Some(failed()))]);
    let tag = |is_known: bool| FoundTag {
        name: "v1.0.0".into(),
        object: commit('1').to_string(),
        commit: commit('1').to_string(),
        message: None,
        is_known,
    };
    let found = |is_known: bool| Found {
        tags: vec![tag(is_known)],
        ..releases(&[])
    };
    assert_eq!(codes(&book, &found(false), NOON), ["effect_after_failure"]);
    assert_eq!(codes(&book, &found(true), NOON), ["receipt_spent_in_vain"]);
}

#[test]
fn a_known_tag_that_a_receipt_made_is_its_effect() {
    let book = book(&[(
        "a",
        testing::tag(),
        Some(succeeded(GithubResponse::default())),
    )]);
    let tag = FoundTag {
        name: "v1.0.0".into(),
        object: commit('9').to_string(),
        commit: commit('1').to_string(),
        message: Some("Version 1.0.0\n".into()),
        is_known: true,
    };
    assert_eq!(
        codes(
            &book,
            &Found {
                tags: vec![tag],
                ..Found::default()
            },
            NOON
        ),
        Vec::<&str>::new()
    );
}

#[test]
fn a_tag_is_held_against_the_receipt_that_made_it() {
    let found = |digit: char| Found {
        tags: vec![FoundTag {
            name: "v1.0.0".into(),
            object: commit('9').to_string(),
            commit: commit(digit).to_string(),
            message: Some("Version 1.0.0".into()),
            is_known: false,
        }],
        ..Found::default()
    };
    let made = |outcome: Ended, digit: char| {
        codes(
            &book(&[("a", testing::tag(), Some(outcome))]),
            &found(digit),
            NOON,
        )
    };
    assert_eq!(
        made(succeeded(GithubResponse::default()), '1'),
        Vec::<&str>::new()
    );
    assert_eq!(
        made(succeeded(GithubResponse::default()), '2'),
        ["tag_differs"]
    );
    let mut reworded = found('1');
    reworded.tags[0].message = Some("Version 1".into());
    assert_eq!(
        codes(&book(&[("a", testing::tag(), None)]), &reworded, NOON),
        ["tag_differs"]
    );
    assert_eq!(made(failed(), '1'), ["effect_after_failure"]);
    assert_eq!(
        made(failed(), '2'),
        ["tag_without_receipt", "receipt_spent_in_vain"]
    );
    // A draft has no tag, and a claim that does not hold explains none.
    let draft = book(&[("a", as_draft(), Some(succeeded(GithubResponse::default())))]);
    assert_eq!(codes(&draft, &found('1'), NOON), ["tag_without_receipt"]);
    let mut forged = Book::default();
    forged.take(
        claim_entry("a", 1, &testing::release()),
        None,
        Some("nobody signed it".into()),
    );
    assert_eq!(
        codes(&forged, &found('1'), NOON),
        ["receipt_invalid", "tag_without_receipt"]
    );
}

#[test]
fn a_claim_that_does_not_hold_is_told_and_takes_nothing_from_one_that_does() {
    let forged = |sequence: u64| claim_entry("a", sequence, &testing::release());
    let flaw = || Some(Flaw::from("nobody signed it"));
    let mut before = Book::default();
    before.take(forged(1), None, flaw());
    before.take(claim_entry("a", 2, &testing::release()), None, None);
    let mut after = Book::default();
    after.take(claim_entry("a", 1, &testing::release()), None, None);
    after.take(forged(2), None, flaw());
    for (book, good) in [(before, 2), (after, 1)] {
        let findings = reconcile(&book, &releases(&[as_released()]), NOON);
        let told: Vec<(&str, Option<u64>)> = findings
            .iter()
            .map(|finding| (finding.code.as_str(), finding.sequence))
            .collect();
        assert_eq!(
            told,
            [
                ("receipt_invalid", Some(3 - good)),
                ("effect_without_outcome", Some(good))
            ]
        );
        let claim = claim_entry("a", good, &testing::release()).to_document();
        let digest = Digest::of(&compose(&claim, &testing::release()));
        assert_eq!(
            book.spent()
                .map(|spent| spent.evidence.clone())
                .collect::<Vec<_>>(),
            [vec![digest]]
        );
    }
}

#[test]
fn without_a_look_at_releases_their_tags_tell_what_became_of_receipts() {
    let book = book(&[(
        "a",
        testing::release(),
        Some(succeeded(GithubResponse::default())),
    )]);
    let tag = |digit: char| FoundTag {
        name: "v1.0.0".into(),
        object: commit(digit).to_string(),
        commit: commit(digit).to_string(),
        message: None,
        is_known: false,
    };
    let found = |tags: Vec<FoundTag>| Found {
        tags,
        ..Found::default()
    };
    assert_eq!(
        codes(&book, &found(vec![tag('1')]), NOON),
        Vec::<&str>::new()
    );
    assert_eq!(codes(&book, &found(vec![tag('2')]), NOON), ["tag_differs"]);
    assert_eq!(codes(&book, &found(Vec::new()), NOON), ["effect_missing"]);
}

#[test]
fn a_resumed_claim_counts_from_its_first_attempt_on() {
    let mut book = book(&[(
        "a",
        testing::release(),
        Some((EventType::Unknown, GithubResponse::default())),
    )]);
    let again = claim_entry("a", 3, &testing::release());
    book.take(
        Entry {
            timestamp: NOON.plus(600),
            ..again
        },
        None,
        None,
    );
    let spent: Vec<&Spent> = book.spent().collect();
    assert_eq!(
        (
            spent.len(),
            spent[0].sequence,
            spent[0].claimed_at,
            spent[0].standing()
        ),
        (1, 3, NOON, Standing::Open)
    );
    assert_eq!(
        codes(&book, &releases(&[as_released()]), NOON),
        ["effect_without_outcome"]
    );
}

#[test]
fn known_tags_are_read_as_git_lists_them() {
    let one = commit('1');
    let known = KnownTags::parse(&format!(
        "{one} refs/tags/v1\n\n{} refs/tags/v2\n{one} refs/tags/v2^{{}}\n",
        commit('2')
    ))
    .unwrap();
    let tag = |name: &str, digit: char| FoundTag {
        name: name.into(),
        object: commit(digit).to_string(),
        ..FoundTag::default()
    };
    let held: Vec<bool> = [
        tag("v1", '1'),
        tag("v1", '2'),
        tag("v2", '2'),
        tag("v3", '1'),
    ]
    .iter()
    .map(|tag| known.holds(tag))
    .collect();
    assert_eq!(held, [true, false, true, false]);
    for (text, line) in [
        ("v1", 1),
        ("\n1234 refs/tags/v1", 2),
        (&*format!("{one} refs/heads/v1"), 1),
    ] {
        let told = KnownTags::parse(text).unwrap_err().to_string();
        assert!(
            told.starts_with(&alloc::format!("line {line}: expected an object id")),
            "{told}"
        );
    }
}

#[test]
fn a_finding_has_its_codes_level_and_hides_nothing() {
    let finding = Finding::new(Code::TagDiffers, Subject::ledger(), None, "a\u{202e}b");
    assert_eq!(
        (finding.level, finding.problem.as_str()),
        (Level::Error, "a\\u{202e}b")
    );
}

#[test]
fn every_code_has_a_remedy_and_none_stands_twice() {
    let mut names: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(alloc::format!("{}", Code::TagDiffers), "tag_differs");
    assert_eq!(
        [Level::Error, Level::Warning, Level::Note].map(Level::as_str),
        ["error", "warning", "note"]
    );
    assert!(
        Code::ALL
            .iter()
            .all(|code| code.remedy().ends_with('.') && code.meaning().ends_with('.'))
    );
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Code::ALL.len());
}
