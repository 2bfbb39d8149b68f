//! The last step: an answer becomes an HTTP response with the headers that GitHub always sends.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};
use http_body::{Frame, SizeHint};

use crate::answer::{Answer, Content};
use crate::call::Call;
use crate::clock::imf_fixdate;
use crate::endpoint::Endpoint;
use crate::exchange::Dropped;
use crate::fault::Effect;
use crate::rate::Budget;
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
    let (content_type, bytes) = match answer.content {
        Content::Empty => (None, Bytes::new()),
        Content::Json(body) => (
            Some("application/json; charset=utf-8"),
            Bytes::from(body.to_string()),
        ),
        Content::Raw {
            content_type,
            bytes,
        } => (Some(content_type), bytes),
    };
    let cut = met == Some(&Effect::TruncatedReply);
    let mut headers = standing_headers(site, call);
    if met == Some(&Effect::OmitDate) {
        headers.retain(|(name, _)| *name != "date");
    }
    headers.extend(content_type.map(|known| ("content-type", known.to_owned())));
    headers.extend(answer.headers);
    if answer.status != 204 {
        headers.push(("content-length", bytes.len().to_string()));
    }
    let half = bytes.len() / 2;
    let mut response = Response::new(Body {
        bytes: Some(if cut { bytes.slice(..half) } else { bytes }),
        cut,
        flushed: false,
    });
    *response.status_mut() = http::StatusCode::from_u16(answer.status).expect("a valid status");
    for (name, value) in headers {
        let value = HeaderValue::from_str(&value).expect("a header value in ASCII");
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
    response
}

fn media_type(call: &Call) -> &'static str {
    if call.is_graphql() {
        "github.v4; format=json"
    } else {
        "github.v3; format=json"
    }
}

fn standing_headers(site: &mut Site, call: &Call) -> Vec<(&'static str, String)> {
    let now = site.home(call).now();
    if call.endpoint == Endpoint::DownloadArtifact {
        let server = "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0".to_owned();
        return vec![("date", imf_fixdate(now)), ("server", server)];
    }
    let budget = if call.is_graphql() {
        Budget::GraphQl
    } else {
        Budget::Core
    };
    site.last_request += 1;
    let last_request = site.last_request;
    let window = *site.home(call).rates.window(budget, now);
    vec![
        ("date", imf_fixdate(now)),
        ("server", "github.com".to_owned()),
        ("x-github-request-id", format!("51AC:{last_request:04X}")),
        ("x-github-media-type", media_type(call).to_owned()),
        ("x-ratelimit-limit", window.limit.to_string()),
        ("x-ratelimit-remaining", window.remaining().to_string()),
        ("x-ratelimit-used", window.used.to_string()),
        ("x-ratelimit-reset", window.reset.to_string()),
        ("x-ratelimit-resource", budget.name().to_owned()),
    ]
}
