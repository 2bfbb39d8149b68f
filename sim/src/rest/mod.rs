//! REST: from an endpoint to its handler, past the repository and the token's permissions.
#![expect(
    clippy::unnecessary_wraps,
    reason = "every handler has the same signature, also those that never refuse"
)]

mod activity;
mod artifacts;
mod assets;
mod comments;
mod contents;
mod dispatches;
mod emoji;
mod fields;
mod guard;
mod labels;
mod notes;
mod objects;
mod protection;
mod publication;
mod pulls;
mod refs;
mod releases;
mod renamed;
mod render;
mod repository;
mod rulesets;
mod runs;
mod tags;
mod trees;
mod writing;

use crate::answer::{Answer, Served};
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::site::Site;
use crate::world::World;

pub(crate) use renamed::redirect;
pub(crate) use render::{pull_html, release_html};

type Handler = fn(&mut World, &Call) -> Served;

/// Answers one REST request.
pub(crate) fn serve(site: &mut Site, call: &mut Call) -> Answer {
    let accepted = call.endpoint.accepted();
    match attend(site, call) {
        Ok(answer) => answer.with("x-accepted-github-permissions", accepted),
        Err(refusal) => refusal,
    }
}

fn attend(site: &mut Site, call: &mut Call) -> Served {
    let handler = handler(call.endpoint).ok_or_else(Answer::not_found)?;
    if call.endpoint == Endpoint::RateLimit {
        return handler(site.home(call), call);
    }
    let here = site
        .find(&call.place)
        .ok_or_else(|| renamed::moved(site, call).unwrap_or_else(Answer::not_found))?;
    call.permissions = call.grant.within(here);
    if !call.permissions.sees_repository() {
        return Err(Answer::not_found());
    }
    let world = &mut site.worlds[here];
    let need = call.endpoint.need();
    if !call.permissions.grants(need) {
        return Err(Answer::forbidden(&call.endpoint.accepted()));
    }
    if world.settings.archived && call.kind == crate::log::Kind::Write {
        let message = "Repository was archived so is read-only.";
        return Err(Answer::error(403, message));
    }
    if call.endpoint.is_git_data() && world.is_empty() {
        return Err(Answer::error(409, "Git Repository is empty."));
    }
    handler(world, call)
}

fn handler(endpoint: Endpoint) -> Option<Handler> {
    Some(match endpoint {
        Endpoint::GetRepository => repository::get,
        Endpoint::RateLimit => repository::rate_limit,
        Endpoint::BranchRules => rulesets::of_branch,
        Endpoint::ListRulesets => rulesets::list,
        Endpoint::GetRuleset => rulesets::get,
        Endpoint::CreateRuleset => rulesets::create,
        Endpoint::DeleteRuleset => rulesets::delete,
        Endpoint::ProtectBranch => protection::set,
        Endpoint::UnprotectBranch => protection::remove,
        Endpoint::GetImmutableReleases => repository::immutable_releases,
        Endpoint::ListReleases => releases::list,
        Endpoint::GetLatestRelease => releases::latest,
        Endpoint::GetReleaseByTag => releases::by_tag,
        Endpoint::GetRelease => releases::get,
        Endpoint::DeleteRelease => releases::delete,
        Endpoint::CreateRelease => writing::create,
        Endpoint::UpdateRelease | Endpoint::PublishRelease => writing::update,
        Endpoint::GenerateNotes => notes::generate,
        Endpoint::ListAssets => assets::list,
        Endpoint::GetAsset => assets::get,
        Endpoint::DeleteAsset => assets::delete,
        Endpoint::UploadAsset => assets::upload,
        Endpoint::CreateTagObject => tags::create,
        Endpoint::GetTagObject => tags::get,
        Endpoint::CreateRef => refs::create,
        Endpoint::UpdateRef => refs::update,
        Endpoint::DeleteRef => refs::delete,
        Endpoint::GetRef => refs::get,
        Endpoint::MatchingRefs => refs::matching,
        Endpoint::CreateTree => trees::create,
        Endpoint::GetTree => trees::get,
        Endpoint::CreateBlob => objects::create_blob,
        Endpoint::GetBlob => objects::get_blob,
        Endpoint::CreateCommit => objects::create_commit,
        Endpoint::GetCommit => objects::get_commit,
        Endpoint::GetContents => contents::get,
        Endpoint::CreatePull => pulls::create,
        Endpoint::ListPulls => pulls::list,
        Endpoint::GetPull => pulls::get,
        Endpoint::UpdatePull => pulls::update,
        Endpoint::AddLabels => pulls::add_labels,
        Endpoint::ListLabels => labels::list,
        Endpoint::DeleteLabel => labels::delete,
        Endpoint::ListActivity => activity::list,
        Endpoint::CommentOnCommit => comments::create,
        Endpoint::GetCommitComment => comments::get,
        Endpoint::DeleteCommitComment => comments::delete,
        Endpoint::RequestReviewers => pulls::request_reviewers,
        Endpoint::GetRun => runs::get,
        Endpoint::GetAttempt => runs::attempt,
        Endpoint::ListApprovals => runs::approvals,
        Endpoint::ListArtifacts => artifacts::list,
        Endpoint::GetArtifact => artifacts::get,
        Endpoint::DispatchWorkflow => dispatches::create,
        Endpoint::DownloadArtifact
        | Endpoint::DownloadAsset
        | Endpoint::Preflight
        | Endpoint::Append
        | Endpoint::Resolve
        | Endpoint::Discover
        | Endpoint::GraphQl
        | Endpoint::Unknown => {
            return None;
        }
    })
}
