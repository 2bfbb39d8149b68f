//! Documents that our serializer alone writes: they are read only if they are, byte for byte, what it would write again.
//!
//! That one comparison refuses edited, reformatted, reordered and re-escaped files, so a digest over the bytes and a digest
//! over the meaning are the same thing.

use alloc::{format, vec::Vec};

use serde::Serialize;

use crate::json::{self, Malformed, Object};

/// A document of ours, written as compact JSON and one line feed.
pub trait Document: Serialize + Sized {
    /// The most bytes that such a document may have.
    const MOST_BYTES: usize;

    /// Reads the members; unknown ones are refused by [`Object::end`] afterwards.
    fn from_members(object: &mut Object) -> Result<Self, Malformed>;

    /// The document's bytes: compact JSON and one line feed.
    fn to_document(&self) -> Vec<u8> {
        to_json_line(self)
    }

    /// Reads a document that must be exactly what [`Document::to_document`] writes.
    fn from_document(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut object = json::parse(bytes, Self::MOST_BYTES)?.object()?;
        let document = Self::from_members(&mut object)?;
        object.end()?;
        let written = document.to_document();
        if written == bytes {
            return Ok(document);
        }
        let same = written
            .iter()
            .zip(bytes)
            .take_while(|(ours, theirs)| ours == theirs)
            .count();
        Err(Malformed::new(
            format!("byte {same}"),
            "the file was changed after Countersign wrote it",
        ))
    }
}

/// Compact JSON and one line feed, for documents that are only written.
#[must_use]
pub fn to_json_line<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut bytes = to_json(value);
    bytes.push(b'\n');
    bytes
}

/// Compact JSON of a value whose member names are all text.
#[expect(
    clippy::expect_used,
    reason = "writing our own types to memory cannot fail: names are text, numbers whole"
)]
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("documents have text names")
}
