//! What every request must pass before anything is looked up: client, version, token, budget.

use serde_json::json;

use crate::accept;
use crate::answer::{Answer, Content};
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::log::Kind;
use crate::permission::Grant;
use crate::rate::Budget;
use crate::site::Site;
use crate::switch::Switch;
use crate::world::World;

/// The versions of the REST API that exist.
const VERSIONS: [&str; 2] = ["2022-11-28", "2026-03-10"];

/// What the token that a request carries was minted for, if this simulator minted it.
pub(crate) fn grant(site: &Site, call: &Call) -> Option<Grant> {
    site.tokens.get(credential(call)?).copied()
}

fn credential(call: &Call) -> Option<&str> {
    let (scheme, token) = call.header("authorization")?.split_once(' ')?;
    let known = ["bearer", "token"]
        .iter()
        .any(|name| scheme.eq_ignore_ascii_case(name));
    known.then(|| token.trim())
}

/// Lets a request in.
pub(crate) fn admit(site: &mut Site, call: &Call) -> Result<(), Answer> {
    if call.header("user-agent").is_none_or(str::is_empty) {
        return Err(Answer::raw(
            403,
            "text/plain",
            "\r\nRequest forbidden by administrative rules. Please make sure your request has a \
             User-Agent header (https://docs.github.com/en/rest/overview/resources-in-the-rest-api\
             #user-agent-required). Check https://developer.github.com for other possible causes.\r\n",
        ));
    }
    supported(site, call)?;
    authenticate(site, call)?;
    spend(site, call)?;
    accept::acceptable(site.home(call), call)
}

/// A version that never existed is 400, one that was retired is 410.
fn supported(site: &Site, call: &Call) -> Result<(), Answer> {
    let version = call.version();
    if site
        .retired_versions
        .iter()
        .any(|retired| retired == version)
    {
        let message = format!("The REST API version \"{version}\" is not supported.");
        return Err(Answer::error(410, message));
    }

    if VERSIONS.contains(&version) {
        return Ok(());
    }

    let reason = format!(
        "The version you specified in the \"X-GitHub-API-Version\" request header, \"{version}\", \
         is not a supported version. The following versions are currently supported: \
         \"2026-03-10\" (most recent) and \"2022-11-28\"."
    );
    let mut refusal = Answer::error(400, "Bad Request");
    if let Content::Json(body) = &mut refusal.content {
        body["errors"] = json!(reason);
    }
    Err(refusal)
}

fn authenticate(site: &Site, call: &Call) -> Result<(), Answer> {
    if grant(site, call).is_some() {
        return Ok(());
    }
    if call.headers.contains_key("authorization") {
        return Err(Answer::error(401, "Bad credentials"));
    }
    if call.is_graphql() {
        let message = "This endpoint requires you to be authenticated.";
        return Err(Answer::error(401, message));
    }
    if call.kind == Kind::Write {
        return Err(Answer::error(401, "Requires authentication"));
    }
    Ok(())
}

/// Uploads were seen to count as two requests; asking for the budget is free.
fn spend(site: &mut Site, call: &Call) -> Result<(), Answer> {
    let world = site.home(call);
    let now = world.now();
    let (budget, cost) = match call.endpoint {
        Endpoint::RateLimit => return Ok(()),
        Endpoint::UploadAsset => (Budget::Core, 2),
        _ if call.is_graphql() => (Budget::GraphQl, 1),
        _ => (Budget::Core, 1),
    };
    let spent = world.rates.spend(budget, cost, now);
    spent.map_err(|_| match budget {
        Budget::GraphQl => graphql_limit(world),
        Budget::Core => Answer::error(403, limit_exceeded(world)),
    })
}

/// An upload that is refused because of its name was seen to cost a third request.
pub(crate) fn surcharge(site: &mut Site, call: &Call, answer: &Answer) {
    let Content::Json(body) = &answer.content else {
        return;
    };
    let duplicate = body["errors"][0]["code"] == "already_exists";
    if call.endpoint == Endpoint::UploadAsset && duplicate {
        let world = site.home(call);
        let now = world.now();
        // Nothing is left to refuse: the upload has been answered.
        let _ = world.rates.spend(Budget::Core, 1, now);
    }
}

fn limit_exceeded(world: &World) -> String {
    let id = world.identity.id;
    format!("API rate limit exceeded for installation ID {id}.")
}

/// GraphQL's primary limit comes with HTTP 200, without `data` and without a path.
pub(crate) fn graphql_limit(world: &World) -> Answer {
    if world.is_on(Switch::OldRateLimitWord) {
        let message = limit_exceeded(world);
        let error = json!({ "type": "RATE_LIMITED", "message": message });
        return Answer::ok(json!({ "errors": [error] }));
    }
    let id = world.identity.id;
    let error = json!({
        "type": "RATE_LIMIT",
        "code": "graphql_rate_limit",
        "message": format!("API rate limit already exceeded for installation ID {id}."),
    });
    Answer::ok(json!({ "errors": [error] }))
}
