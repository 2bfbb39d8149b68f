//! Data that the core's tests share: one operation of each kind, a receipt for the first, a world without obstacles.

mod branch;

use alloc::{format, string::String, vec, vec::Vec};

use ed25519_dalek::SigningKey;

pub(crate) use self::branch::{Branch, Commit};
use crate::{
    asset::{Asset, Assets},
    authority::{Authority, Pin},
    digest::Digest,
    envelope::Envelope,
    keys::{PublicKey, TrustedKeys},
    ledger::{Checkpoint, Entry, EntryId, EventType, GithubResponse, Guard, Head, Moves, V1},
    name::{CommitId, Executor, RepositoryId, RunAttempt},
    operation::{
        Kind, OpenPr, Operation, PublishRelease, PullBody, ReleaseBody, TagMessage, TagRepo,
        Target, Visibility,
    },
    reach::{BranchSeen, Branches, Position},
    receipt::Terms,
    timestamp::Timestamp,
    trust::{Trust, TrustFile, TrustVersion},
    world::{Budget, CommitFact, World},
};

/// 2026-11-21T12:00:00Z, when the receipt was issued.
pub(crate) const NOON: Timestamp = Timestamp::from_unix(1_795_262_400);

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(crate) fn trust(seeds: &[u8]) -> TrustedKeys {
    let line = |seed: &u8| {
        format!(
            "{} key-{seed}",
            PublicKey::new(key(*seed).verifying_key())
                .unwrap()
                .to_openssh()
        )
    };
    TrustedKeys::parse(&seeds.iter().map(line).collect::<Vec<_>>().join("\n")).unwrap()
}

/// A trust file of so many versions, all of them with key 1, the last of which fixes a policy or not.
pub(crate) fn trust_file(versions: u64, policy: Option<Pin>) -> Trust {
    let mut file: Option<TrustFile> = None;
    for version in 1..=versions {
        let previous = file
            .as_ref()
            .map(|file| file.verify(None, NOON).unwrap().pin().digest);
        let text = format!(
            "version = {version}\nthreshold = 1\n[[key]]\nname = \"key-1\"\nkey = \"{}\"\n",
            PublicKey::new(key(1).verifying_key()).unwrap().to_openssh()
        );
        let next = TrustVersion::from_toml(
            &text,
            previous,
            NOON,
            policy.filter(|_| version == versions),
        )
        .unwrap();
        match &mut file {
            Some(file) => file.add(&next),
            None => file = Some(TrustFile::begin(&next)),
        }
        file.as_mut().unwrap().sign(&key(1)).unwrap();
    }
    file.unwrap().verify(None, NOON).unwrap()
}

pub(crate) fn commit(digit: char) -> CommitId {
    core::iter::repeat_n(digit, 40)
        .collect::<String>()
        .parse()
        .unwrap()
}

/// A branch that its rules keep from being rewound.
pub(crate) fn guarded() -> Guard {
    Guard {
        rules: Some(vec!["deletion".into(), "non_fast_forward".into()]),
        moves: Moves::Unknown("GitHub was not asked".into()),
    }
}

pub(crate) fn target() -> Target {
    Target {
        repository: "owner/repo".parse().unwrap(),
        repository_id: RepositoryId(123_456),
    }
}

pub(crate) fn release() -> Operation {
    let asset = Asset {
        name: "app.tar.gz".parse().unwrap(),
        size: 3,
        sha256: Digest::of(b"abc"),
        content_type: "application/gzip".parse().unwrap(),
    };
    Operation::PublishRelease(PublishRelease {
        target: target(),
        tag_name: "v1.0.0".parse().unwrap(),
        target_sha: commit('1'),
        release_name: "v1.0.0".parse().unwrap(),
        body: ReleaseBody::new("release body", "First.\n".parse().unwrap()).unwrap(),
        visibility: Visibility::new(false, false, None).unwrap(),
        assets: Assets::new([asset].into()).unwrap(),
    })
}

pub(crate) fn tag() -> Operation {
    Operation::TagRepo(TagRepo {
        target: target(),
        tag_name: "v1.0.0".parse().unwrap(),
        target_sha: commit('1'),
        message: TagMessage::new("tag message", "Version 1.0.0".parse().unwrap()).unwrap(),
    })
}

pub(crate) fn pull() -> Operation {
    Operation::OpenPr(OpenPr {
        target: target(),
        title: "Release 1.0.0".parse().unwrap(),
        body: PullBody::new("pull request body", "".parse().unwrap()).unwrap(),
        head_branch: "release-1.0.0".parse().unwrap(),
        head_sha: commit('1'),
        base_branch: "main".parse().unwrap(),
        draft: false,
        labels: ["release", "a-label"]
            .into_iter()
            .map(|label| label.parse().unwrap())
            .collect(),
        reviewers: core::iter::once("octocat".parse().unwrap()).collect(),
    })
}

/// The ledger at entry 41, as an issuer saw it.
pub(crate) fn checkpoint() -> Checkpoint {
    Checkpoint {
        commit: commit('4'),
        head: Head::at(EntryId {
            sequence: 41,
            digest: Digest::of(b"abc"),
        }),
    }
}

/// A receipt for [`release`], valid for an hour from [`NOON`].
pub(crate) fn terms() -> Terms {
    Terms {
        receipt_id: "receipt-abc123".parse().unwrap(),
        run_id: "17231231".parse().unwrap(),
        operation_kind: Kind::PublishRelease,
        target: target(),
        enforceable: true,
        issued_at: NOON,
        expires_at: NOON.plus(3600),
        consumed: false,
        ledger: checkpoint(),
        operation_digest: release().digest(),
    }
}

/// An entry without a link to others: attempt 1 claims this operation under a receipt with these
/// terms, signed by key 1, ten minutes after [`NOON`].
pub(crate) fn claim_of(operation: &Operation, terms: &Terms) -> Entry {
    let (executor, receipt) = (executor(), Envelope::sign(terms, &[&key(1)]));
    Entry {
        v: V1,
        sequence: 1,
        previous: None,
        event_type: EventType::Claimed,
        run: terms.run_id.clone(),
        acting_run: executor.run_id,
        attempt: executor.run_attempt,
        operation_digest: operation.digest(),
        receipts: vec![receipt.payload_digest()],
        timestamp: NOON.plus(600),
        operation_id: executor.operation_id,
        receipt_id: terms.receipt_id.clone(),
        operation_kind: operation.kind(),
        repository: operation.target().repository.clone(),
        signers: Vec::new(),
        authority: Authority::default(),
        receipt: Some(receipt),
        operation: Some(operation.clone()),
        github_response: None,
    }
}

/// What the attempt that wrote a claim records of it later.
pub(crate) fn outcome_of(claim: &Entry, event_type: EventType) -> Entry {
    Entry {
        event_type,
        receipt: None,
        operation: None,
        github_response: Some(GithubResponse::default()),
        ..claim.clone()
    }
}

pub(crate) fn executor() -> Executor {
    Executor {
        run_id: "17231231".parse().unwrap(),
        run_attempt: RunAttempt(1),
        operation_id: "op-1".parse().unwrap(),
    }
}

/// A default branch that contains the commit of [`release`] and [`tag`].
pub(crate) fn branches() -> Branches {
    Branches {
        branches: vec![BranchSeen {
            name: "main".parse().unwrap(),
            is_default: true,
            position: Position::Behind,
            rules: None,
        }],
        unseen: None,
    }
}

pub(crate) fn world() -> World {
    World {
        archived: false,
        commit: CommitFact::Commit,
        workflows: Some(commit('9')),
        default_workflows: Some(commit('9')),
        tag: None,
        release: None,
        head: None,
        base: None,
        pulls: Vec::new(),
        budget: Budget {
            remaining: 4999,
            limit: Some(5000),
            resets_at: None,
        },
        requests: None,
    }
}

pub(crate) fn pull_world() -> World {
    World {
        head: Some(commit('1')),
        base: Some(commit('2')),
        ..world()
    }
}

/// Bytes as standards print them.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "{text}");
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
