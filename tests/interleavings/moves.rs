//! What may happen, as data: attempts, what goes wrong in them, and what others do before them.

use countersign_sim::Endpoint;
use proptest::{prelude::*, sample::select};

/// What happens to one request of an attempt.
#[derive(Clone, Copy, Debug)]
pub enum Misfortune {
    /// The process is killed while the request waits for its answer.
    Kill,
    /// The connection drops before the work.
    ResetBefore,
    /// The connection drops after the work.
    ResetAfter,
    /// 502 before the work.
    Unavailable,
    /// 502 after the work.
    DoneButUnavailable,
    /// 422: GitHub does not want it.
    Refused,
    /// The machine sleeps for so many seconds while the answer is on its way.
    Sleep(u32),
    /// The attempt is suspended while the answer is on its way, and the next attempt runs to its end.
    Overtaken,
}

/// What others do between two attempts.
#[derive(Clone, Copy, Debug)]
pub enum Foreign {
    /// Push a commit to the ledger that adds no entry.
    Stray,
    /// Merge the ledger's first tree into it.
    Merge,
    /// Append a claim of the operation in the name of another run.
    ForgedClaim,
    /// Append an outcome of the operation: it failed.
    ForgedFailure,
    /// Append an outcome of the operation: it succeeded.
    ForgedSuccess,
    /// Nothing; but GitHub's clock is so many seconds off from now on.
    Clock(i64),
}

/// Where a misfortune strikes: the how-manieth of these requests, and for how many of them.
#[derive(Clone, Copy, Debug)]
pub struct Strike {
    pub endpoint: Endpoint,
    pub nth: usize,
    pub times: usize,
    pub misfortune: Misfortune,
}

/// One attempt at one of four receipts, and what happens before it and in it.
#[derive(Clone, Copy, Debug)]
pub struct Try {
    pub receipt: usize,
    pub before: Option<Foreign>,
    pub strike: Option<Strike>,
}

/// The requests of one attempt at each receipt.
const REQUESTS: [&[Endpoint]; 4] = [
    &[
        Endpoint::Preflight,
        Endpoint::Append,
        Endpoint::CreateTagObject,
        Endpoint::CreateRef,
        Endpoint::GetRef,
    ],
    &[
        Endpoint::Preflight,
        Endpoint::Append,
        Endpoint::CreateRelease,
        Endpoint::UploadAsset,
        Endpoint::PublishRelease,
        Endpoint::GetReleaseByTag,
        Endpoint::ListReleases,
    ],
    &[
        Endpoint::Preflight,
        Endpoint::Append,
        Endpoint::CreatePull,
        Endpoint::ListPulls,
    ],
    &[
        Endpoint::Append,
        Endpoint::CreateRelease,
        Endpoint::UploadAsset,
        Endpoint::ListAssets,
        Endpoint::PublishRelease,
        Endpoint::GetReleaseByTag,
        Endpoint::ListReleases,
        Endpoint::GetAsset,
        Endpoint::GetContents,
    ],
];

fn misfortune() -> impl Strategy<Value = Misfortune> + Clone {
    select(vec![
        Misfortune::Kill,
        Misfortune::ResetBefore,
        Misfortune::ResetAfter,
        Misfortune::Unavailable,
        Misfortune::DoneButUnavailable,
        Misfortune::Refused,
        // Longer than a look at the ledger is taken for recent; longer than the receipt lasts.
        Misfortune::Sleep(6),
        Misfortune::Sleep(3700),
        Misfortune::Overtaken,
    ])
}

/// Mostly what stops nothing, so that most cases get far.
fn foreign() -> impl Strategy<Value = Option<Foreign>> + Clone {
    prop_oneof![
        10 => Just(None),
        3 => Just(Some(Foreign::Stray)),
        3 => (-240..240i64).prop_map(|seconds| Some(Foreign::Clock(seconds))),
        1 => select(vec![
            Foreign::Merge,
            Foreign::ForgedClaim,
            Foreign::ForgedFailure,
            Foreign::ForgedSuccess,
        ])
        .prop_map(Some),
    ]
}

pub fn tries() -> BoxedStrategy<Try> {
    let try_at = |receipt: usize| {
        let endpoint = select(REQUESTS[receipt].to_vec());
        // Once, so that a retry may help; or again and again.
        let times = select(vec![1, usize::MAX]);
        let strike = (endpoint, 1..3usize, times, misfortune()).prop_map(
            |(endpoint, nth, times, misfortune)| Strike {
                endpoint,
                nth,
                times,
                misfortune,
            },
        );
        let strike = proptest::option::weighted(0.8, strike);
        (foreign(), strike).prop_map(move |(before, strike)| Try {
            receipt,
            before,
            strike,
        })
    };
    (0..4usize).prop_flat_map(try_at).boxed()
}
