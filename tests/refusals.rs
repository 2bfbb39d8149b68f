//! Every refusal that there is, by the real binary: its code, its surfaces, and that nothing was written to GitHub.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use std::{collections::BTreeSet, fs, os::unix::fs::symlink};

use countersign_core::{
    authority::{Authority, Pin},
    digest::Digest,
    document::Document as _,
    ledger::{Checkpoint, EntryId, Head, entry_path},
    name::RepositoryId,
    operation::Kind,
};
use countersign_sim::{Access, Effect, Endpoint, Fault, Permissions, Switch};
use ed25519_dalek::SigningKey;
use harness::{Attempt, Report, Stage, trusted_line};

type Case = (&'static str, fn(&Stage) -> Report);

/// One row for each code; the last test asserts that none is missing.
const CASES: &[Case] = &[
    ("mode_violation", |stage| {
        stage.tag().approved().input("mode", "PROD").run()
    }),
    ("receipt_missing", |stage| stage.tag().run()),
    ("receipt_malformed", |stage| {
        stage.tag().input("receipt", "{\"payload\":").run()
    }),
    ("signature_untrusted", |stage| {
        stage
            .tag()
            .approved()
            .input("trusted-keys", &other_key(9))
            .run()
    }),
    ("threshold_unmet", |stage| {
        let keys = format!("{}\n{}", stage.trusted(), other_key(9));
        stage
            .tag()
            .approved()
            .input("trusted-keys", &keys)
            .input("threshold", "2")
            .run()
    }),
    ("advisory_receipt", |stage| {
        stage
            .tag()
            .approved_with(|terms| terms.enforceable = false)
            .run()
    }),
    ("run_id_mismatch", |stage| {
        stage.tag().approved().variable("GITHUB_RUN_ID", "4").run()
    }),
    ("operation_kind_mismatch", |stage| {
        stage
            .tag()
            .approved_with(|terms| terms.operation_kind = Kind::OpenPr)
            .run()
    }),
    ("repository_mismatch", |stage| {
        stage
            .tag()
            .approved_with(|terms| terms.target.repository_id = RepositoryId(1))
            .run()
    }),
    ("operation_mismatch", |stage| {
        stage.tag().approved().input("message", "Another").run()
    }),
    ("receipt_withdrawn", |stage| {
        let attempt = stage.tag().approved();
        stage.taken_back(&attempt.receipt());
        attempt.run()
    }),
    ("receipt_consumed", |stage| {
        stage
            .tag()
            .approved_with(|terms| terms.consumed = true)
            .run()
    }),
    ("receipt_expired", |stage| {
        stage
            .tag()
            .approved_with(|terms| {
                (terms.issued_at, terms.expires_at) = (terms.issued_at.minus(60), terms.issued_at);
            })
            .run()
    }),
    ("receipt_stale", |stage| {
        let day = 24 * 3600;
        let attempt = stage.tag().approved_with(|terms| {
            (terms.issued_at, terms.expires_at) =
                (terms.issued_at.minus(day + 60), terms.issued_at.plus(60));
        });
        let report = attempt.run();
        // No receipt is stale by its age alone: it is expired, or lives too long.
        assert_eq!(report.broken(), ["receipt_stale", "receipt_lifetime"]);
        report
    }),
    ("receipt_not_yet_valid", |stage| {
        stage
            .tag()
            .approved_with(|terms| terms.issued_at = terms.issued_at.plus(120))
            .run()
    }),
    ("receipt_lifetime", |stage| {
        stage
            .tag()
            .approved_with(|terms| terms.expires_at = terms.issued_at.plus(24 * 3600 + 1))
            .run()
    }),
    ("clock_skew", |stage| {
        let attempt = stage.tag().approved();
        stage.sim.shift_clock(600);
        attempt.run()
    }),
    ("ledger_missing", |stage| {
        let attempt = stage.tag().approved();
        stage.sim.delete_ref("refs/heads/receipt-ledger");
        attempt.run()
    }),
    ("ledger_unavailable", |stage| {
        let attempt = stage.tag().approved();
        stage.sim.plan(
            Fault::on(Endpoint::Preflight)
                .times(4)
                .then(Effect::StatusBefore(502)),
        );
        attempt.run()
    }),
    ("ledger_rolled_back", |stage| {
        let seen = Checkpoint {
            commit: stage.main().parse().unwrap(),
            head: Head::at(EntryId {
                sequence: 41,
                digest: Digest::of(b"an entry that is gone"),
            }),
        };
        stage.tag().approved_with(|terms| terms.ledger = seen).run()
    }),
    ("ledger_tampered", |stage| {
        let attempt = stage.tag().approved();
        stage.sim.remove("receipt-ledger", &["ledger.json"]);
        attempt.run()
    }),
    ("ledger_unguarded", |stage| {
        let attempt = stage.tag().approved();
        stage.sim.branch_rules("receipt-ledger", &[]);
        stage.sim.turn_on(Switch::ActivityIsAbsent);
        attempt.run()
    }),
    ("ledger_tail_too_long", |stage| {
        let attempt = stage.tag().approved();
        // One more would fit, and claim and outcome are two.
        for _ in 0..999 {
            stage.sim.commit("receipt-ledger", &[("junk", b"junk")]);
        }
        attempt.run()
    }),
    ("ledger_newer_version", |stage| {
        let mut named = None;
        let attempt = stage.tag().approved_with(|terms| {
            named = Some((terms.run_id.clone(), terms.operation_digest));
        });
        let (run, operation) = named.unwrap();
        let header = format!(
            "{{\"v\":2,\"sequence\":1,\"previous\":null,\"event_type\":\"new\",\"run\":\"{run}\",\"acting_run\":null,\"attempt\":null,\"operation_digest\":\"{operation}\",\"receipts\":[]}}\n"
        );
        let head = Head::at(EntryId {
            sequence: 1,
            digest: Digest::of(header.as_bytes()),
        });
        stage.sim.commit(
            "receipt-ledger",
            &[
                (&entry_path(1), header.as_bytes()),
                ("ledger.json", &head.to_document()),
            ],
        );
        attempt.run()
    }),
    ("operation_done", |stage| {
        let first = stage.tag().approved();
        let second = stage
            .tag()
            .approved_with(|terms| terms.receipt_id = "receipt-of-bob".parse().unwrap());
        first.run().succeeded();
        stage.sim.delete_ref("refs/tags/v1.0.0");
        second.run()
    }),
    ("token_invalid", |stage| {
        stage.tag().approved().input("token", "ghs_nobody").run()
    }),
    ("permission_missing", |stage| {
        let token = stage.sim.token(Permissions {
            pull_requests: Access::None,
            ..Permissions::read()
        });
        let report = stage.pull().input("token", &token).dry_run();
        assert!(
            report.message().contains("`pull-requests: read`"),
            "{}",
            report.message()
        );
        report
    }),
    ("access_denied", |stage| {
        let attempt = stage.tag().approved();
        let message = "Resource protected by organization SAML enforcement. You must grant your OAuth token access to this organization.";
        let kind = "FORBIDDEN".into();
        let refused = Effect::GraphQlError {
            kind,
            message: message.into(),
        };
        stage.sim.plan(Fault::on(Endpoint::Preflight).then(refused));
        attempt.run()
    }),
    ("repository_unseen", |stage| {
        let attempt = stage.tag().approved();
        stage.sim.rename("octo/renamed");
        attempt.run()
    }),
    ("server_too_old", |stage| {
        let attempt = stage.tag().approved();
        let (type_name, field) = ("Ref".into(), "rules".into());
        stage
            .sim
            .plan(Fault::on(Endpoint::Preflight).then(Effect::UndefinedField { type_name, field }));
        let requests = stage.requests().len();
        let report = attempt.run();
        assert_eq!(stage.requests().len(), requests + 1);
        report
    }),
    ("preflight_archived", |stage| {
        let attempt = stage.tag().approved();
        stage.sim.archive(true);
        attempt.run()
    }),
    ("preflight_commit_missing", |stage| {
        let missing = "1234567890".repeat(4);
        stage
            .tag()
            .approved_for(&stage.main(), &missing)
            .input("target-sha", &missing)
            .run()
    }),
    ("preflight_tag_moved", |stage| {
        let attempt = stage.release().approved();
        let other = stage.sim.commit("other", &[("a", b"a")]);
        stage.sim.tag("v1.0.0", &other);
        attempt.run()
    }),
    ("preflight_tag_exists", |stage| {
        let attempt = stage.tag().approved();
        stage.sim.tag("v1.0.0", &stage.main());
        attempt.run()
    }),
    ("preflight_release_exists", |stage| {
        stage.release().approved().run().succeeded();
        let again = stage.release().input("body", "Second.").approved();
        let writes = stage.writes().len();
        let report = again.run();
        assert_eq!(stage.writes().len(), writes);
        report
    }),
    ("preflight_branch_missing", |stage| {
        let attempt = stage.pull().approved();
        stage.sim.delete_ref("refs/heads/next");
        attempt.run()
    }),
    ("preflight_branch_moved", |stage| {
        let attempt = stage.pull().approved();
        stage.sim.commit("next", &[("more", b"more")]);
        attempt.run()
    }),
    ("preflight_nothing_to_merge", |stage| {
        let attempt = stage.pull().approved();
        stage.sim.set_ref(
            "refs/heads/main",
            &stage.sim.ref_oid("refs/heads/next").unwrap(),
        );
        attempt.run()
    }),
    ("preflight_pull_exists", |stage| {
        let again = stage.pull().input("title", "Again").approved();
        stage.pull().approved().run().succeeded();
        let writes = stage.writes().len();
        let report = again.run();
        assert_eq!(stage.writes().len(), writes);
        report
    }),
    ("preflight_workflows_differ", |stage| {
        let commit = stage
            .sim
            .commit("sly", &[(".github/workflows/release.yml", b"on: push\n")]);
        stage.tag().input("target-sha", &commit).approved().run()
    }),
    ("commit_unreachable", |stage| {
        let commit = stage.sim.commit("next", &[("next.txt", b"next\n")]);
        stage.tag().input("target-sha", &commit).approved().run()
    }),
    ("preflight_rate_limit", |stage| {
        let attempt = stage.tag().approved();
        stage.sim.rate_limit(1000, 40);
        attempt.run()
    }),
    ("input_unreadable", |stage| {
        stage.tag().raw_inputs("{\"mode\":").run()
    }),
    ("input_unknown", |stage| {
        stage.tag().input("tag_name", "v1").run()
    }),
    ("input_missing", |stage| {
        stage.pull().approved().input("title", "").run()
    }),
    ("input_unused", |stage| {
        stage.tag().approved().input("files", "*").run()
    }),
    ("input_invalid", |stage| {
        stage.tag().approved().input("tag-name", "v 1").run()
    }),
    ("operation_unknown", |stage| {
        stage
            .tag()
            .approved()
            .input("operation", "delete_repo")
            .run()
    }),
    ("commit_required", |stage| {
        stage.tag().approved().input("target-sha", "main").run()
    }),
    ("file_missing", |stage| {
        stage
            .release()
            .approved()
            .input("files", "missing.zip")
            .run()
    }),
    ("file_unusable", |stage| {
        symlink("/etc/hostname", stage.workspace().join("link.zip")).unwrap();
        stage.release().approved().input("files", "link.zip").run()
    }),
    ("pattern_unmatched", |stage| {
        stage.release().approved().input("files", "*.zip").run()
    }),
    ("asset_name", |stage| {
        stage
            .file("my app.zip", "abc")
            .release()
            .approved()
            .input("files", "*.zip")
            .run()
    }),
    ("asset_twice", |stage| {
        for folder in ["a", "b"] {
            fs::create_dir(stage.workspace().join(folder)).unwrap();
            stage.file(&format!("{folder}/app.zip"), folder);
        }
        stage.release().approved().input("files", "*/app.zip").run()
    }),
    ("asset_reserved", |stage| {
        stage
            .file("countersign-receipt.json", "{}")
            .release()
            .approved()
            .input("files", "countersign-receipt.json")
            .run()
    }),
    ("asset_limit", |stage| {
        stage
            .file("empty.zip", "")
            .release()
            .approved()
            .input("files", "*.zip")
            .run()
    }),
    ("body_too_long", |stage| {
        stage
            .release()
            .approved()
            .input("body", &"x".repeat(125_001))
            .run()
    }),
    ("not_latest", |stage| {
        stage
            .release()
            .approved()
            .input("prerelease", "true")
            .input("make-latest", "true")
            .run()
    }),
    ("trusted_keys_invalid", |stage| {
        stage
            .tag()
            .approved()
            .input("trusted-keys", "ssh-rsa AAAA bob")
            .run()
    }),
    ("threshold_invalid", |stage| {
        stage.tag().approved().input("threshold", "0").run()
    }),
    ("plan_invalid", |stage| {
        let plan = stage.tag().dry_run().plan();
        let edited = fs::read_to_string(&plan)
            .unwrap()
            .replace("dry_run", "prod");
        fs::write(&plan, edited).unwrap();
        Attempt::new(stage)
            .input("plan", &plan.display().to_string())
            .run()
    }),
    ("key_published", |stage| {
        stage
            .tag()
            .approved()
            .input("trusted-keys", PUBLISHED)
            .run()
    }),
    ("key_revoked", |stage| {
        by_trust(stage, "revoked_at = \"2026-01-01T00:00:00Z\"")
    }),
    ("key_not_valid", |stage| {
        by_trust(stage, "not_after = \"2026-01-01T00:00:00Z\"")
    }),
    ("trust_invalid", |stage| {
        let (file, _) = stage.trust_file(&[stage.trust_version(1, "")], None);
        stage
            .tag()
            .approved()
            .input("trusted-keys", "")
            .input("trust-file", &file)
            .input("trust-root", &Digest::of(b"").to_string())
            .run()
    }),
    ("trust_rolled_back", |stage| {
        let (file, root) = stage.trust_file(
            &[stage.trust_version(1, ""), stage.trust_version(2, "")],
            None,
        );
        stage.remember(&authority(
            Some(Pin {
                version: 3,
                digest: Digest::of(b"three"),
            }),
            None,
        ));
        stage
            .tag()
            .approved()
            .input("trusted-keys", "")
            .input("trust-file", &file)
            .input("trust-root", &root)
            .run()
    }),
    ("trust_stale", |stage| {
        let ended = "not_after = \"2026-01-01T00:00:00Z\"";
        let (file, root) = stage.backdated_trust_file(ended);
        stage
            .tag()
            .approved()
            .input("trusted-keys", "")
            .input("trust-file", &file)
            .input("trust-root", &root)
            .run()
    }),
    ("policy_rolled_back", |stage| {
        stage.remember(&authority(
            None,
            Some(Pin {
                version: 3,
                digest: Digest::of(b"three"),
            }),
        ));
        by_policy(stage, |policy| policy)
    }),
    ("policy_mismatch", |stage| {
        let fixed = Some(Pin {
            version: 1,
            digest: Digest::of(b"another"),
        });
        let (file, root) = stage.trust_file(&[stage.trust_version(1, "")], fixed);
        stage
            .tag()
            .approved()
            .input("trusted-keys", "")
            .input("trust-file", &file)
            .input("trust-root", &root)
            .run()
    }),
    ("policy_invalid", |stage| {
        by_policy(stage, |policy| policy.replace("threshold", "treshold"))
    }),
    ("policy_no_rule", |stage| {
        by_policy(stage, |policy| policy.replace("v*", "w*"))
    }),
    ("policy_several_rules", |stage| {
        by_policy(stage, |policy| {
            let (_, rule) = policy.split_once("[[rule]]").unwrap();
            format!("{policy}[[rule]]{}", rule.replace("\"tags\"", "\"others\""))
        })
    }),
    ("policy_lifetime", |stage| {
        by_policy(stage, |policy| policy.replace("\"1h\"", "\"59m\""))
    }),
    ("policy_not_an_approver", |stage| {
        by_policy(stage, |policy| {
            policy.replace("alice@example.org", "bob@example.org")
        })
    }),
    ("policy_threshold_unmet", |stage| {
        by_policy(stage, |policy| {
            policy.replace("threshold = 1", "threshold = 2")
        })
    }),
    ("policy_login_unknown", |stage| {
        by_policy(stage, |policy| {
            policy.replace("requester = false", "requester = true")
        })
    }),
    ("policy_requester_approved", |stage| {
        let policy = stage.policy(
            &stage
                .policy_for_tags()
                .replace("requester = false", "requester = true"),
        );
        let keys = format!("{} github:octocat", stage.trusted());
        stage
            .tag()
            .approved()
            .input("policy-file", &policy)
            .input("trusted-keys", &keys)
            .run()
    }),
    ("requester_unknown", |stage| {
        let policy = stage.policy(
            &stage
                .policy_for_tags()
                .replace("requester = false", "requester = true"),
        );
        stage
            .tag()
            .input("run-id", "99")
            .approved()
            .input("policy-file", &policy)
            .run()
    }),
    ("campaign_invalid", |stage| {
        stage.file("campaign.toml", "name = 1\n");
        Attempt::new(stage)
            .input("mode", "dry_run")
            .input("campaign", "campaign.toml")
            .run()
    }),
    ("nothing_ships", |stage| {
        stage.file(
            "campaign.toml",
            "name = \"x\"\n[[operation]]\nid = \"a\"\noperation = \"tag_repo\"\ntag-name = \"v1\"\ntarget-sha = \"gone\"\n",
        );
        Attempt::new(stage)
            .input("mode", "dry_run")
            .input("campaign", "campaign.toml")
            .run()
    }),
    ("commit_unknown", |stage| {
        stage.tag().input("target-sha", "nowhere").dry_run()
    }),
    ("ref_ambiguous", |stage| {
        stage.sim.tag("next", &stage.main());
        stage.sim.commit("next", &[("next.txt", b"next")]);
        stage.tag().input("target-sha", "next").dry_run()
    }),
    ("token_missing", |stage| {
        stage.tag().input("token", " ").run()
    }),
    ("context_missing", |stage| {
        stage
            .tag()
            .approved()
            .without_variable("GITHUB_RUN_ID")
            .run()
    }),
];

/// The key of RFC 8032, section 7.1, test 1.
const PUBLISHED: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea rfc8032";

/// A tag by a trust file in which the approver's key has this member.
fn by_trust(stage: &Stage, member: &str) -> harness::Report {
    let (file, root) = stage.trust_file(&[stage.trust_version(1, member)], None);
    stage
        .tag()
        .approved()
        .input("trusted-keys", "")
        .input("trust-file", &file)
        .input("trust-root", &root)
        .run()
}

/// A tag by a policy that allows it, changed.
fn by_policy(stage: &Stage, edit: impl FnOnce(String) -> String) -> harness::Report {
    let policy = stage.policy(&edit(stage.policy_for_tags()));
    stage.tag().approved().input("policy-file", &policy).run()
}

fn authority(trust: Option<Pin>, policy: Option<Pin>) -> Authority {
    Authority { trust, policy }
}

fn other_key(seed: u8) -> String {
    let seed = std::array::from_fn(|index| seed.wrapping_add(u8::try_from(index).unwrap()));
    trusted_line(&SigningKey::from_bytes(&seed), "bob@example.org")
}

/// The codes that stand in the sources.
fn codes() -> BTreeSet<String> {
    let pattern = regex::Regex::new(r#"=> (?:\{\s+)?"([a-z_0-9]+)"[,\n]"#).unwrap();
    let sources = [
        include_str!("../core/src/refusal.rs"),
        include_str!("../core/src/refusal/access.rs"),
        include_str!("../core/src/refusal/input.rs"),
        include_str!("../core/src/world.rs"),
        include_str!("../core/src/policy/decide.rs"),
    ];
    sources
        .iter()
        .flat_map(|source| {
            pattern
                .captures_iter(source)
                .map(|found| found[1].to_owned())
        })
        .collect()
}

#[test]
fn a_refusal_writes_nothing_to_github() {
    for (code, attempt) in CASES {
        let stage = Stage::new();
        let report = attempt(&stage);
        report.refused(code);
        if !matches!(
            *code,
            "preflight_release_exists"
                | "preflight_pull_exists"
                | "operation_done"
                | "receipt_withdrawn"
        ) {
            assert_eq!(stage.writes(), Vec::<String>::new(), "{code}");
            assert_eq!(
                stage.sim.releases().len() + stage.sim.pulls().len(),
                0,
                "{code}"
            );
        }
        let told = format!(
            "{}{}{}{:?}",
            report
                .log
                .replace(&format!("::add-mask::{}", stage.token), ""),
            report.summary,
            report.record,
            report.outputs
        );
        assert!(!told.contains(&stage.token), "{code}: the token is told");
    }
}

#[test]
fn every_code_has_its_case() {
    let cases: BTreeSet<String> = CASES.iter().map(|(code, _)| (*code).to_owned()).collect();
    assert_eq!(cases, codes());
}

#[test]
fn every_code_is_explained_in_the_documentation() {
    let page = include_str!("../docs/refusals.md");
    let missing: Vec<String> = codes()
        .into_iter()
        .filter(|code| !page.contains(&format!("`{code}`")))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

fn needs_a_receipt(attempt: &Attempt<'_>) {
    attempt.run().refused("receipt_missing");
    attempt
        .clone()
        .input("receipt", " \n")
        .run()
        .refused("receipt_missing");
}

#[test]
fn a_release_needs_a_receipt() {
    needs_a_receipt(&Stage::new().release());
}

#[test]
fn a_tag_needs_a_receipt() {
    needs_a_receipt(&Stage::new().tag());
}

#[test]
fn a_pull_request_needs_a_receipt() {
    needs_a_receipt(&Stage::new().pull());
}

/// Refused by the mode, without one request to GitHub, although receipt and operation would fit.
fn is_no_mode(mode: &str) {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    let requests = stage.requests().len();
    let report = attempt.input("mode", mode).run();
    report.refused("mode_violation");
    assert_eq!(
        (report.status(), report.broken()),
        ("rejected_by_mode", vec!["mode_violation"])
    );
    assert_eq!(stage.requests().len(), requests);
}

#[test]
fn prod_in_capitals_is_no_mode() {
    for mode in ["PROD", "Prod", "pROD"] {
        is_no_mode(mode);
    }
}

#[test]
fn prod_with_anything_around_it_is_no_mode() {
    for mode in ["prod ", " prod", "production", "prod\n", "dry_run,prod"] {
        is_no_mode(mode);
    }
}

#[test]
fn an_empty_mode_is_no_mode() {
    for mode in ["", " ", "dry-run", "DRY_RUN"] {
        is_no_mode(mode);
    }
}

#[test]
fn an_advisory_receipt_is_refused_even_if_everything_else_fits() {
    let stage = Stage::new();
    for attempt in stage.each() {
        let report = attempt
            .approved_with(|terms| terms.enforceable = false)
            .run();
        report.refused("advisory_receipt");
        assert_eq!(report.broken(), ["advisory_receipt"]);
    }
}

#[test]
fn an_advisory_receipt_does_not_become_enforceable_by_editing_it() {
    let stage = Stage::new();
    let plan = stage.tag().dry_run();
    let terms = countersign_core::receipt::Terms {
        enforceable: false,
        ..harness::terms(&plan.plan())
    };
    let line = stage.sign(&terms);
    let payload = |terms: &countersign_core::receipt::Terms| {
        base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            terms.to_payload(),
        )
    };
    let edited = line.replace(
        &payload(&terms),
        &payload(&countersign_core::receipt::Terms {
            enforceable: true,
            ..terms.clone()
        }),
    );
    assert_ne!(line, edited);
    stage
        .tag()
        .input("receipt", &edited)
        .run()
        .refused("signature_untrusted");
}

/// A shipped tag and the attempt that shipped it.
fn shipped(stage: &Stage) -> Attempt<'_> {
    let attempt = stage.tag().approved();
    attempt.run().succeeded();
    attempt
}

#[test]
fn a_replay_in_the_same_run_is_detected() {
    let stage = Stage::new();
    let again = shipped(&stage).run();
    again.refused("receipt_consumed");
    assert!(
        again
            .message()
            .contains("claimed it with ledger entry 1, its outcome is entry 2"),
        "{}",
        again.message()
    );
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
}

#[test]
fn a_replay_in_another_run_is_detected() {
    let stage = Stage::new();
    let elsewhere = shipped(&stage).variable("GITHUB_RUN_ID", "4").run();
    elsewhere.refused("run_id_mismatch");
    assert_eq!(
        elsewhere.broken(),
        [
            "run_id_mismatch",
            "receipt_consumed",
            "preflight_tag_exists"
        ]
    );
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
}

#[test]
fn a_receipt_for_one_operation_does_not_serve_another() {
    let stage = Stage::new();
    let plan = stage.release().dry_run();
    let receipt = stage.sign(&harness::terms(&plan.plan()));
    let report = stage.tag().input("receipt", &receipt).run();
    report.refused("operation_kind_mismatch");
    assert_eq!(
        report.broken(),
        ["operation_kind_mismatch", "operation_mismatch"]
    );
}

#[test]
fn github_that_cannot_be_reached_is_a_refusal_and_a_failed_dry_run() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let attempt = attempt
        .variable("GITHUB_API_URL", format!("http://{closed}"))
        .variable("GITHUB_GRAPHQL_URL", format!("http://{closed}/graphql"));
    let report = attempt.run();
    report.refused("ledger_unavailable");
    assert!(
        report
            .message()
            .contains("GitHub cannot be reached at 127.0.0.1"),
        "{}",
        report.message()
    );
    let dry = attempt.dry_run();
    assert_eq!(
        (dry.exit, dry.status(), dry.code()),
        (1, "failed", "github_unreachable")
    );
}

#[test]
fn a_clipped_receipt_is_told_as_such() {
    let stage = Stage::new();
    let plan = stage.tag().dry_run();
    let receipt = stage.sign(&harness::terms(&plan.plan()));
    let report = stage
        .tag()
        .input("receipt", &receipt[..receipt.len() / 2])
        .run();
    report.refused("receipt_malformed");
    assert!(
        report.record["remedy"]
            .as_str()
            .unwrap()
            .contains("cut off while it was copied")
    );
}

/// A dry run asks for names before it looks at the ledger.
#[test]
fn a_dry_run_refuses_a_token_and_a_repository_as_a_publication_does() {
    let stage = Stage::new();
    let nobody = stage.tag().input("token", "ghs_nobody").dry_run();
    nobody.refused("token_invalid");
    let message = nobody.message();
    assert!(
        message.starts_with("GitHub does not accept the token: "),
        "{message}"
    );

    let nowhere = stage.tag().input("repository", "octo/nowhere").dry_run();
    nowhere.refused("repository_unseen");
    let message = nowhere.message();
    assert!(
        message.starts_with("GitHub shows no such repository"),
        "{message}"
    );
}

#[test]
fn a_ledger_that_cannot_be_read_is_refused_whatever_the_reason() {
    for effect in [
        Effect::StatusBefore(401),
        Effect::StatusBefore(403),
        Effect::StatusBefore(404),
        Effect::StatusBefore(500),
        Effect::StatusBefore(503),
        Effect::ResetBefore,
        Effect::TruncatedReply,
        Effect::Garbage,
        Effect::OmitDate,
        Effect::Stall,
    ] {
        let stage = Stage::new();
        let attempt = stage.tag().approved();
        // One silence is enough to show what a timeout does.
        let attempt = if effect == Effect::Stall {
            attempt.input("max-wait", "0")
        } else {
            attempt
        };
        stage
            .sim
            .plan(Fault::on(Endpoint::Preflight).times(9).then(effect.clone()));
        let report = attempt.run();
        let code = match effect {
            Effect::OmitDate => "clock_skew",
            Effect::StatusBefore(401) => "token_invalid",
            Effect::StatusBefore(403) => "permission_missing",
            _ => "ledger_unavailable",
        };
        report.refused(code);
        assert_eq!(stage.writes(), Vec::<String>::new(), "{effect:?}");
    }
}

#[test]
fn a_ledger_that_is_empty_of_files_or_forked_is_no_fresh_start() {
    let stage = Stage::new();
    stage
        .tag()
        .input("tag-name", "v0")
        .approved()
        .run()
        .succeeded();
    let attempt = stage.tag().approved();
    stage.sim.remove("receipt-ledger", &["ledger.json"]);
    let report = attempt.run();
    report.refused("ledger_tampered");
    assert!(
        report.message().contains("no file `ledger.json`"),
        "{}",
        report.message()
    );
    // The branch begins anew, and another receipt is spent on it: the approver's checkpoint tells.
    stage.sim.delete_ref("refs/heads/receipt-ledger");
    let again = stage
        .command(&["ledger", "init", "--repository", stage.sim.repository()])
        .env("GH_TOKEN", &stage.token)
        .status();
    assert!(again.unwrap().success());
    let report = attempt.run();
    report.refused("ledger_rolled_back");
    assert!(
        report.message().contains("without that commit"),
        "{}",
        report.message()
    );
    for tag in ["a", "b"] {
        stage
            .tag()
            .input("tag-name", tag)
            .approved()
            .run()
            .succeeded();
    }
    let report = attempt.run();
    report.refused("ledger_rolled_back");
    assert!(
        report.message().contains("without that commit"),
        "{}",
        report.message()
    );
}
