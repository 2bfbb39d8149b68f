//! An upload's body: hashed while it streams in, kept only when it is small.

use std::fmt::Write as _;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use sha2::{Digest as _, Sha256};

use crate::fault::Effect;

/// Bodies up to this size are kept so that tests can look at them; 1 GiB benchmarks are not.
const KEPT: usize = 1024 * 1024;

/// What is left of an uploaded body.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    /// Bytes that arrived.
    pub(crate) received: u64,
    /// Bytes that are stored; fewer than arrived under a planned fault.
    pub(crate) size: u64,
    pub(crate) sha256: String,
    pub(crate) bytes: Option<Vec<u8>>,
    /// The planned fault that this upload meets.
    pub(crate) damage: Option<Effect>,
}

/// Takes in the whole body without holding more than one chunk of it.
pub(crate) async fn take_in(
    mut body: Incoming,
    declared: Option<u64>,
    damage: Option<Effect>,
) -> Result<Upload, hyper::Error> {
    let limit = match damage {
        Some(Effect::TruncatedUpload) => declared.map(|length| length.saturating_sub(1)),
        _ => None,
    };
    let mut store = Store::new(limit, damage == Some(Effect::CorruptUpload));
    while let Some(frame) = body.frame().await {
        if let Some(chunk) = frame?.data_ref() {
            store.take(chunk);
        }
    }
    Ok(store.finish(damage))
}

struct Store {
    received: u64,
    size: u64,
    limit: u64,
    corrupt: bool,
    hash: Sha256,
    bytes: Option<Vec<u8>>,
}

impl Store {
    fn new(limit: Option<u64>, corrupt: bool) -> Self {
        Self {
            received: 0,
            size: 0,
            limit: limit.unwrap_or(u64::MAX),
            corrupt,
            hash: Sha256::new(),
            bytes: Some(Vec::new()),
        }
    }

    fn take(&mut self, chunk: &[u8]) {
        self.received += chunk.len() as u64;
        let room = usize::try_from(self.limit - self.size).unwrap_or(usize::MAX);
        let stored = &chunk[..chunk.len().min(room)];
        if self.corrupt && !stored.is_empty() {
            self.corrupt = false;
            self.keep(&[!stored[0]]);
            self.keep(&stored[1..]);
        } else {
            self.keep(stored);
        }
    }

    fn keep(&mut self, stored: &[u8]) {
        self.size += stored.len() as u64;
        self.hash.update(stored);
        match &mut self.bytes {
            Some(bytes) if bytes.len() + stored.len() <= KEPT => bytes.extend_from_slice(stored),
            bytes => *bytes = None,
        }
    }

    fn finish(self, damage: Option<Effect>) -> Upload {
        Upload {
            received: self.received,
            size: self.size,
            sha256: digest(self.hash),
            bytes: self.bytes,
            damage,
        }
    }
}

/// `sha256:<hex>`, as GitHub writes digests.
pub(crate) fn digest(hash: Sha256) -> String {
    let mut text = String::from("sha256:");
    for byte in hash.finalize() {
        write!(text, "{byte:02x}").expect("a string takes everything");
    }
    text
}
