//! Uploads a file in bounded pieces; its last piece leaves only if the file is still the one that was hashed. Evidence lies in memory.

use std::{
    fs::File,
    io::{self, Read as _},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use octocrab::OctoBody;
use tokio::sync::watch;

use countersign_core::asset::Asset;

use crate::{progress::FileProgress, regular_file::KnownFile};

/// Small enough to stay in a processor's cache between the file and the socket.
const PIECE: u64 = 64 * 1024;

/// Where the bytes of an upload come from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// A file that was hashed.
    File(&'a KnownFile),
    /// The claim's entry.
    Memory(&'a [u8]),
}

impl Source<'_> {
    /// Whether it still holds the bytes that were hashed.
    pub(super) fn unchanged(self, asset: &Asset) -> io::Result<()> {
        match self {
            Self::File(file) => file.open(&asset.sha256).map(|_| ()),
            Self::Memory(_) => Ok(()),
        }
    }
}

/// The body of one upload, and whether it broke off because the file changed under us.
pub(super) struct Upload {
    pub(super) body: OctoBody,
    pub(super) changed: Changed,
}

/// How many files have not yet been sent to their last byte.
#[derive(Clone)]
pub(super) struct Sent(Arc<watch::Sender<usize>>);

impl Sent {
    pub(super) fn new(files: usize) -> Self {
        Self(Arc::new(watch::Sender::new(files)))
    }

    fn another(&self) {
        self.0.send_modify(|left| *left = left.saturating_sub(1));
    }

    /// Nothing more will be sent.
    pub(super) fn finish(&self) {
        self.0.send_replace(0);
    }

    /// Waits until the last bytes of all files have left, as far as they leave at all.
    pub(super) async fn all(&self) {
        // The sender lives in `self`, so the wait cannot fail.
        drop(self.0.subscribe().wait_for(|left| *left == 0).await);
    }
}

/// Set by the body, read after the request has failed.
#[derive(Clone, Default)]
pub(super) struct Changed(Arc<AtomicBool>);

impl Changed {
    pub(super) fn happened(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Makes the body of an upload.
pub(super) fn open(
    source: Source<'_>,
    asset: &Asset,
    progress: Option<FileProgress>,
    sent: Sent,
) -> io::Result<Upload> {
    match source {
        Source::File(file) => open_file(file, asset, progress, sent),
        Source::Memory(bytes) => Ok(held(Bytes::copy_from_slice(bytes), progress, sent)),
    }
}

/// Opens a file for its upload: it must be the very file that was hashed. What GitHub stored is compared by its digest afterwards;
/// this is to tell a changed file before it is whole at GitHub.
fn open_file(
    file: &KnownFile,
    asset: &Asset,
    progress: Option<FileProgress>,
    sent: Sent,
) -> io::Result<Upload> {
    let open = file
        .open(&asset.sha256)
        .map_err(|error| changed(asset, &error))?;
    if file.size() != asset.size {
        return Err(changed(asset, &io::Error::other("it has another size")));
    }
    let reader = Pieces {
        file: open,
        known: file.clone(),
        left: asset.size,
        asset: asset.clone(),
        progress,
        sent,
    };
    let changed = Changed::default();
    let told = changed.clone();
    let pieces = stream::unfold(Some(reader), move |reader| {
        let told = told.clone();
        async move {
            let mut reader = reader?;
            match reader.next() {
                Ok(Some(piece)) => Some((Ok(Frame::data(piece)), Some(reader))),
                Ok(None) => None,
                // An error ends the request before it is complete, so GitHub never takes the file.
                Err(error) => {
                    told.0.store(true, Ordering::Relaxed);
                    Some((Err(error), None))
                }
            }
        }
    });
    Ok(Upload {
        body: OctoBody::new(StreamBody::new(pieces)),
        changed,
    })
}

/// Bytes in memory leave in one piece and cannot change.
fn held(bytes: Bytes, progress: Option<FileProgress>, sent: Sent) -> Upload {
    let piece = stream::once(async move {
        sent.another();
        if let Some(progress) = &progress {
            progress.advance(bytes.len() as u64);
            progress.finish();
        }
        Ok::<_, io::Error>(Frame::data(bytes))
    });
    Upload {
        body: OctoBody::new(StreamBody::new(piece)),
        changed: Changed::default(),
    }
}

struct Pieces {
    file: File,
    known: KnownFile,
    left: u64,
    asset: Asset,
    progress: Option<FileProgress>,
    sent: Sent,
}

impl Pieces {
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.left == 0 {
            return Ok(None);
        }
        let wanted = PIECE.min(self.left);
        let mut piece = Vec::with_capacity(usize::try_from(wanted).unwrap_or_default());
        let read = (&mut self.file).take(wanted).read_to_end(&mut piece);
        if read.map_err(|error| changed(&self.asset, &error))? as u64 != wanted {
            return Err(changed(&self.asset, &io::Error::other("it became shorter")));
        }
        self.left -= wanted;
        if self.left == 0 {
            self.known
                .is_unchanged(&self.file, &self.asset.sha256)
                .map_err(|error| changed(&self.asset, &error))?;
            self.sent.another();
        }
        if let Some(progress) = &self.progress {
            progress.advance(wanted);
            if self.left == 0 {
                progress.finish();
            }
        }
        Ok(Some(piece.into()))
    }
}

/// The file is no longer the one that was hashed.
pub(super) fn changed(asset: &Asset, error: &io::Error) -> io::Error {
    io::Error::other(format!(
        "the file of the asset `{}` is no longer the one that was hashed: {error}",
        asset.name
    ))
}
