//! One exchange from head to answer: log, fault, gate, work, fault again, headers.

use std::sync::Arc;

use http::{Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use crate::answer::Answer;
use crate::call::{Call, Door};
use crate::endpoint::Endpoint;
use crate::fault::{Effect, Sighting};
use crate::gate;
use crate::graphql;
use crate::misfortune::{self, Before};
use crate::permission::Grant;
use crate::reply::{self, Body};
use crate::rest;
use crate::server::Shared;
use crate::site::Site;
use crate::storage;
use crate::upload;

/// The connection drops without an answer.
#[derive(Debug)]
pub(crate) struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the connection drops without an answer")
    }
}

impl std::error::Error for Dropped {}

/// Answers one request, or drops its connection.
pub(crate) async fn exchange(
    shared: Arc<Shared>,
    door: Door,
    request: Request<Incoming>,
) -> Result<Response<Body>, Dropped> {
    let (head, body) = request.into_parts();
    let mut call = Call::of(door, &head);
    let sequence = shared
        .log
        .arrive(&call.method, &call.target, call.endpoint, call.kind);
    let answered = answer(&shared, sequence, &mut call, body).await;
    let status = answered.as_ref().ok().map(|reply| reply.status().as_u16());
    let bytes = answered
        .as_ref()
        .ok()
        .and_then(|reply| reply.body().size_hint().exact());
    shared.log.amend(sequence, |event| {
        event.status = status;
        event.answer_bytes = bytes.unwrap_or_default();
        event.finished = true;
    });
    answered
}

async fn answer(
    shared: &Arc<Shared>,
    sequence: usize,
    call: &mut Call,
    body: Incoming,
) -> Result<Response<Body>, Dropped> {
    let grant = shared.site(|site| gate::grant(site, call));
    call.grant = grant.unwrap_or(Grant::nothing());
    shared.log.amend(sequence, |event| {
        event.authenticated = grant.is_some();
        event.authorization = call.headers.contains_key("authorization");
    });
    let met = receive(shared, sequence, call, body).await?;
    let before = shared.site(|site| misfortune::before(met.as_ref(), site, call));
    let answer = match before {
        Before::Proceed => work(shared, sequence, call),
        Before::Reply(answer) => answer,
        Before::Drop => return Err(Dropped),
        Before::Stall => std::future::pending().await,
    };
    let delay = shared.site(|site| site.delay) + misfortune::lateness(met.as_ref());
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let is_lost = match &met {
        Some(Effect::Held(hold)) => hold.keep().await,
        Some(Effect::ResetAfter) => true,
        _ => false,
    };
    if is_lost {
        return Err(Dropped);
    }
    let answer = misfortune::after(
        met.as_ref(),
        call.endpoint,
        answer.documented(call.endpoint),
    );
    let answer = shared.site(|site| reply::dress(site, call, answer, met.as_ref()));
    // What a planned fault had a hand in is not how GitHub answers.
    if let (Some(transcript), None) = (&shared.transcript, &met) {
        transcript.note(call, &answer);
    }
    Ok(answer)
}

/// Reads the body and finds the fault that this request meets. Uploads meet theirs first, because
/// it may spoil the stream.
async fn receive(
    shared: &Arc<Shared>,
    sequence: usize,
    call: &mut Call,
    body: Incoming,
) -> Result<Option<Effect>, Dropped> {
    if call.endpoint == Endpoint::UploadAsset {
        let met = meet(shared, call);
        if matches!(met, Some(Effect::ResetBefore | Effect::Stall)) {
            return Ok(met);
        }
        let declared = call
            .header("content-length")
            .and_then(|text| text.parse().ok());
        let upload = upload::take_in(body, declared, met.clone()).await;
        let upload = upload.map_err(|_| Dropped)?;
        shared
            .log
            .amend(sequence, |event| event.body_bytes = upload.received);
        call.upload = Some(upload);
        return Ok(met);
    }
    let bytes = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    call.receive(bytes);
    if call.is_graphql() {
        graphql::identify(call);
    }
    shared.log.amend(sequence, |event| {
        event.body_bytes = call.body.len() as u64;
        event.endpoint = call.endpoint;
        event.operation.clone_from(&call.operation);
        event.kind = call.kind;
    });
    Ok(meet(shared, call))
}

fn meet(shared: &Shared, call: &Call) -> Option<Effect> {
    shared.plan.lock().meet(&Sighting {
        endpoint: call.endpoint,
        operation: call.operation.as_deref(),
        method: &call.method,
        path: &call.path,
    })
}

/// The request itself, alone under the lock. The storage is another host with another gate.
fn work(shared: &Arc<Shared>, sequence: usize, call: &mut Call) -> Answer {
    if call.endpoint.is_storage() {
        return shared.site(|site| storage::serve(site, call));
    }
    shared.alone(|| {
        let admitted = shared.site(|site| gate::admit(site, call));
        let answer = match admitted {
            Err(refusal) => refusal,
            Ok(()) if call.is_graphql() => graphql::serve(shared, call),
            Ok(()) => shared.site(|site| {
                let answer = rest::serve(site, call);
                gate::surcharge(site, call, &answer);
                answer
            }),
        };
        let effects = shared.site(Site::take_effects);
        shared.log.took_effect(sequence, effects);
        answer
    })
}
