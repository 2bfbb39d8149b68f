//! GitHub's JSON for accounts, releases, assets, refs and pull requests, and the paging of lists.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::call::Call;
use crate::clock::iso8601;
use crate::permission::Grant;
use crate::record::{AssetRecord, PullRecord, ReleaseRecord};
use crate::world::{Identity, World};

/// The login behind a workflow's token.
pub(crate) const BOT: &str = "github-actions[bot]";

/// The login behind a token.
pub(crate) fn login_behind(grant: Grant) -> &'static str {
    if grant.is_person() { "octocat" } else { BOT }
}

/// The account behind a workflow's token.
pub(crate) fn bot() -> Value {
    json!({
        "login": BOT,
        "id": 41_898_282,
        "node_id": "MDM6Qm90NDE4OTgyODI=",
        "type": "Bot",
        "site_admin": false,
    })
}

/// FNV-1a, cut to the size of an account's id: the same name always has the same.
fn number_of(name: &str) -> u32 {
    let hash = name.bytes().fold(0x811C_9DC5_u32, |hash, byte| {
        (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
    });
    hash >> 5
}

/// The account of that login.
pub(crate) fn account(login: &str) -> Value {
    if login == BOT { bot() } else { user(login) }
}

pub(crate) fn user(login: &str) -> Value {
    let id = number_of(login);
    json!({ "login": login, "id": id, "node_id": format!("U_{id}"), "type": "User", "site_admin": false })
}

/// As GitHub writes it in the address of a page: `/` and `@` are escaped too.
fn escaped(name: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(name, KEPT).to_string()
}

/// A draft's page is not under its tag, which may not exist yet.
pub(crate) fn release_html(identity: &Identity, release: &ReleaseRecord) -> String {
    let page = if release.draft {
        // 2^64 / golden ratio scrambles the id into something that looks like GitHub's hashes.
        let hash = release.id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 24;
        format!("untagged-{hash:020x}")
    } else {
        escaped(&release.tag_name)
    };
    format!("{}/releases/tag/{page}", identity.html())
}

pub(crate) fn release(identity: &Identity, release: &ReleaseRecord) -> Value {
    let url = format!("{}/releases/{}", identity.api(), release.id);
    let upload = format!(
        "{}/repos/{}/releases/{}/assets{{?name,label}}",
        identity.upload_url(),
        identity.full_name(),
        release.id
    );
    let assets: Vec<Value> = release
        .assets
        .iter()
        .map(|one| asset(identity, release, one))
        .collect();
    json!({
        "url": url,
        "assets_url": format!("{url}/assets"),
        "upload_url": upload,
        "html_url": release_html(identity, release),
        "id": release.id,
        "author": bot(),
        "node_id": format!("RE_{}", release.id),
        "tag_name": release.tag_name,
        "target_commitish": release.target_commitish,
        "name": release.name,
        "body": release.body,
        "draft": release.draft,
        "prerelease": release.prerelease,
        "immutable": release.immutable,
        "created_at": iso8601(release.created_at),
        "updated_at": iso8601(release.updated_at),
        "published_at": release.published_at.map(iso8601),
        "assets": assets,
        "tarball_url": format!("{}/tarball/{}", identity.api(), release.tag_name),
        "zipball_url": format!("{}/zipball/{}", identity.api(), release.tag_name),
    })
}

pub(crate) fn asset(identity: &Identity, release: &ReleaseRecord, asset: &AssetRecord) -> Value {
    let page = release_html(identity, release);
    json!({
        "url": format!("{}/releases/assets/{}", identity.api(), asset.id),
        "browser_download_url":
            format!("{}/{}", page.replacen("/tag/", "/download/", 1), escaped(&asset.name)),
        "id": asset.id,
        "node_id": format!("RA_{}", asset.id),
        "name": asset.name,
        "label": asset.label,
        "uploader": bot(),
        "content_type": asset.content_type,
        "state": asset.state,
        "size": asset.size,
        "digest": asset.digest,
        "download_count": 0,
        "created_at": iso8601(asset.created_at),
        "updated_at": iso8601(asset.created_at),
    })
}

/// `{ref, node_id, url, object: {type, sha, url}}`; tags keep pointing at their tag object.
pub(crate) fn reference(world: &World, name: &str, oid: git2::Oid) -> Value {
    let kind = kind_name(world.git.kind(oid));
    let api = world.identity.api();
    json!({
        "ref": name,
        "node_id": world.identity.ref_id(name),
        "url": format!("{api}/git/{name}"),
        "object": {
            "sha": oid.to_string(),
            "type": kind,
            "url": format!("{api}/git/{kind}s/{oid}"),
        },
    })
}

pub(crate) fn kind_name(kind: Option<git2::ObjectType>) -> &'static str {
    kind.map_or("unknown", |kind| kind.str())
}

pub(crate) fn pull_html(identity: &Identity, number: u64) -> String {
    format!("{}/pull/{number}", identity.html())
}

pub(crate) fn pull(world: &World, pull: &PullRecord) -> Value {
    let identity = &world.identity;
    let url = format!("{}/pulls/{}", identity.api(), pull.number);
    let labels: Vec<Value> = pull
        .labels
        .iter()
        .map(|name| label(identity, name))
        .collect();
    let reviewers: Vec<Value> = pull.reviewers.iter().map(|login| user(login)).collect();
    let teams: Vec<Value> = pull
        .team_reviewers
        .iter()
        .map(|slug| json!({ "slug": slug, "name": slug }))
        .collect();
    json!({
        "url": url,
        "id": pull.number,
        "node_id": format!("PR_{}", pull.number),
        "html_url": pull_html(identity, pull.number),
        "issue_url": format!("{}/issues/{}", identity.api(), pull.number),
        "number": pull.number,
        "state": pull.state,
        "locked": false,
        "title": pull.title,
        "user": account(&pull.author),
        "body": pull.body,
        "labels": labels,
        "draft": pull.draft,
        "merged": false,
        "created_at": iso8601(pull.created_at),
        "updated_at": iso8601(pull.created_at),
        "requested_reviewers": reviewers,
        "requested_teams": teams,
        "head": side(world, pull, &pull.head),
        "base": side(world, pull, &pull.base),
        "maintainer_can_modify": false,
    })
}

/// A branch of a pull request. Its commit is shown also when the branch is gone.
fn side(world: &World, pull: &PullRecord, branch: &str) -> Value {
    let now = world.git.head(branch).map(|oid| oid.to_string());
    json!({
        "label": format!("{}:{branch}", world.identity.owner),
        "ref": branch,
        "sha": now.as_ref().or_else(|| pull.heads.get(branch)),
        "user": user(&world.identity.owner),
        "repo": repository(&world.identity),
    })
}

/// The repository in brief, as other things name it.
pub(crate) fn repository(identity: &Identity) -> Value {
    json!({
        "id": identity.id,
        "node_id": format!("R_{}", identity.id),
        "name": identity.name,
        "full_name": identity.full_name(),
    })
}

pub(crate) fn label(identity: &Identity, name: &str) -> Value {
    let id = number_of(name);
    let url = format!(
        "{}/labels/{}",
        identity.api(),
        utf8_percent_encode(name, NON_ALPHANUMERIC)
    );
    json!({ "id": id, "node_id": format!("LA_{id}"), "url": url, "name": name, "color": "ededed", "default": false, "description": null })
}

/// One page of a list, with the `Link` header by repository id that GitHub sends.
pub(crate) fn page(world: &World, call: &Call, items: &[Value]) -> Answer {
    paged(world, call, items, Value::Array)
}

/// One page of a list that is counted and named, as those of Actions are.
pub(crate) fn counted_page(world: &World, call: &Call, name: &str, items: &[Value]) -> Answer {
    paged(
        world,
        call,
        items,
        |shown| json!({ "total_count": items.len(), name: shown }),
    )
}

fn paged(
    world: &World,
    call: &Call,
    items: &[Value],
    wrap: impl FnOnce(Vec<Value>) -> Value,
) -> Answer {
    let (per_page, page) = call.paging();
    let last = items.len().div_ceil(per_page).max(1);
    let shown: Vec<Value> = items
        .iter()
        .skip((page - 1) * per_page)
        .take(per_page)
        .cloned()
        .collect();
    let answer = Answer::ok(wrap(shown));
    let mut links = Vec::new();
    let mut link = |number: usize, relation: &str| {
        links.push(format!(
            "<{}>; rel=\"{relation}\"",
            page_url(world, call, number)
        ));
    };
    if page > 1 {
        link(page - 1, "prev");
        link(1, "first");
    }
    if page < last {
        link(page + 1, "next");
        link(last, "last");
    }
    if links.is_empty() {
        answer
    } else {
        answer.with("link", links.join(", "))
    }
}

/// The `Link` header of a list whose pages are found by a cursor.
pub(crate) fn next_link(world: &World, call: &Call, cursor: &str) -> String {
    format!("<{}>; rel=\"next\"", url_with(world, call, "after", cursor))
}

fn page_url(world: &World, call: &Call, number: usize) -> String {
    url_with(world, call, "page", &number.to_string())
}

fn url_with(world: &World, call: &Call, parameter: &str, value: &str) -> String {
    let identity = &world.identity;
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in call.query.iter().filter(|(name, _)| name != parameter) {
        query.append_pair(name, value);
    }
    query.append_pair(parameter, value);
    format!(
        "{}/repositories/{}/{}?{}",
        identity.api_url,
        identity.id,
        call.tail(0),
        query.finish()
    )
}
