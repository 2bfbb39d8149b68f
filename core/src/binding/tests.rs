//! Each rule once just inside and once just outside.

use alloc::{boxed::Box, format, string::ToString as _, vec, vec::Vec};

use super::*;
use crate::{
    authority::{Authority, Pin, Reviewed},
    authorize::{Basis, Decision, Mode, Preflight, Sighting, authorize},
    digest::Digest,
    envelope::Envelope,
    evidence::AttachReceipt,
    keys::{PublicKey, Threshold},
    ledger::{Entry, EventType},
    name::{RepositoryId, RunAttempt},
    operation::{Kind, Operation},
    policy::Policy,
    reach::{Position, ReachableFrom},
    receipt::Terms,
    testing::{
        Branch, NOON, branches, claim_of, commit, executor, guarded, key, outcome_of, pull,
        pull_world, release, tag, target, terms, trust, trust_file, world,
    },
    timestamp::Timestamp,
    trust::{Trust, TrustFile, TrustVersion},
    world::TagFact,
};

/// Evidence in which every rule holds: a receipt for `release()`, signed by key 1, ten minutes old.
struct Case {
    evidence: Evidence,
    /// The ledger, which grows from the commit that the issuer saw.
    branch: Branch,
}

impl Case {
    fn new() -> Self {
        let now = NOON.plus(600);
        let evidence = Evidence {
            mode: Mode::parse("prod"),
            run_id: terms().run_id,
            executor: executor(),
            operation: Ok(release()),
            receipt: Err(Refusal::ReceiptMissing),
            basis: Basis::default(),
            now,
            preflight: Preflight::Seen(Box::new(Sighting {
                target: target(),
                date: Some(now),
                ledger: Err(Refusal::ReceiptMissing),
                guard: guarded(),
                reviewed: Reviewed::default(),
                world: world(),
                branches: branches(),
            })),
            allow_workflow_changes: false,
            unguarded_ledger: false,
            attach_receipt: AttachReceipt::No,
        };
        Self {
            evidence,
            branch: Branch::at(&terms().ledger),
        }
        .with_terms(|_| ())
    }

    fn with_terms(mut self, edit: impl FnOnce(&mut Terms)) -> Self {
        let mut terms = terms();
        edit(&mut terms);
        self.evidence.receipt =
            Envelope::sign(&terms, &[&key(1)]).verify(&trust(&[1]), Threshold::ONE);
        self
    }

    fn with(mut self, edit: impl FnOnce(&mut Evidence)) -> Self {
        edit(&mut self.evidence);
        self
    }

    fn seen(self, edit: impl FnOnce(&mut Sighting)) -> Self {
        self.with(|evidence| {
            let Preflight::Seen(sighting) = &mut evidence.preflight else {
                panic!("not seen")
            };
            edit(sighting);
        })
    }

    fn clocks(self, ours: Timestamp, github: Timestamp) -> Self {
        self.with(|evidence| evidence.now = ours)
            .seen(|sighting| sighting.date = Some(github))
    }

    /// A ledger on which an attempt of a run claimed the receipt, and on which that went so far.
    fn claimed(self, run: &str, outcome: Option<EventType>) -> Self {
        let terms = self.evidence.receipt.as_ref().unwrap().terms().clone();
        self.claimed_under(&terms, run, outcome)
    }

    fn claimed_under(mut self, terms: &Terms, run: &str, outcome: Option<EventType>) -> Self {
        let claim = Entry {
            acting_run: run.parse().unwrap(),
            operation_id: "op-other".parse().unwrap(),
            ..claim_of(&release(), terms)
        };
        self.branch.add(&claim);
        if let Some(outcome) = outcome {
            self.branch.add(&outcome_of(&claim, outcome));
        }
        self
    }

    fn remembers(mut self, authority: &Authority) -> Self {
        self.branch.remember(authority);
        self
    }

    fn decide(self) -> Decision {
        let Self {
            mut evidence,
            branch,
        } = self;
        let checkpoint = evidence
            .receipt
            .as_ref()
            .map_or_else(|_| terms().ledger, |receipt| receipt.terms().ledger.clone());
        if let Preflight::Seen(sighting) = &mut evidence.preflight
            && sighting.ledger == Err(Refusal::ReceiptMissing)
        {
            sighting.ledger = branch.above(&checkpoint);
        }
        authorize(evidence)
    }

    /// The code of the verdict, `-` for a grant; the broken rules must be exactly the one that the code belongs to.
    fn verdict(self) -> &'static str {
        let decision = self.decide();
        let broken: Vec<&str> = decision
            .checks
            .iter()
            .filter_map(Check::refusal)
            .map(Refusal::code)
            .collect();
        let code = decision
            .verdict
            .as_ref()
            .map_or_else(Refusal::code, |_| "-");
        assert!(broken.is_empty() == (code == "-"), "{code} with {broken:?}");
        assert!(broken.len() <= 1, "{code} with {broken:?}");
        code
    }
}

#[test]
fn with_every_rule_satisfied_there_is_a_grant() {
    let decision = Case::new().decide();
    assert!(decision.checks.iter().all(Check::holds));
    assert_eq!(decision.checks.len(), Rule::ALL.len());
    assert_eq!(
        decision.verdict.map(|grant| grant.operation().digest()),
        Ok(release().digest())
    );
}

#[test]
fn the_mode_is_prod_to_the_letter() {
    let mode = |text: &str| {
        Case::new()
            .with(|evidence| evidence.mode = Mode::parse(text))
            .verdict()
    };
    assert_eq!(mode("prod"), "-");
    assert_eq!(
        [Mode::Prod, Mode::DryRun].map(|mode| Mode::parse(mode.as_str())),
        [Ok(Mode::Prod), Ok(Mode::DryRun)]
    );
    for text in [
        "PROD",
        "Prod",
        "production",
        "prod ",
        " prod",
        "",
        "dry_run",
        "pro\u{434}",
    ] {
        assert_eq!(mode(text), "mode_violation", "{text}");
    }
}

#[test]
fn an_operation_needs_a_receipt() {
    for operation in [release(), tag(), crate::testing::pull()] {
        let refused = Case::new().with(|evidence| {
            evidence.operation = Ok(operation);
            evidence.receipt = Err(Refusal::ReceiptMissing);
        });
        let decision = refused.decide();
        assert_eq!(decision.verdict.map(|_| ()), Err(Refusal::ReceiptMissing));
    }
}

#[test]
fn a_malformed_or_untrusted_receipt_is_told_apart() {
    let with = |refusal: Refusal| {
        Case::new()
            .with(|evidence| evidence.receipt = Err(refusal))
            .verdict()
    };
    assert_eq!(
        with(Refusal::ReceiptMalformed(Envelope::parse("{").unwrap_err())),
        "receipt_malformed"
    );
    assert_eq!(
        with(Refusal::SignatureUntrusted {
            signatures: 1,
            trusted: Vec::new()
        }),
        "signature_untrusted"
    );
    assert_eq!(
        with(Refusal::ThresholdUnmet {
            signed: Vec::new(),
            others: Vec::new(),
            threshold: 2
        }),
        "threshold_unmet"
    );
}

#[test]
fn an_advisory_receipt_allows_nothing() {
    assert_eq!(
        Case::new()
            .with_terms(|terms| terms.enforceable = true)
            .verdict(),
        "-"
    );
    assert_eq!(
        Case::new()
            .with_terms(|terms| terms.enforceable = false)
            .verdict(),
        "advisory_receipt"
    );
}

#[test]
fn a_receipt_counts_in_its_run_alone() {
    let run = |run: &str| {
        Case::new()
            .with(|evidence| evidence.run_id = run.parse().unwrap())
            .verdict()
    };
    assert_eq!(run("17231231"), "-");
    assert_eq!(run("17231232"), "run_id_mismatch");
}

#[test]
fn a_receipt_counts_for_its_kind_alone() {
    assert_eq!(
        Case::new()
            .with_terms(|terms| terms.operation_kind = Kind::PublishRelease)
            .verdict(),
        "-"
    );
    assert_eq!(
        Case::new()
            .with_terms(|terms| terms.operation_kind = Kind::TagRepo)
            .verdict(),
        "operation_kind_mismatch"
    );
}

#[test]
fn a_receipt_counts_in_its_repository_by_name_and_number() {
    assert_eq!(
        Case::new()
            .with_terms(|terms| terms.target = target())
            .verdict(),
        "-"
    );
    assert_eq!(
        Case::new()
            .with_terms(|terms| terms.target.repository = "Owner/repo".parse().unwrap())
            .verdict(),
        "repository_mismatch"
    );
    assert_eq!(
        Case::new()
            .with_terms(|terms| terms.target.repository_id = RepositoryId(123_457))
            .verdict(),
        "repository_mismatch"
    );
    let registered_again =
        Case::new().seen(|sighting| sighting.target.repository_id = RepositoryId(999));
    assert_eq!(registered_again.verdict(), "repository_mismatch");
}

#[test]
fn a_receipt_counts_for_exactly_the_approved_bytes() {
    assert_eq!(
        Case::new()
            .with_terms(|terms| terms.operation_digest = release().digest())
            .verdict(),
        "-"
    );
    assert_eq!(
        Case::new()
            .with_terms(|terms| terms.operation_digest = Digest::of(b""))
            .verdict(),
        "operation_mismatch"
    );
}

#[test]
fn a_receipt_counts_once() {
    assert_eq!(
        Case::new()
            .with_terms(|terms| terms.consumed = false)
            .verdict(),
        "-"
    );
    assert_eq!(
        Case::new()
            .with_terms(|terms| terms.consumed = true)
            .verdict(),
        "receipt_consumed"
    );
    for outcome in [EventType::Succeeded, EventType::Failed] {
        for run in ["17231231", "99"] {
            assert_eq!(
                Case::new().claimed(run, Some(outcome)).verdict(),
                "receipt_consumed"
            );
        }
    }
    assert_eq!(
        Case::new().claimed("17231231", None).verdict(),
        "receipt_consumed",
        "the same attempt, another job"
    );
}

#[test]
fn an_operation_is_done_once_in_a_run_however_many_receipts_there_are() {
    let other = Terms {
        receipt_id: "another".parse().unwrap(),
        ..terms()
    };
    let verdict = |outcome: Option<EventType>| {
        Case::new()
            .claimed_under(&other, "17231231", outcome)
            .verdict()
    };
    assert_eq!(verdict(Some(EventType::Succeeded)), "operation_done");
    assert_eq!(verdict(Some(EventType::Failed)), "operation_done");
    assert_eq!(verdict(None), "receipt_consumed", "it is being done now");

    let mut approved_again = Case::new().claimed_under(&other, "99", Some(EventType::Succeeded));
    let now = approved_again.branch.checkpoint();
    approved_again = approved_again.with_terms(|terms| terms.ledger = now);
    assert_eq!(
        approved_again.verdict(),
        "-",
        "a receipt that was issued after that approves a repetition"
    );
}

#[test]
fn a_receipt_counts_until_the_second_before_it_expires_by_both_clocks() {
    let end = NOON.plus(3600);
    assert_eq!(
        Case::new().clocks(end.minus(1), end.minus(1)).verdict(),
        "-"
    );
    assert_eq!(
        Case::new().clocks(end, end.minus(1)).verdict(),
        "receipt_expired"
    );
    assert_eq!(
        Case::new().clocks(end.minus(1), end).verdict(),
        "receipt_expired"
    );
}

#[test]
fn a_receipt_is_stale_after_24_hours_and_a_second() {
    let day = 24 * 3600;
    let issued = |age: u64| {
        let now = NOON.plus(600);
        let terms = move |terms: &mut Terms| {
            terms.issued_at = now.minus(age);
            terms.expires_at = now.minus(age).plus(day);
        };
        Case::new()
            .with_terms(terms)
            .decide()
            .checks
            .into_iter()
            .filter_map(|check| check.refusal().map(Refusal::code))
            .collect::<Vec<_>>()
    };
    assert_eq!(issued(day - 1), Vec::<&str>::new());
    // Lifetime and age have one limit, so a receipt of the longest life expires the moment it could turn stale.
    assert_eq!(issued(day), ["receipt_expired"]);
    assert_eq!(issued(day + 1), ["receipt_expired", "receipt_stale"]);
}

#[test]
fn a_receipt_may_come_from_60_seconds_ahead_by_the_slower_clock() {
    let ahead = |seconds: u64| {
        Case::new().with_terms(move |terms| {
            terms.issued_at = NOON.plus(600 + seconds);
            terms.expires_at = NOON.plus(4000);
        })
    };
    assert_eq!(ahead(60).verdict(), "-");
    assert_eq!(ahead(61).verdict(), "receipt_not_yet_valid");
    let now = NOON.plus(600);
    assert_eq!(
        ahead(60).clocks(now, now.minus(1)).verdict(),
        "receipt_not_yet_valid"
    );
}

#[test]
fn a_lifetime_is_over_0_and_at_most_24_hours() {
    let lifetime = |seconds: u64| {
        Case::new().with_terms(move |terms| {
            terms.issued_at = NOON.plus(600);
            terms.expires_at = NOON.plus(600 + seconds);
        })
    };
    assert_eq!(lifetime(1).verdict(), "-");
    assert_eq!(lifetime(24 * 3600).verdict(), "-");
    assert_eq!(lifetime(24 * 3600 + 1).verdict(), "receipt_lifetime");
    let none = lifetime(0).decide();
    let broken: Vec<_> = none
        .checks
        .iter()
        .filter_map(Check::refusal)
        .map(Refusal::code)
        .collect();
    assert_eq!(broken, ["receipt_expired", "receipt_lifetime"]);
}

#[test]
fn the_clocks_may_differ_by_five_minutes() {
    let now = NOON.plus(600);
    assert_eq!(Case::new().clocks(now, now.plus(300)).verdict(), "-");
    assert_eq!(Case::new().clocks(now, now.minus(300)).verdict(), "-");
    assert_eq!(
        Case::new().clocks(now, now.plus(301)).verdict(),
        "clock_skew"
    );
    assert_eq!(
        Case::new().clocks(now, now.minus(301)).verdict(),
        "clock_skew"
    );
    assert_eq!(
        Case::new().seen(|sighting| sighting.date = None).verdict(),
        "clock_skew"
    );
}

#[test]
fn a_wrong_clock_is_told_before_what_it_makes_look_wrong() {
    // Receipt and GitHub agree, and the runner is ten minutes behind or two hours ahead.
    let now = NOON.plus(600);
    for runner in [NOON.minus(600), NOON.plus(7800)] {
        let decision = Case::new().clocks(runner, now).decide();
        assert_eq!(decision.verdict.unwrap_err().code(), "clock_skew");
        let broken = decision.checks.iter().filter_map(Check::refusal);
        assert_eq!(broken.count(), 2);
    }
}

#[test]
fn the_ledger_must_exist_be_readable_and_hold_the_checkpoint() {
    let ledger = |refusal: Refusal| {
        Case::new()
            .seen(|sighting| sighting.ledger = Err(refusal))
            .verdict()
    };
    assert_eq!(
        ledger(Refusal::LedgerMissing {
            repository: target().repository
        }),
        "ledger_missing"
    );
    assert_eq!(
        ledger(Refusal::LedgerUnavailable {
            reason: "HTTP 500".into()
        }),
        "ledger_unavailable"
    );
    let unreachable = Refusal::LedgerUnavailable {
        reason: "connection refused".into(),
    };
    assert_eq!(
        Case::new()
            .with(|evidence| evidence.preflight = Preflight::Unavailable(unreachable))
            .verdict(),
        "ledger_unavailable"
    );

    let mut grown = Case::new();
    grown.branch.add(&claim_of(&tag(), &terms_of_tag()));
    grown.branch.stray();
    assert_eq!(grown.verdict(), "-");
    let mut damaged = Case::new();
    damaged.branch.add_file(b"{}");
    assert_eq!(damaged.verdict(), "ledger_tampered");

    let restarted = || Case {
        branch: Branch::empty(),
        ..Case::new()
    };
    assert_eq!(restarted().verdict(), "ledger_rolled_back");
    let seen_empty = restarted().with_terms(|terms| terms.ledger = Branch::empty().root());
    assert_eq!(seen_empty.verdict(), "-");
}

fn terms_of_tag() -> Terms {
    Terms {
        receipt_id: "another".parse().unwrap(),
        operation_kind: Kind::TagRepo,
        operation_digest: tag().digest(),
        ..terms()
    }
}

#[test]
fn a_tail_that_was_verified_for_another_checkpoint_decides_nothing() {
    let case = Case::new();
    let other = Branch::empty();
    let tail = other.above(&other.root());
    let decision = case.seen(|sighting| sighting.ledger = tail).decide();
    let refused = Refusal::LedgerRolledBack {
        checkpoint: terms().ledger,
        found: format!("does not reach it between {0} and {0}", other.root().commit),
    };
    assert_eq!(decision.verdict.map(|_| ()), Err(refused));
}

const POLICY: &str = "version = 2\n[[rule]]\nname = \"releases\"\noperation = \"publish_release\"\nrepository = \"owner/repo\"\n\
    repository_id = 123456\ntag = \"v*\"\napprovers = [\"key-1\"]\nthreshold = 1\nlongest_lifetime = \"1h\"\nexclude_requester = false\n";

fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap()
}

#[test]
fn a_policy_must_give_leave() {
    let verdict = |text: &str| {
        Case::new()
            .with(|evidence| evidence.basis.policy = Ok(Some(policy(text))))
            .verdict()
    };
    assert_eq!(verdict(POLICY), "-");
    assert_eq!(verdict("version = 1"), "policy_no_rule");
    assert_eq!(
        verdict(&POLICY.replace("key-1", "key-2")),
        "policy_not_an_approver"
    );
    assert_eq!(
        verdict(&POLICY.replace("\"1h\"", "\"59m\"")),
        "policy_lifetime"
    );
    let excluding = POLICY.replace("false", "true");
    let requesters = |requesters| {
        Case::new()
            .with(|evidence| {
                (evidence.basis.policy, evidence.basis.requesters) =
                    (Ok(Some(policy(&excluding))), requesters);
            })
            .verdict()
    };
    let unknown = Refusal::RequesterUnknown {
        run: terms().run_id,
        reason: "403".into(),
    };
    let with_unknown = |text: &str| {
        let unknown = Err(unknown.clone());
        Case::new()
            .with(|evidence| {
                (evidence.basis.policy, evidence.basis.requesters) =
                    (Ok(Some(policy(text))), unknown);
            })
            .decide()
    };
    assert_eq!(
        with_unknown(&excluding).verdict.map(|_| ()),
        Err(unknown.clone()),
        "with the reason why nobody knows"
    );
    assert!(
        with_unknown(POLICY).verdict.is_ok(),
        "a policy that excludes no requester needs none"
    );
    assert_eq!(requesters(Ok(Vec::new())), "requester_unknown");
    assert_eq!(
        requesters(Ok(["dana".parse().unwrap()].into())),
        "policy_login_unknown"
    );
    let unreadable = Refusal::RequesterUnknown {
        run: terms().run_id,
        reason: "no policy".into(),
    };
    assert_eq!(
        Case::new()
            .with(|evidence| evidence.basis.policy = Err(unreadable))
            .verdict(),
        "requester_unknown"
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_decided_before_is_never_older_than_what_decides_now() {
    let fixed = policy(POLICY).pin();
    let two = trust_file(2, None);
    let verdict = |trust: Option<Trust>, policy: Option<Policy>, before: Authority| {
        Case::new()
            .with(|evidence| (evidence.basis.trust, evidence.basis.policy) = (trust, Ok(policy)))
            .remembers(&before)
            .verdict()
    };
    let before = |trust: Option<&Trust>, policy: Option<&str>| Authority {
        trust: trust.map(Trust::pin),
        policy: policy.map(|text| super::tests::policy(text).pin()),
    };
    assert_eq!(verdict(Some(two.clone()), None, Authority::default()), "-");
    assert_eq!(
        verdict(Some(two.clone()), None, before(Some(&two), None)),
        "-"
    );
    assert_eq!(
        verdict(
            Some(two.clone()),
            None,
            before(Some(&trust_file(1, None)), None)
        ),
        "-"
    );
    assert_eq!(
        verdict(
            Some(two.clone()),
            None,
            before(Some(&trust_file(3, None)), None)
        ),
        "trust_rolled_back"
    );
    assert_eq!(
        verdict(None, None, before(Some(&two), None)),
        "trust_rolled_back"
    );
    let forked = Authority {
        trust: Some(Pin {
            version: 1,
            digest: Digest::of(b"other"),
        }),
        policy: None,
    };
    assert_eq!(
        verdict(Some(two.clone()), None, forked),
        "trust_rolled_back"
    );
    let forked = Authority {
        trust: Some(Pin {
            version: 2,
            digest: Digest::of(b"other"),
        }),
        policy: None,
    };
    assert_eq!(verdict(Some(two), None, forked), "trust_rolled_back");
    assert_eq!(
        verdict(None, Some(policy(POLICY)), before(None, Some(POLICY))),
        "-"
    );
    assert_eq!(
        verdict(
            None,
            Some(policy(POLICY)),
            before(None, Some(&POLICY.replace("= 2", "= 1")))
        ),
        "-"
    );
    assert_eq!(
        verdict(
            None,
            Some(policy(POLICY)),
            before(None, Some(&POLICY.replace("= 2", "= 3")))
        ),
        "policy_rolled_back"
    );
    assert_eq!(
        verdict(
            None,
            Some(policy(POLICY)),
            before(None, Some(&POLICY.replace("v*", "*")))
        ),
        "policy_rolled_back"
    );
    assert_eq!(
        verdict(None, None, before(None, Some(POLICY))),
        "policy_rolled_back"
    );
    let fixing = trust_file(1, Some(fixed));
    assert_eq!(
        verdict(
            Some(fixing.clone()),
            Some(policy(POLICY)),
            Authority::default()
        ),
        "-"
    );
    assert_eq!(
        verdict(
            Some(fixing.clone()),
            Some(policy(&POLICY.replace("1h", "2h"))),
            Authority::default()
        ),
        "policy_mismatch"
    );
    assert_eq!(
        verdict(Some(fixing), None, Authority::default()),
        "policy_mismatch"
    );
}

/// Key 1 counts until ten seconds past noon and signs the second version; nobody can tell whether it did so in time.
fn by_an_expired_key() -> Trust {
    let version = |number: u64, seed: u8, member: &str| {
        let line = PublicKey::new(key(seed).verifying_key())
            .unwrap()
            .to_openssh();
        format!(
            "version = {number}\nthreshold = 1\n[[key]]\nname = \"key-{seed}\"\nkey = \"{line}\"\n{member}"
        )
    };
    let first = version(1, 1, "not_after = \"2026-11-21T12:00:10Z\"");
    let mut file = TrustFile::begin(&TrustVersion::from_toml(&first, None, NOON, None).unwrap());
    file.sign(&key(1)).unwrap();
    file.add(&TrustVersion::from_toml(&version(2, 3, ""), file.root(), NOON, None).unwrap());
    file.sign(&key(1)).unwrap();
    file.sign(&key(3)).unwrap();
    file.verify(None, NOON.plus(600)).unwrap()
}

#[test]
fn a_trust_file_whose_signers_are_over_decides_only_if_the_ledger_knows_it() {
    let verdict = |before: Authority| {
        Case::new()
            .with(|evidence| evidence.basis.trust = Some(by_an_expired_key()))
            .remembers(&before)
            .verdict()
    };
    assert_eq!(verdict(Authority::default()), "trust_stale");
    assert_eq!(
        verdict(Authority {
            trust: Some(by_an_expired_key().pin()),
            policy: None
        }),
        "-"
    );
}

#[test]
fn the_world_must_leave_room() {
    let tag_at = |digit: char| {
        Case::new().seen(|sighting| {
            sighting.world.tag = Some(TagFact {
                commit: commit(digit),
            });
        })
    };
    assert_eq!(tag_at('1').verdict(), "-");
    assert_eq!(tag_at('2').verdict(), "preflight_tag_moved");
}

#[test]
fn every_broken_rule_is_told_and_the_first_names_the_refusal() {
    let decision = Case::new()
        .with(|evidence| evidence.run_id = "1".parse().unwrap())
        .with_terms(|terms| {
            terms.enforceable = false;
            terms.expires_at = NOON.plus(600);
        })
        .claimed("99", Some(EventType::Succeeded))
        .decide();
    let broken: Vec<_> = decision
        .checks
        .iter()
        .filter_map(Check::refusal)
        .map(Refusal::code)
        .collect();
    assert_eq!(
        broken,
        [
            "advisory_receipt",
            "run_id_mismatch",
            "receipt_consumed",
            "receipt_expired"
        ]
    );
    assert_eq!(decision.verdict.map(|_| ()), Err(Refusal::AdvisoryReceipt));
}

#[test]
fn a_rule_that_could_not_be_evaluated_is_no_leave() {
    let unasked = Case::new()
        .with(|evidence| evidence.preflight = Preflight::NotAsked)
        .decide();
    assert_eq!(
        unasked
            .verdict
            .map(|_| ())
            .map_err(|refusal| refusal.code()),
        Err("ledger_unavailable")
    );
    let open: Vec<_> = unasked
        .checks
        .iter()
        .filter(|check| !check.holds())
        .map(|check| check.rule.name())
        .collect();
    let asks_github = [
        "not used before",
        "clocks agree",
        "ledger holds the checkpoint",
        "ledger was not set back",
        "trust and policy are the newest",
        "GitHub has room for it",
        "an allowed branch contains the commit",
    ];
    assert_eq!(open, asks_github);
    let unbuilt = Case::new()
        .with(|evidence| {
            evidence.operation = Err(crate::refusal::InputRefusal::TokenMissing.into());
        })
        .decide();
    assert_eq!(
        unbuilt
            .verdict
            .map(|_| ())
            .map_err(|refusal| refusal.code()),
        Err("token_missing")
    );
}

#[test]
fn a_check_tells_rule_code_and_both_sides() {
    let decision = Case::new()
        .with(|evidence| evidence.run_id = "1".parse().unwrap())
        .decide();
    let run = decision
        .checks
        .iter()
        .find(|check| check.rule == Rule::Run)
        .unwrap();
    assert_eq!(
        serde_json::to_string(run).unwrap(),
        r#"{"rule":"run","code":"run_id_mismatch","expected":"1","found":"17231231","verdict":"broken"}"#
    );
    assert_eq!(
        format!("{}", run.refusal().unwrap()),
        "the receipt is for run 17231231, expected run 1 (this run, or the one that the input `run-id` or the plan names)"
    );
}

#[test]
fn a_later_attempt_of_the_same_run_resumes_what_has_no_outcome() {
    let attempt = |claimed_by: &'static str, outcome: Option<EventType>| {
        Case::new()
            .claimed(claimed_by, outcome)
            .with(|evidence| evidence.executor.run_attempt = RunAttempt(2))
    };
    assert_eq!(attempt("17231231", None).verdict(), "-");
    assert_eq!(
        attempt("17231231", Some(EventType::Unknown)).verdict(),
        "-",
        "it is looked at again"
    );
    assert_eq!(
        attempt("17231231", Some(EventType::Failed)).verdict(),
        "receipt_consumed"
    );
    assert_eq!(attempt("99", None).verdict(), "receipt_consumed");
    let left_behind = attempt("17231231", None)
        .seen(|sighting| sighting.world.release = Some("https://github.com/…".into()));
    assert_eq!(
        left_behind.verdict(),
        "-",
        "what the earlier attempt left is no obstacle"
    );
    let tampered =
        attempt("17231231", None).seen(|sighting| sighting.world.workflows = Some(commit('8')));
    assert_eq!(
        tampered.verdict(),
        "preflight_workflows_differ",
        "a resume is judged by every other rule of a first attempt"
    );
    let late = attempt("17231231", None).clocks(NOON.plus(3600), NOON.plus(3600));
    assert_eq!(
        late.verdict(),
        "receipt_expired",
        "an interrupted run can be finished while the receipt lasts"
    );
}

#[test]
fn the_commit_of_a_release_or_tag_must_be_on_an_allowed_branch_and_that_of_a_pull_request_need_not()
{
    let elsewhere = |operation: Operation| {
        let case = Case::new().seen(|sighting| {
            sighting.branches.branches[0].position = Position::Diverged;
            sighting.world = if matches!(operation, Operation::OpenPr(_)) {
                pull_world()
            } else {
                world()
            };
        });
        let decision = case
            .with(|evidence| evidence.operation = Ok(operation))
            .decide();
        let reach = decision.checks.last().unwrap();
        (reach.code(), reach.holds(), reach.found.clone())
    };
    let found = "no allowed branch contains 1111111111111111111111111111111111111111: `main` does not contain it";
    for operation in [release(), tag()] {
        assert_eq!(
            elsewhere(operation),
            ("commit_unreachable", false, found.into())
        );
    }
    let (_, holds, found) = elsewhere(pull());
    assert_eq!((holds, found.as_str()), (true, "a pull request"));

    let listed = ReachableFrom::new(vec!["release/*".parse().unwrap()]).unwrap();
    let decision = Case::new()
        .with(|evidence| evidence.basis.reachable_from = listed)
        .decide();
    assert_eq!(
        decision.verdict.map(|_| ()).unwrap_err().to_string(),
        "no allowed branch contains 1111111111111111111111111111111111111111: there is no branch to look at"
    );
}
