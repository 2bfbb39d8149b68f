//! Sends a request at once or not at all, because what allows it was checked directly before.

use std::{future::Future, io, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use octocrab::OctoBody;
use tokio::sync::watch;

use super::{Reply, Trouble};
use crate::tempo::{Moment, SinceBoot};

/// How long connecting and sending may take together.
pub(super) const TO_SEND: Duration = Duration::from_secs(10);

/// Whether a body was sent, and how long that may take.
pub(super) struct Departure {
    limit: Duration,
    has_left: watch::Receiver<bool>,
}

/// A body that is sent within this time from now, or never.
pub(super) fn body(bytes: Bytes, limit: Duration, since_boot: SinceBoot) -> (OctoBody, Departure) {
    let started = Moment::now(since_boot);
    let (sender, has_left) = watch::channel(false);
    let piece = stream::once(async move {
        // The timer below stops while the machine sleeps; these clocks do not.
        if !started.is_within(limit, Moment::now(since_boot)) {
            return Err(io::Error::other("it was ready too late"));
        }
        sender.send_replace(true);
        Ok(Frame::data(bytes))
    });
    let body = OctoBody::new(StreamBody::new(piece));
    (body, Departure { limit, has_left })
}

impl Departure {
    /// The answer to the request. If its body was never sent, nothing was done, however it ended.
    pub(super) async fn in_time(
        self,
        host: String,
        answer: impl Future<Output = Result<Reply, Trouble>>,
    ) -> Result<Reply, Trouble> {
        let Self {
            limit,
            mut has_left,
        } = self;
        let seen = has_left.clone();
        let late = async {
            let left = has_left.wait_for(|left| *left);
            if tokio::time::timeout(limit, left).await.is_ok() {
                // It was sent, or the request has failed: the answer says how it ended.
                std::future::pending::<()>().await;
            }
        };

        let not_sent = || Trouble::Connection {
            host,
            reason: format!("the request was not sent within {} s", limit.as_secs()),
        };
        tokio::select! {
            biased;
            answer = answer => match answer {
                Err(Trouble::NoAnswer { .. }) if !*seen.borrow() => Err(not_sent()),
                answer => answer,
            },
            () = late => Err(not_sent()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tempo::since_boot;

    const LIMIT: Duration = Duration::from_millis(50);

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
            .block_on(future)
    }

    fn lost() -> Result<Reply, Trouble> {
        Err(Trouble::NoAnswer {
            reason: "reset".into(),
        })
    }

    fn code(answer: &Result<Reply, Trouble>) -> &'static str {
        answer.as_ref().map_or_else(Trouble::code, |_| "answered")
    }

    async fn bytes(body: OctoBody) -> Result<Bytes, impl std::fmt::Debug> {
        use http_body_util::BodyExt as _;
        body.collect()
            .await
            .map(http_body_util::Collected::to_bytes)
    }

    #[test]
    fn a_request_that_cannot_be_sent_in_time_was_not_done() {
        let (_body, departure) = body(Bytes::from_static(b"{}"), LIMIT, since_boot);
        let answered = run(departure.in_time("api".into(), std::future::pending()));
        assert_eq!(code(&answered), "github_unreachable");
    }

    #[test]
    fn the_answer_to_what_was_sent_may_take_longer() {
        let (body, departure) = body(Bytes::from_static(b"{}"), LIMIT, since_boot);
        let answered = run(departure.in_time("api".into(), async {
            assert_eq!(bytes(body).await.unwrap(), "{}");
            tokio::time::sleep(LIMIT * 3).await;
            lost()
        }));
        assert_eq!(code(&answered), "github_no_answer");
    }

    #[test]
    fn a_body_that_is_asked_for_after_its_time_never_leaves() {
        let (body, departure) = body(Bytes::from_static(b"{}"), Duration::ZERO, since_boot);
        let answered = run(departure.in_time("api".into(), async {
            assert!(bytes(body).await.is_err());
            lost()
        }));
        assert_eq!(code(&answered), "github_unreachable");
    }
}
