//! A transcript of REST, one JSON line an exchange, for judges that know how GitHub describes it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use http::{HeaderMap, Response};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use crate::call::{Call, Door};
use crate::reply::Body;

/// What a request's headers tell a judge; a token is never written down.
const ASKED: [&str; 5] = [
    "accept",
    "content-type",
    "content-length",
    "user-agent",
    "x-github-api-version",
];
const ANSWERED: [&str; 3] = ["content-type", "link", "location"];

/// A file that is only ever appended to, by several simulators at once if need be.
pub(crate) struct Transcript(Mutex<File>);

impl Transcript {
    pub(crate) fn open(path: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(path);
        Self(Mutex::new(
            file.expect("a transcript that can be appended to"),
        ))
    }

    /// Notes an exchange. GraphQL and the storage of artifacts are no part of the description.
    pub(crate) fn note(&self, call: &Call, answer: &Response<Body>) {
        if call.is_graphql() || call.endpoint.is_storage() {
            return;
        }
        let body = call
            .upload
            .is_none()
            .then(|| String::from_utf8_lossy(&call.body));
        let line = json!({
            "method": call.method,
            "path": call.target,
            "uploads": call.door == Door::Uploads,
            "headers": chosen(&call.headers, &ASKED),
            "body": body,
            "body_bytes": call.upload.as_ref().map_or(call.body.len() as u64, |upload| upload.received),
            "status": answer.status().as_u16(),
            "answer_headers": chosen(answer.headers(), &ANSWERED),
            "answer": std::str::from_utf8(answer.body().bytes()).ok(),
        });
        // One write a line: lines of different processes do not mix.
        let line = format!("{line}\n");
        self.0
            .lock()
            .write_all(line.as_bytes())
            .expect("a transcript that can be written");
    }
}

fn chosen(headers: &HeaderMap, names: &[&str]) -> Map<String, Value> {
    let told = |name: &&str| {
        Some((
            (*name).to_owned(),
            headers.get(*name)?.to_str().ok()?.into(),
        ))
    };
    names.iter().filter_map(told).collect()
}
