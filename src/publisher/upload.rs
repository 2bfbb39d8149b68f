//! Uploads a file in bounded pieces; its last piece leaves only if all of them together are the bytes that were approved.

use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
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
use sha2::{Digest as _, Sha256};

use countersign_core::{asset::Asset, digest::Digest};

const PIECE: usize = 256 * 1024;

/// The body of one upload, and whether it broke off because the file changed under us.
pub(super) struct Upload {
    pub(super) body: OctoBody,
    pub(super) changed: Changed,
}

/// Set by the body, read after the request has failed.
#[derive(Clone, Default)]
pub(super) struct Changed(Arc<AtomicBool>);

impl Changed {
    pub(super) fn happened(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Opens a file for its upload: links are not followed, and it must still have the approved size.
pub(super) fn open(path: &Path, asset: &Asset) -> io::Result<Upload> {
    let file = File::options().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() || found.len() != asset.size {
        return Err(changed(asset));
    }
    let reader = Pieces { file, hasher: Sha256::new(), left: asset.size, asset: asset.clone() };
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
    Ok(Upload { body: OctoBody::new(StreamBody::new(pieces)), changed })
}

struct Pieces {
    file: File,
    hasher: Sha256,
    left: u64,
    asset: Asset,
}

impl Pieces {
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; PIECE.min(usize::try_from(self.left).unwrap_or(PIECE))];
        self.file.read_exact(&mut piece).map_err(|_| changed(&self.asset))?;
        self.hasher.update(&piece);
        self.left -= piece.len() as u64;
        if self.left == 0 && Digest::from_bytes(self.hasher.clone().finalize().into()) != self.asset.sha256 {
            return Err(changed(&self.asset));
        }
        Ok(Some(piece.into()))
    }
}

pub(super) fn changed(asset: &Asset) -> io::Error {
    io::Error::other(format!("the file of the asset `{}` is no longer the one that was hashed", asset.name))
}
