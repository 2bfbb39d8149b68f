//! The last step: an answer becomes an HTTP response with the headers that GitHub always sends.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};
use http_body::{Frame, SizeHint};

use crate::answer::{Answer, Content};
use crate::call::{Call, Door};
use crate::exchange::Dropped;
use crate::fault::Effect;
use crate::headers;
use crate::site::Site;

/// A whole body, or the first half of one whose connection then drops.
pub(crate) struct Body {
    bytes: Option<Bytes>,
    cut: bool,
    flushed: bool,
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if !self.cut {
            return Poll::Ready(None);
        }
        if self.flushed {
            return Poll::Ready(Some(Err(Dropped)));
        }
        // Pending once lets the connection write out what it has before it is dropped.
        self.flushed = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none() && !self.cut
    }

    fn size_hint(&self) -> SizeHint {
        match &self.bytes {
            Some(bytes) if !self.cut => SizeHint::with_exact(bytes.len() as u64),
            None if !self.cut => SizeHint::with_exact(0),
            _ => SizeHint::default(),
        }
    }
}

impl Body {
    /// What the client will read, unless it is cut.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or_default()
    }
}

/// Turns an answer into the response to this call.
pub(crate) fn dress(
    site: &mut Site,
    call: &Call,
    answer: Answer,
    met: Option<&Effect>,
) -> Response<Body> {
    site.last_request += 1;
    let request_id = format!("51AC:{:04X}", site.last_request);
    let answer = if call.door == Door::Uploads {
        headers::of_uploads_host(answer, &request_id)
    } else {
        answer
    };
    let (content_type, bytes) = encoded(answer.content);

    let mut all = headers::standing(site, call, request_id);
    if call.method == "GET" && call.door == Door::Api && answer.status < 300 {
        all.extend(headers::of_reads(&bytes));
    }
    if met == Some(&Effect::OmitDate) {
        all.retain(|(name, _)| *name != "date");
    }
    all.extend(content_type.map(|known| ("content-type", known.to_owned())));
    all.extend(answer.headers);
    if answer.status != 204 {
        all.push(("content-length", bytes.len().to_string()));
    }

    let cut = met == Some(&Effect::TruncatedReply);
    let half = bytes.len() / 2;
    let mut response = Response::new(Body {
        bytes: Some(if cut { bytes.slice(..half) } else { bytes }),
        cut,
        flushed: false,
    });
    *response.status_mut() = http::StatusCode::from_u16(answer.status).expect("a valid status");
    for (name, value) in all {
        let value = HeaderValue::from_str(&value).expect("a header value in ASCII");
        let name = HeaderName::from_static(name);
        response.headers_mut().insert(name, value);
    }
    response
}

fn encoded(content: Content) -> (Option<&'static str>, Bytes) {
    match content {
        Content::Empty => (None, Bytes::new()),
        Content::Json(body) => (
            Some("application/json; charset=utf-8"),
            Bytes::from(body.to_string()),
        ),
        Content::Raw {
            content_type,
            bytes,
        } => (Some(content_type), bytes),
    }
}
